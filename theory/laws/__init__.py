"""The laws, a file each: whatever file lies here is found, derived, measured, judged and reported on.

A file holds a function of a `theory.Model` that returns `theory.Prediction`s, with the decorator `theory.claim.claim`:
its name is the claim's. Exponents come from `theory.scaling`, which solves the model; steps that several derivations
share are in `theory.steps`. How a law is measured follows from its ``quantity``, if that is a variable of the store.
"""

#: The order in which a report tells them; what is not listed comes last, by name.
ORDER = (
    "kernel_homogeneity",
    "crossover",
    "linear_time",
    "fluctuations",
    "kernel_change_feature",
    "depth_trend",
    "collapse",
    "kernel_change_lazy",
    "weight_change_feature",
    "weight_change_lazy",
    "half_time",
    "output_growth",
    "collapse_exponent",
    "preactivation_velocity",
    "largest_rate",
    "error_vs_width",
    "ensemble",
    "regime_preference",
    "final_kernel",
)
