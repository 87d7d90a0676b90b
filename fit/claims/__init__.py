"""How each claim is measured, a file each: whatever file lies here is found, measured and shown in reports.

A file holds a function of an experiment's measurements and a prediction that returns a finding
(`fit.findings.finding.Finding`), with the decorator `fit.findings.registry.measures`: its name is the claim's, as in
`theory.laws`. A claim without a file here is measured as the power that its prediction names. What several claims share
lies in `fit.findings`.
"""
