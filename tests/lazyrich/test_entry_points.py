"""What setup.cfg names as entry points is there."""

import configparser
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[2] / "setup.cfg"


def points():
    parser = configparser.ConfigParser()
    parser.read(SETUP, encoding="utf-8")
    for group, lines in parser["options.entry_points"].items():
        for line in lines.strip().splitlines():
            name, value = (part.strip() for part in line.split("="))
            yield EntryPoint(name, value, group)


@pytest.mark.parametrize("point", list(points()), ids=lambda point: f"{point.group}-{point.name}")
def test_an_entry_point_leads_to_a_function(point):
    assert callable(point.load())
