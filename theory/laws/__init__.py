"""The laws, a file each: whatever file lies here is found, derived, measured, judged and reported on.

A file holds a function of a `theory.Model` that returns `theory.Prediction`s, with the decorator `theory.claim.claim`:
its name is the claim's, its ``order`` the place in a report. Exponents come from `theory.scaling`, which solves the
model; steps that several derivations share are in `theory.steps`. How a law is measured follows from its ``quantity``,
if that is a variable of the store.
"""
