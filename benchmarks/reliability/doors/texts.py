"""Doors of texts: campaign files, command lines, predictions, formulas, names and paths, environments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from typer.testing import CliRunner

from benchmarks.reliability import nonsense
from benchmarks.reliability.doors.door import TEXTS, Door, Enter
from fit.models import assess_models, read_models
from fit.user_predictions import read_predictions
from lazyrich.command_line import app
from lazyrich.filenames import check_output_folder, check_path, file_names
from simulate import Campaign, Store
from simulate.store.locations import backend_for
from theory.activation import Activation

# -- campaigns and command lines ---------------------------------------------------------------------------------------


def _campaigns(folder: Path) -> Enter:
    def enter(drawn: tuple[bytes, tuple[str, ...]]) -> None:
        _campaign_command(drawn, folder)
        campaign = Campaign.from_toml(folder / "given.toml")
        assert Campaign.from_dict(campaign.to_dict()) == campaign
        assert campaign.size > 0

    return enter


def _campaign_command(drawn: tuple[bytes, tuple[str, ...]], folder: Path) -> tuple[str, ...]:
    (folder / "given.toml").write_bytes(drawn[0])
    return drawn[1]


def _command_lines(folder: Path) -> Enter:
    made = folder / "made"
    nonsense.make_files(made)

    def enter(drawn: tuple[bytes, tuple[str, ...]]) -> str:
        outcomes, wrong = nonsense.outcomes([drawn], folder, made, nonsense.in_this_process)
        if wrong:
            raise AssertionError(json.dumps(wrong[0]))
        return next(name for name in outcomes if name != "examples")

    return enter


_LAWS = st.one_of(
    st.sampled_from(
        ["kernel_change ~ A^(-3/2)", "a ~ h", "x ~ width^2", "t1 ~ A^(1/0)", "~", "a ~ b ~ c", "t ~ A^1e9"]
    ),
    TEXTS,
)


def _predictions(folder: Path) -> Enter:
    def enter(drawn: tuple[str, list[dict[str, Any]]]) -> None:
        _prediction_command(drawn, folder)
        if drawn[0] == "prediction":
            read_predictions(folder / "p.toml")
            return
        affordable = [
            statement.model_copy(update={"starts": min(statement.starts, 2), "draws": 50})
            for statement in read_models(folder / "p.toml")
        ]
        assert assess_models(folder / "points.csv", affordable).to_json()

    return enter


def _prediction_command(drawn: tuple[str, list[dict[str, Any]]], folder: Path) -> tuple[str, ...]:
    kind, tables = drawn
    lines = []
    for table in tables:
        lines.append(f"[[{kind}]]")
        lines += [f"{json.dumps(key)} = {nonsense.toml(value)}" for key, value in table.items()]
    (folder / "p.toml").write_text("\n".join(lines), encoding="utf-8", errors="replace")
    rows = [f"{n},{d},{1 + n**-0.5 + d**-0.5 * (1 + 0.01 * (n % 3))}" for n in (8, 20, 50) for d in (10, 100, 1000)]
    (folder / "points.csv").write_text("\n".join(["N,D,loss", *rows]) + "\n", encoding="utf-8")
    return "report", "store.zarr" if kind == "prediction" else "points.csv", "--predictions", "p.toml", "--out", "out"


_PREDICTION_KEYS = st.sampled_from(
    ["law", "range", "root_h_alpha", "width", "margin", "claim", "statistic", "correction", "experiment", "why", "x"]
)
_VALUES = st.one_of(nonsense.VALUES, st.sampled_from([10**40, -(10**400), 2**63]))
_PREDICTION_TABLES = st.lists(
    st.builds(lambda law, rest: {"law": law, **rest}, _LAWS, st.dictionaries(_PREDICTION_KEYS, _VALUES, max_size=3)),
    max_size=2,
)
_MODEL_LAWS = st.one_of(
    st.sampled_from(
        ["loss = E + A/N^alpha", "loss = E + A/N^alpha + B/D^beta", "loss = a*N", "loss = loss", "N = D", "loss ~ N",
         "loss = A*exp(-N)", "loss = log(-N)", "loss = 1/0", "loss = N^N^N^N", "x = y", "loss = "]
    ),
    nonsense.FORMULAS.map("loss = {}".format),
    TEXTS,
)  # fmt: skip
_MODEL_VALUES = {
    "columns": [{"C": "6*N*D"}, {"C": "N/0"}, {"N": "D"}], "where": ["loss < 2", "loss < 0", ["N > 9", "D > 9"]],
    "cluster": ["N", "x"], "scale": ["log", "linear"], "loss": ["huber", "squares"], "delta": [1e-3, 1e300, 5e-324],
    "signed": ["E", ["A", "x"]], "start": [{"A": [0.1, 10.0]}, {"x": [1.0, 2.0]}, {"A": [-1e300, 1e300]}],
    "intervals": ["profile", "bootstrap"], "quantities": [{"q": "alpha/2"}, {"q": "1/0"}, {"q": "q"}],
    "expects": [{"alpha": [0.5, 0.1]}, {"q": [1e300, 1e-300]}], "hold_out": ["N", "D", "loss", "x"], "name": ["m"],
    "starts": [1, 10_000], "seed": [1], "draws": [50, 49],
}  # fmt: skip


@st.composite
def _models(draw: st.DrawFn) -> list[dict[str, Any]]:
    tables = []
    for _ in range(draw(st.integers(0, 2))):
        table: dict[str, Any] = {"law": draw(_MODEL_LAWS)}
        for key in draw(st.lists(st.sampled_from([*_MODEL_VALUES, "x"]), max_size=3, unique=True)):
            meant = st.sampled_from(_MODEL_VALUES.get(key, [0]))  # type: ignore[arg-type]
            table[key] = draw(st.one_of(meant, meant, _VALUES))
        tables.append(table)
    return tables


_PREDICTIONS = st.one_of(st.tuples(st.just("prediction"), _PREDICTION_TABLES), st.tuples(st.just("model"), _models()))


def _formulas(folder: Path) -> Enter:
    def enter(formula: str) -> None:
        assert Activation(formula).degree is not None

    return enter


def _formula_command(formula: str, folder: Path) -> tuple[str, ...]:
    return "theory", formula


def _names(folder: Path) -> Enter:
    def enter(text: str) -> None:
        (name,) = file_names([text]).values()
        (folder / name).touch()
        assert (folder / name).parent == folder
        (folder / name).unlink()
        check_path("out", text)
        check_output_folder("out", folder / text)
        backend = backend_for(text)
        if not text.startswith(("/", ".")):
            backend.exists("zarr.json")
            Store.open(backend)

    return enter


def _name_command(text: str, folder: Path) -> tuple[str, ...]:
    return "simulate", "good.toml", "--out", text.replace("\0", "")


_PATHS = st.one_of(
    st.text(max_size=300),
    st.builds("{}://{}".format, st.sampled_from(["s3", "memory", "file", "http", "x", "", "gs", "local"]), TEXTS),
    st.builds("".join, st.lists(st.sampled_from(["/", "..", "~", "a", "\0", "\n", "[/red]", "con", "é", " "]))),
    st.sampled_from(["a" * 300, "a/" * 3000, "\udcff", "."]),
)


# -- environments ------------------------------------------------------------------------------------------------------

_VARIABLES = st.sampled_from(
    ["LAZYRICH_DATA", "COLUMNS", "LINES", "TERM", "HOME", "TMPDIR", "NO_COLOR", "FORCE_COLOR", "MPLBACKEND",
     "MPLCONFIGDIR", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "LC_ALL", "LANG", "TZ", "XDG_CACHE_HOME"]
)  # fmt: skip
_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
_SETTINGS = st.one_of(
    st.sampled_from(["", "0", "-1", "1e400", "/dev/null", "/nowhere", "nonsense", "C", "dumb", "99999999999999999999"]),
    _WORDS,
)
_MEANT = st.sampled_from(
    ["simulate images.toml --out new.zarr --workers 1", "simulate status store.zarr", "simulate good.toml --dry-run",
     "report --dry-run", "theory relu"]
)  # fmt: skip
_ENVIRONMENTS = st.tuples(st.dictionaries(_VARIABLES, _SETTINGS, min_size=1, max_size=4), _MEANT)


def _environments(folder: Path) -> Enter:
    made = folder / "made"
    nonsense.make_files(made)

    def enter(drawn: tuple[dict[str, str], str]) -> str:
        variables, line = drawn
        with nonsense.inside(made):
            result = CliRunner(env=variables).invoke(app(), _environment_words(line, made), prog_name="lazyrich")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        refusal = nonsense.refused(result.exit_code, result.stderr)
        assert refusal is not None, (result.exit_code, result.stderr)
        return refusal

    return enter


def _environment_command(drawn: tuple[dict[str, str], str], folder: Path) -> tuple[str, ...]:
    return tuple(_environment_words(drawn[1], folder))


def _environment_words(line: str, folder: Path) -> list[str]:
    images = (folder / "good.toml").read_text(encoding="utf-8").replace('"sphere"', '"mnist"')
    (folder / "images.toml").write_text(images, encoding="utf-8")
    return line.split()


DOORS = {
    "campaigns": Door(nonsense.campaign_files(), _campaigns, _campaign_command, 5),
    "command lines": Door(nonsense.command_lines(), _command_lines, lambda drawn, folder: drawn[1], 2),
    "predictions": Door(_PREDICTIONS, _predictions, _prediction_command, 3),
    "formulas": Door(nonsense.FORMULAS, _formulas, _formula_command, 2),
    "names and paths": Door(_PATHS, _names, _name_command, 3),
    "environments": Door(_ENVIRONMENTS, _environments, _environment_command, 1),
}
