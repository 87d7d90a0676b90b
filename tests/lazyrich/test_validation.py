"""What pydantic finds wrong, as one sentence that names the field as it stands in the file."""

from typing import Literal

import pydantic
import pytest

from lazyrich.errors import InputError
from lazyrich.validation import first_problem


class Part(pydantic.BaseModel):
    """With a field of each kind of problem."""

    model_config = pydantic.ConfigDict(extra="forbid")

    size: int
    kind: Literal["a", "b"] = "a"
    checked: int = 0

    @pydantic.field_validator("checked")
    @classmethod
    def _checked(cls, value):
        if value > 9:
            raise InputError("inner", value, "it is too large", "Give less")
        if value < 0:
            raise ValueError("Below zero")
        return value


class Document(pydantic.BaseModel):
    """Parts by number."""

    part: list[Part]


def sentence(content, **options):
    with pytest.raises(pydantic.ValidationError) as caught:
        Document.model_validate(content)
    return str(first_problem(caught.value, document="file", unknown_field="Use size", **options))


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"size": 1, "siez": 2}, "part[1].siez = 2: no such field. Use size."),
        ({}, "part[1].size is not given: it has no default. Add it."),
        ({"size": 1, "kind": "c"}, "part[1].kind = 'c': is not supported. Use 'a' or 'b'."),
        ({"size": 1.5}, "part[1].size = 1.5: should be a valid integer, got a number with a fractional part. Change"),
        ({"size": 1, "checked": -1}, "part[1].checked = -1: below zero. Change it."),
        ({"size": 1, "checked": 10}, "part[1].checked.inner = 10: it is too large. Give less."),
    ],
)
def test_the_first_problem_is_one_sentence(part, expected):
    assert sentence({"part": [{"size": 1}, part]}).startswith(expected)


def test_only_the_first_of_several_is_told():
    assert "part[0].size" in sentence({"part": [{}, {"size": "x"}]})


def test_a_document_that_is_no_table_is_named_as_a_whole():
    assert sentence([1]).startswith("file = [1]: should be a valid dictionary or instance of Document")


def test_a_prefix_says_where_the_document_stands_and_tags_are_no_fields():
    assert sentence({"part": [{}]}, prefix="model[2]").startswith("model[2].part[0].size is not given")
    assert sentence({"part": [{}]}, tags=("part",)).startswith("[0].size is not given")
