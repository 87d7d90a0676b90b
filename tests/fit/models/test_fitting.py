import dataclasses

import numpy as np
import pandas as pd
import pytest

from fit.models.fitting import Method, fit_model, losses, robust_deviation
from fit.models.formula import parse_law
from fit.models.points import select
from lazyrich.errors import InputError

TRUTH = {"E": 1.8, "A": 480.0, "alpha": 0.35, "B": 2100.0, "beta": 0.37}


def chinchilla(count, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    n, d = 10 ** rng.uniform(7.7, 10.2, count), 10 ** rng.uniform(9, 11.5, count)
    loss = TRUTH["E"] + TRUTH["A"] / n ** TRUTH["alpha"] + TRUTH["B"] / d ** TRUTH["beta"]
    return pd.DataFrame({"N": n, "D": d, "loss": loss * np.exp(noise * rng.standard_normal(count))})


def fitted(table, text, **method):
    law = parse_law(text, list(table.columns))
    return fit_model(law, select(table, law.response, law.variables), Method(**({"starts": 8} | method)))


@pytest.mark.parametrize("loss", ["huber", "squares"])
def test_exact_points_give_the_exact_law(loss):
    fit = fitted(chinchilla(60), "loss = E + A/N^alpha + B/D^beta", loss=loss)
    for name, value in TRUTH.items():
        assert fit.values[name] == pytest.approx(value, rel=1e-4), name
    assert fit.best.reached >= 6


def test_one_far_point_does_not_move_huber_and_moves_least_squares():
    table = pd.DataFrame({"x": np.geomspace(1, 100, 30)})
    rng = np.random.default_rng(0)
    table["y"] = 3 * table["x"] ** -0.5 * np.exp(0.01 * rng.standard_normal(30))
    table.loc[29, "y"] *= 3.0
    robust, squares = (fitted(table, "y = a*x^(-p)", loss=loss).values["p"] for loss in ("huber", "squares"))
    assert abs(robust - 0.5) < 0.01
    assert abs(squares - 0.5) > 0.03


def test_huber_turns_linear_at_delta():
    method = Method(delta=2.0)
    np.testing.assert_allclose(losses(np.array([1.0, -2.0, 5.0]), method), [0.5, 2.0, 2 * (5 - 1)])


def test_a_broken_power_is_found_from_starts_about_the_break():
    x = np.geomspace(1, 1e4, 60)
    y = 2 * x**-0.2 * (1 + (x / 70) ** 2) ** ((0.2 - 1.1) / 2)
    table = pd.DataFrame({"x": x, "y": y})
    fit = fitted(table, "y = c*x^(-a)*(1 + (x/x0)^2)^((a - b)/2)", starts=16)
    assert fit.values["a"] == pytest.approx(0.2, abs=1e-3)
    assert fit.values["b"] == pytest.approx(1.1, abs=1e-3)
    assert fit.values["x0"] == pytest.approx(70, rel=1e-2)


def test_signs_are_free_where_the_user_says_so():
    x = np.linspace(1, 10, 20)
    table = pd.DataFrame({"x": x, "y": 5 - 0.3 * x})
    fit = fitted(table, "y = c + b*x", scale="linear", loss="squares", signed=("b", "c"))
    assert fit.values["b"] == pytest.approx(-0.3, rel=1e-8)
    assert fitted(table, "y = c + b*x", scale="linear", loss="squares").values["b"] >= 0


def test_noise_is_the_standard_deviation_corrected_for_parameters():
    residuals = np.random.default_rng(0).standard_normal(20_000)
    assert robust_deviation(residuals, 0) == pytest.approx(1.0, abs=0.03)
    assert robust_deviation(residuals[:20], 10) == pytest.approx(robust_deviation(residuals[:20], 0) * np.sqrt(2))


@pytest.mark.parametrize(
    ("count", "method", "problem"),
    [
        (6, {}, "6 points for 5 parameters"),
        (20, {"signed": ("gamma",)}, "no such parameter"),
        (20, {"start": {"gamma": (0, 1)}}, "no such parameter"),
    ],
    ids=["points", "signed", "start"],
)
def test_what_can_not_be_fitted_is_refused(count, method, problem):
    table = chinchilla(count)
    with pytest.raises(InputError, match=problem):
        fitted(table, "loss = E + A/N^alpha + B/D^beta", **method)


def test_a_law_that_is_defined_nowhere_is_refused():
    table = pd.DataFrame({"x": np.linspace(10, 20, 10), "y": np.linspace(1, 2, 10)})
    with pytest.raises(InputError, match="none leads to a law"):
        fitted(table, "y = c*log(a - x)", start={"a": (1.0, 2.0)})


def test_the_same_seed_gives_the_same_fit():
    table = chinchilla(30, noise=0.01)
    one, other = (fitted(table, "loss = E + A/N^alpha + B/D^beta", seed=3) for _ in range(2))
    assert dataclasses.asdict(one.method) == dataclasses.asdict(other.method)
    np.testing.assert_array_equal(one.best.values, other.best.values)
