"""How each claim is measured, one file for each claim: every file in this folder is found and shown in reports.

A file holds a function of an experiment's measurements and a prediction that returns a finding
(`fit.findings.finding.Finding`), with the decorator `fit.findings.registry.measures`: its name is the claim's, as in
`theory.laws`. A claim without a file here is measured as the power that its prediction names; a file that only places
such a claim in the tables is one line (`fit.findings.power_law.measured_as_power`). What several claims share lies in
`fit.findings`.
"""
