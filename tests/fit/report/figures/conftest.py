"""Verdicts on a made-up campaign, and the curves that they are about."""

import pytest
from synthetic_campaign import experiment, tree

from fit import assess
from fit.report.figures import measured_curve


@pytest.fixture(scope="session")
def verdicts():
    return assess(tree(experiment()))


@pytest.fixture(scope="session")
def curves(verdicts):
    return {curve.name: curve for curve in measured_curve.curves(verdicts)}
