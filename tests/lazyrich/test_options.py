"""Options that several commands have: one name each, and the same help wherever they stand."""

import typer
from typer.testing import CliRunner

from lazyrich import options

app = typer.Typer()


@app.command()
def command(
    device: options.Device = "cpu",
    workers: options.Workers = None,
    threads: options.Threads = 1,
    data_root: options.DataRoot = None,
    download: options.Download = False,
    dry_run: options.DryRun = False,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    print(device, workers, threads, data_root, download, dry_run, quiet, as_json)


def test_they_are_read_as_their_types():
    arguments = ["--device", "cuda:1", "--workers", "2", "--threads", "3", "--data-root", "d"]
    flags = ["--download", "--dry-run", "--quiet", "--json"]
    assert CliRunner().invoke(app, [*arguments, *flags]).stdout.split() == ["cuda:1", "2", "3", "d", *["True"] * 4]
    assert CliRunner().invoke(app, []).stdout.split() == ["cpu", "None", "1", "None", *["False"] * 4]


def test_flags_have_no_opposite():
    for flag in ("--no-download", "--no-dry-run", "--no-quiet", "--no-json"):
        assert CliRunner().invoke(app, [flag]).exit_code == 2
