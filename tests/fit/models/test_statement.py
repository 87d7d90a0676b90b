"""A law to be fitted, as a file or Python states it, and the sentence about what is no law."""

import pytest

from fit.models.statement import model, read_models, states_models
from lazyrich.documents import read_toml
from lazyrich.errors import InputError


def test_a_file_states_models(tmp_path):
    path = tmp_path / "models.toml"
    path.write_text(
        '[[model]]\nlaw = "y = a*x^p"\nwhere = "x > 1"\nsigned = ["p"]\n'
        "start = {p = [0, 1]}\nexpects = {p = [0.5, 0.1]}\n"
        '[[model]]\nlaw = "y = a*x^p"\n'
    )
    assert states_models(read_toml("predictions", path))
    first, second = read_models(path)
    assert first.where == ("x > 1",)
    assert first.method.start == {"p": (0.0, 1.0)}
    assert first.expects == {"p": (0.5, 0.1)}
    assert second.title == "y = a*x^p (2)"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "states no model"),
        ("model = 3", "states no model"),
        ("[[model]]\nname = 'a'", "model[0].law"),
        ("[[model]]\nlaw = 'y = a'\nweight = 1", "no such field. Use law, name, columns, "),
        ("[[model]]\nlaw = 'y = a'\nloss = 'cubes'", "model[0].loss"),
        ("[[model]]\nlaw = 'y = a'\ndelta = -1.0", "model[0].delta"),
        ("[[model]]\nlaw = 'y = a'\ndelta = inf", "model[0].delta"),
        ("[[model]]\nlaw = 'y = a'\ndelta = 1e300", "model[0].delta"),
        ("[[model]]\nlaw = 'y = a'\ndelta = 1e-200", "model[0].delta"),
        ("[[model]]\nlaw = 'y = a'\nstarts = 10000000", "model[0].starts"),
        ("[[model]]\nlaw = 'y = a'\nexpects = {a = [1, 0]}", "positive margin"),
        ("[[model]]\nlaw = 'y = a'\nstart = {a = [2, 1]}", "low < high"),
        ("[[model]]\nlaw = 'y = a'\nstart = {a = [-1e308, 1e308]}", "the difference overflows"),
        ("[[model]]\nlaw = 'y = a'\nname = 'x'\nname = 'y'", "is not valid TOML"),
        pytest.param("model = " + "9" * 5000, "is not valid TOML", id="5,000 digits"),
        ("[[model]]\nlaw = 'y = a'\n[[prediction]]\nlaw = 'y ~ x'", "go into two files"),
    ],
)
def test_what_is_no_model_is_named(tmp_path, text, problem):
    path = tmp_path / "models.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_models(path)
    assert problem in str(caught.value)


def test_in_python_the_keys_are_the_same():
    with pytest.raises(InputError, match=r"model\.weights"):
        model("y = a*x^p", weights="equal")
    with pytest.raises(InputError, match="No such file"):
        read_models("nowhere.toml")
