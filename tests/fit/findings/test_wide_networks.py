"""Laws of the frozen kernel's inverse are judged on networks no narrower than there are training points."""

import json

import pytest
from synthetic_campaign import FEATURE, LAZY, experiment, prediction, tree

from fit.findings.wide_networks import power_of_wide_networks
from fit.measurements.reading import measurements


@pytest.fixture(scope="module")
def measured():
    return experiment()


def finding(data, n_train, regime, variable="width", exponent="0"):
    description = json.loads(data.attrs["experiment"]) | ({} if n_train is None else {"n_train": n_train})
    (one,) = measurements(tree(data.assign_attrs(experiment=json.dumps(description))))
    return power_of_wide_networks(one, prediction("weight_change_lazy", variable, exponent, regime))


def widths_of(found):
    return sorted(set(found.points["width"].values[found.points["used"].values.astype(bool)].tolist()))


def test_in_the_lazy_regime_narrower_networks_are_left_out(measured):
    assert widths_of(finding(measured, 64, LAZY)) == [64, 128, 256, 512]
    assert widths_of(finding(measured, 10, LAZY)) == [32, 64, 128, 256, 512]


def test_in_the_feature_regime_they_are_not(measured):
    assert widths_of(finding(measured, 500, FEATURE)) == [32, 64, 128, 256, 512]


def test_where_too_few_are_wide_enough_there_is_no_verdict(measured):
    refused = finding(measured, 200, LAZY)
    assert refused.undecided_because == "2 widths no smaller than the 200 training points, and 4 are needed"


def test_where_the_number_of_points_is_not_known_there_is_no_verdict(measured):
    assert "does not say how many training points" in finding(measured, None, LAZY).undecided_because
