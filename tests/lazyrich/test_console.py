"""A user's text is printed as it is."""

import io
import json
import sys

import pytest

from lazyrich.console import console, print_json


@pytest.mark.parametrize("text", ["[/red]", "[bold]x", ":smile:", "a[0]", "[link=x]y[/link]", "%s {x} \\[z]"])
def test_markup_and_emoji_are_text(text, capsys):
    console().print(text)
    assert capsys.readouterr().out == f"{text}\n"


@pytest.mark.parametrize(("columns", "width"), [("130", 130), ("", 80), ("many", 80), ("0", 20), ("9" * 9, 80)])
def test_without_a_terminal_the_environment_says_how_wide_it_is(columns, width, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    assert console().width == width


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_says_the_same_in_every_encoding(encoding, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    value = {"α·h": [1.5, None, "ß"]}
    print_json(value)
    stream.flush()
    assert json.loads(stream.buffer.getvalue().decode(encoding)) == value
