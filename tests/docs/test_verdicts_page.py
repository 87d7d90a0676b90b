"""The window edges that docs/verdicts.md names are those of the laws."""

import math
import re
from pathlib import Path

import pytest

from theory.activation import Activation
from theory.predictions import predictions

PAGE = " ".join((Path(__file__).parents[2] / "docs" / "verdicts.md").read_text(encoding="utf-8").split())
H = 2.0**30  # so wide that the edge that grows with the width decides
WEAK = "z + 0.01*abs(z)"  # kinks of strength below 1/20


def regime(activation, depth, quantity, name):
    laws = predictions(Activation(activation), depth)
    return next(
        law.regime for law in laws
        if (law.quantity, law.variable, law.regime.name) == (quantity, "root_h_alpha", name)
    )  # fmt: skip


def on_page(pattern):
    match = re.search(pattern, PAGE)
    assert match is not None, pattern
    return [float(number) for number in match.groups()]


def test_edges_of_the_feature_regime():
    kernel, weights = on_page(r"feature regime A ≤ (\S+) \(weights, .*?: A ≤ ([\d.e-]+);")
    assert regime("softplus", 3, "kernel_change", "feature").high == kernel
    assert regime("softplus", 3, "weight_change", "feature").high == weights


@pytest.mark.parametrize("quantity", ["weight_change", "time_half"])
def test_the_edge_of_lazy_weights_and_times(quantity):
    (low,) = on_page(r"lazy laws of weights, times, fluctuations and test errors are tested from A = (\d+) on")
    assert regime("softplus", 3, quantity, "lazy").low == low


def test_the_edge_of_nearly_constant_activations():
    chi, edge, factor = on_page(r"sigmoid \(chi = ([\d.]+)\) from (\d+) on at L = 3, .*? are ([\d.]+) times as high")
    assert Activation("sigmoid").susceptibility == pytest.approx(chi, abs=5e-4)
    assert regime("sigmoid", 3, "weight_change", "lazy").low == pytest.approx(edge, abs=0.5)
    kernels = [regime(name, 3, "kernel_change", "lazy").low for name in ("sigmoid", "tanh")]
    assert kernels[0] / kernels[1] == pytest.approx(factor, abs=5e-3)
    lowest, highest = on_page(r"ReLU, softplus, GELU, SiLU and tanh have chi from ([\d.]+) to ([\d.]+)\.")
    values = [Activation(name).susceptibility for name in ("relu", "softplus", "gelu", "silu", "tanh")]
    assert (min(values), max(values)) == pytest.approx((lowest, highest), abs=5e-3)


def test_the_edges_of_the_collapse_of_kinks():
    cube_root, shallow, again, deep = on_page(
        r"from max\((\d+) \(h/s\)\^\(1/3\), (\d+)/s\) on for L = 1 and max\((\d+) \(h/s\)\^\(1/3\), (\d+)/s\)"
    )
    assert cube_root == again
    for depth, edge in ((1, shallow), (2, deep)):
        laws = [law for law in predictions(Activation("relu"), depth) if law.claim == "collapse_exponent"]
        window = next(law.regime for law in laws if law.regime.name == "lazy")
        assert window.bounds(1.0) == pytest.approx((edge, 10.0))
        assert window.bounds(H) == pytest.approx((cube_root * H ** (1 / 3), 10 * H))


def test_the_edge_of_the_smooth_kernel_law():
    shallow, deep = on_page(r"from A = (\d+) sqrt\(h\) on for L = 1 and from (\d+) sqrt\(h\) for L ≥ 2")
    for depth, factor in ((1, shallow), (2, deep), (5, deep)):
        assert regime("softplus", depth, "kernel_change", "lazy").bounds(H)[0] == pytest.approx(factor * math.sqrt(H))


def test_the_edges_of_the_law_of_kinks():
    shallow, deep = on_page(
        r"between max\(10 \(h/s\)\^\(1/3\), (\d+)/s\) and 10 h for L = 1, max\(10 \(h/s\)\^\(1/3\), (\d+)/s\)"
    )
    for depth, edge in ((1, shallow), (2, deep), (5, deep)):
        window = regime("relu", depth, "kernel_change", "lazy")
        assert window.bounds(1.0) == pytest.approx((edge, 10.0))
        assert window.bounds(H) == pytest.approx((10 * H ** (1 / 3), 10 * H))


def test_the_upper_edge_of_the_smooth_law_at_weak_kinks():
    weakest, shallow, deep = on_page(
        r"below s = 1/(\d+) the smooth law holds up to A = ([\d.]+)/s for L = 1 and ([\d.]+)/s for L ≥ 2"
    )
    strength = Activation(WEAK).kink_strength
    assert strength < 1 / weakest
    for depth, factor in ((1, shallow), (2, deep), (5, deep)):
        assert regime(WEAK, depth, "kernel_change", "lazy").high == pytest.approx(factor / strength)
