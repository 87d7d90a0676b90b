"""The sentences at the top of a report: counted from the verdicts, with titles."""

import re

from synthetic_campaign import experiment, tree

import fit
from fit import assess
from fit.measurements.reading import measurements
from fit.report.content import decisive
from fit.report.summary import summary


def test_the_summary_counts_laws_and_names_those_that_fail():
    verdicts = decisive(assess(tree(experiment(name="wrong", exponent=-1.2, seeds=40))))
    told = summary(verdicts)
    tested, consistent, contradicted, undecided = (
        int(re.search(pattern, told).group(1))
        for pattern in (
            r"^Of (\d+) laws tested, ",
            r", (\d+) (?:is|are) consistent with the data",
            r"(\d+) (?:is|are) contradicted",
            r"(\d+) (?:is|are) undecided\.",
        )
    )
    assert tested == consistent + contradicted + undecided
    assert re.search(r"Contradicted in at least one experiment: [^.]*“Kernel change, feature regime”", told)
    assert summary([]) == "No law could be measured with these data."


def test_what_holds_by_construction_is_named_and_not_counted():
    verdicts = decisive(assess(tree(experiment())))
    told = summary(verdicts)
    assert "By construction, and not counted: “Duration of linear dynamics" in told
    laws = {(v.claim, v.regime) for v in verdicts if not v.by_construction and v.not_claimed_because is None}
    counted = int(re.search(r"^Of (\d+) laws? tested", told).group(1))
    assert counted <= len(laws)


def test_a_prediction_of_the_users_is_called_theirs():
    right = fit.prediction("kernel_change ~ A^(-3/2)", root_h_alpha=(1e-4, 1e-2), margin=0.08)
    wrong = fit.prediction("kernel_change ~ A^(-1)", root_h_alpha=(1e-4, 1e-2), margin=0.08, claim="mine")
    told = summary(assess(tree(experiment()), [right, wrong]))
    assert "The data agree with your prediction kernel_change ~ A^(-3/2) in softplus-L3." in told
    assert "The data contradict your prediction kernel_change ~ A^(-1) in softplus-L3." in told
    assert "tested" not in told


def test_a_law_that_is_undecided_at_one_depth_only_is_named_with_the_reason():
    drifting = experiment(name="L3")
    drifting["test_output"] = drifting["test_output"] * drifting["root_h_alpha"] ** -0.02
    data = tree(drifting, experiment(name="L1", depth=1, seed=1))
    told = summary(decisive(assess(data)), measurements(data))
    assert "“Kernel change, feature regime” is undecided for L = 3: outputs drift as A^(−0.02)." in told
