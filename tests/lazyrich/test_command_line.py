"""The console script ``lazyrich``: four commands under one name, each behind the boundary."""

import pytest
import typer.main
from typer.testing import CliRunner

import lazyrich
from lazyrich.command_line import app

COMMANDS = ("theory", "simulate", "report", "audit")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_of_the_four_commands_has_the_options_of_all(name):
    result = CliRunner().invoke(app(), [name, "--version"])
    assert result.exit_code == 0
    assert result.stdout == f"lazyrich {lazyrich.__version__}\n"
    assert set(typer.main.get_command(app()).commands) == set(COMMANDS)


def test_without_a_command_it_says_what_there_is():
    told = CliRunner().invoke(app(), [])
    assert all(name in told.output for name in COMMANDS)


def test_a_command_does_what_its_module_does():
    result = CliRunner().invoke(app(), ["theory", "relu", "--depth", "1", "--json"])
    assert result.exit_code == 0
    assert '"activation": "relu"' in result.stdout
    assert CliRunner().invoke(app(), ["theory", "nosuch"]).exit_code == 2
