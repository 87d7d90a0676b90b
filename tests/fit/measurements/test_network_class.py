"""Which architecture a source's networks have: named, assumed, or unknown here."""

import json

import pytest
from synthetic_campaign import experiment

from fit.measurements.network_class import names_architecture, network_class
from fit.measurements.reading import measurements
from simulate.networks.convolutional import Convolutional
from simulate.networks.fully_connected import FullyConnected
from simulate.networks.wide_resnet import WideResidual


def described(**fields):
    data = experiment(widths=(32,), seeds=1, root_h_alpha=(1.0,))
    data.attrs["experiment"] = json.dumps(json.loads(data.attrs["experiment"]) | fields)
    return measurements(data)[0]


@pytest.mark.parametrize(("name", "cls"), [
    ("fc", FullyConnected), ("cnn", Convolutional), ("wide_resnet", WideResidual), ("a_users_own", None),
])  # fmt: skip
def test_the_class_is_that_of_the_name(name, cls):
    measured = described(architecture=name)
    assert names_architecture(measured)
    assert network_class(measured) is cls


def test_a_source_that_names_none_has_the_architecture_of_campaigns_that_name_none():
    assert not names_architecture(described())
    assert network_class(described()) is FullyConnected
