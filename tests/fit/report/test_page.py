"""The page: everything on it comes from the verdicts and the data, it needs nothing from outside, and it is stable."""

import dataclasses
import html
import html.parser
import json
import re

import pytest
from hostile import HOSTILE, hostile_report
from synthetic_campaign import experiment, tree

from fit import assess
from fit.measurements.reading import measurements
from fit.report.content import collect, decisive, measured
from fit.report.page import write
from simulate import Experiment
from simulate.measure.schema import VARIABLES


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A report on two made-up experiments, and its verdicts."""
    return render(tmp_path_factory.mktemp("page"))


def render(folder):
    data = tree(experiment(), experiment(name="softplus-L1", depth=1, seed=1, failing=0.02))
    verdicts = assess(data)
    write(collect("A title <with> markup & more", verdicts, measurements(data), folder), folder)
    return folder, verdicts


class _Text(html.parser.HTMLParser):
    """What is shown: no style sheet, no settings in code."""

    def __init__(self):
        super().__init__()
        self.text, self.hidden = "", 0

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in ("style", "code")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("style", "code")

    def handle_data(self, data):
        self.text += "" if self.hidden else data


class _Checker(html.parser.HTMLParser):
    """Tags closed in order, ids used once, links that lead somewhere."""

    void = frozenset(["meta", "link", "img", "br", "hr", "input", "col", "source", "area", "base", "wbr"])

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.external = [], [], [], []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.ids += [attributes["id"]] if "id" in attributes else []
        for name in ("href", "src", "xlink:href"):
            target = attributes.get(name) or ""
            if target.startswith("#"):
                self.links.append(target[1:])
            elif target and not target.startswith("data:"):
                self.external.append((tag, target))
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.void:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> without a start"
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_needs_nothing_from_outside(page):
    folder, _ = page
    text = (folder / "report.html").read_text()
    checker = _Checker()
    checker.feed(text)
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))
    assert set(checker.links) <= set(checker.ids)
    # links to sources may lead outside; nothing that the page shows is loaded from there
    assert all(tag == "a" for tag, _ in checker.external), checker.external
    assert "@import" not in text
    assert "<script" not in text
    assert "A title &lt;with&gt; markup &amp; more" in text


def test_each_measurement_is_on_the_page_with_its_numbers(page):
    folder, verdicts = page
    html_text, markdown = (folder / "report.html").read_text(), (folder / "report.md").read_text()
    assert decisive(verdicts)
    for v in measured(verdicts):
        if v.estimate is not None:
            number = f"{v.estimate:.3f}".replace("-", "−")
            assert number in html_text
            assert number in markdown
        assert html.escape(v.title, quote=False) in html_text
        assert v.title in markdown


def test_what_a_person_reads_has_titles_and_no_identifier(page):
    """Identifiers stay in anchors, names of files, and the settings of experiments."""
    folder, verdicts = page
    shown = _Text()
    shown.feed((folder / "report.html").read_text())
    # the name of a variable that a source lacks is what its owner must know
    for claim in {v.claim for v in verdicts if "_" in v.claim} - {v.quantity for v in verdicts}:
        assert claim not in shown.text, claim
    stated = re.sub(r"does not hold [a-z_, ]+|within max_steps", "", shown.text)  # and a setting, its limit
    for identifier in [*VARIABLES, *Experiment.model_fields]:
        assert "_" not in identifier or not re.search(rf"\b{identifier}\b", stated), identifier
    assert "\\" not in shown.text  # no LaTeX either


def test_the_state_of_the_data_comes_before_the_result(page):
    folder, _ = page
    text = (folder / "report.html").read_text()
    assert text.index("<b>Data.</b>") < text.index("<b>Result.</b>") < text.index('id="verdicts"')


def test_verdicts_are_written_as_json_with_the_documented_fields(page):
    folder, verdicts = page
    rows = json.loads((folder / "verdicts.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert len(rows) == len(verdicts)
    fields = {
        "experiment", "claim", "quantity", "predicted", "estimate", "ci_low", "ci_high", "margin", "verdict", "range",
        "variable", "n_points", "n_seeds", "schema_version", "store", "reason",
    }  # fmt: skip
    for row in rows:
        assert fields <= set(row)
        assert set(row["range"]) == {"variable", "low", "high"}


def test_figures_are_files_of_their_own_too(page):
    folder, _ = page
    svg = {p.stem for p in (folder / "figures").glob("*.svg")}
    assert len(svg) >= 8
    assert {"phase-softplus-L1", "phase-softplus-L3", "softplus-L3-fluctuations-root_h_alpha"} <= svg


def test_the_same_data_give_the_same_bytes(page, tmp_path):
    folder, _ = page
    render(tmp_path)
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        assert file.read_bytes() == (tmp_path / file.relative_to(folder)).read_bytes(), file


def test_unfitted_networks_are_counted_on_the_page(page):
    folder, _ = page
    markdown = (folder / "report.md").read_text()
    assert re.search(r"\d+ [^\n]*(max_steps|steps)", markdown)


def test_names_that_are_markup_or_paths_are_text_and_each_has_its_figures(tmp_path):
    verdicts = hostile_report(tmp_path / "report")
    text = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert {verdict.experiment for verdict in verdicts} >= set(HOSTILE)
    assert "<script" not in text
    assert "<img" not in text
    for name in HOSTILE:
        assert html.escape(name, quote=False) in text
    checker = _Checker()
    checker.feed(text)
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))
    figures = [path.name for path in (tmp_path / "report" / "figures").glob("phase-*.svg")]
    assert len({name.casefold() for name in figures}) == len(HOSTILE)
    curves = [path.name for path in (tmp_path / "report" / "figures").glob("*-kernel_change_feature-*.svg")]
    assert len({name.casefold() for name in curves}) == len(HOSTILE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report"]
    markdown = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert r"\<script>alert(1)\</script>" in markdown
    assert not re.search(r"(?<!\\)<script", markdown)


def test_a_law_not_made_for_these_networks_stands_in_the_appendix_alone(page):
    """The plateau of networks that keep f_0: here it is subtracted, and another law is about the same kernel change."""
    folder, verdicts = page
    plateaus = [v for v in verdicts if v.claim == "kernel_plateau"]
    assert plateaus
    assert all(v.predicted is None and v.predicted_value is None and not v.rivals for v in plateaus)
    assert not [v for v in measured(verdicts) if v.claim == "kernel_plateau"]
    assert not list((folder / "figures").glob("*kernel_plateau*"))
    text = (folder / "report.html").read_text()
    assert plateaus[0].title not in text[: text.index('id="appendix"')]
    assert plateaus[0].title in text[text.index('id="refused"') :]


def test_formulas_and_whole_curves_stand_once_in_a_section(page):
    text = (page[0] / "report.html").read_text()
    for section in text.split('<section class="claim">')[1:]:
        boxes = re.findall(r'<div class="law">.*?</div>', section.split("</section>")[0])
        assert len({box.rpartition(";")[0] for box in boxes}) == len(boxes)


def test_a_range_of_widths_is_not_called_one_of_amplitudes(page, tmp_path):
    verdict = next(v for v in page[1] if v.claim == "kernel_change_feature")
    changed = dataclasses.replace(verdict, range={"variable": "width", "low": 64.0, "high": 512.0})
    write(collect("widths", [changed], [], tmp_path), tmp_path)
    text = (tmp_path / "report.html").read_text()
    assert "h from 64 to 512" in text
    assert "A from" not in text
