"""The report in a real browser: offline, without errors, readable on a telephone, and whole on paper."""

import io
import unicodedata

import pytest
from browser import CHROMIUM, look, print_to_pdf
from hostile import HOSTILE, hostile_report
from synthetic_campaign import experiment, tree

from fit import assess
from fit.measurements.reading import measurements
from fit.report.content import collect, measured
from fit.report.page import write

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine (apt-get install chromium)")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report on two made-up experiments with what theory predicts for them, and its verdicts."""
    folder = tmp_path_factory.mktemp("report")
    data = tree(experiment(), experiment(name="softplus-L1", depth=1, seed=1, failing=0.02))
    verdicts = assess(data)
    write(collect("Two experiments", verdicts, measurements(data), folder), folder)
    return folder / "report.html", verdicts


@pytest.fixture(scope="module")
def on_a_laptop(report, tmp_path_factory):
    return look(report[0], tmp_path_factory.mktemp("laptop"))


def test_it_loads_without_an_error_and_asks_no_network(on_a_laptop):
    assert on_a_laptop["title"] == "Two experiments"
    assert on_a_laptop["console"] == []
    assert on_a_laptop["requests"] == []


def test_the_browser_would_have_told_of_errors_and_requests(tmp_path):
    page = tmp_path / "bad.html"
    page.write_text('<title>bad</title><img src="http://example.invalid/x.png"><script>console.error("wrong")</script>')
    found = look(page, tmp_path)
    assert any("wrong" in line for line in found["console"])
    assert found["requests"] == ["http://example.invalid/x.png"]


def test_every_figure_is_drawn_with_its_axis_and_tells_its_values(on_a_laptop):
    shown = [figure for figure in on_a_laptop["figures"] if figure["shown"]]
    assert len(shown) >= 8
    for figure in shown:
        width, height = figure["size"]
        assert width > 250
        assert height > 120
        assert figure["marks"] > 20
        assert figure["titles"] >= 3
        assert any(axis in figure["text"] for axis in ("width h", "A = √h·α", "A/F", "margin"))


@pytest.mark.parametrize("width", [1000, 1200])
def test_the_phase_diagram_stands_beside_the_result_and_above_the_table(report, tmp_path, width):
    """The table has the width of the page, so that most rows are one line."""
    found = look(report[0], tmp_path, width=width)
    assert found["phase"][0] >= found["result"][2]
    assert found["phase"][1] < found["result"][3]
    assert found["phase"][3] <= found["table"][1]
    assert found["table"][2] <= width


def test_the_verdicts_and_the_phase_diagram_stand_on_the_first_screen(on_a_laptop):
    assert on_a_laptop["words"]
    assert on_a_laptop["words"][0][3] < 900
    left, top, right, bottom = on_a_laptop["phase"]
    assert 0 <= left < right <= 1280
    assert 0 <= top < bottom <= 900


def test_every_link_leads_to_its_place(on_a_laptop):
    assert len(on_a_laptop["links"]) > 20
    assert [link for link, exists, followed in on_a_laptop["links"] if not (exists and followed)] == []


def test_derivations_are_set_as_formulas(on_a_laptop):
    assert on_a_laptop["formulas"] > 10
    assert on_a_laptop["formulas_drawn"] == on_a_laptop["formulas"]


def test_on_a_telephone_every_verdict_is_seen_without_sideways_scrolling(report, tmp_path):
    found = look(report[0], tmp_path, width=360, height=740)
    assert found["scroll_width"] <= 360
    assert found["open_scroll_width"] <= 360
    assert all(0 <= left < right <= 360 for left, _, right, _ in found["words"])


def test_on_paper_every_section_is_open(report, tmp_path):
    pypdf = pytest.importorskip("pypdf")
    pages = pypdf.PdfReader(io.BytesIO(print_to_pdf(report[0], tmp_path))).pages
    # set with ligatures
    text = unicodedata.normalize("NFKC", " ".join(" ".join(page.extract_text() for page in pages).split()))
    first_of_appendix = next(i for i, page in enumerate(pages) if "Appendix" in page.extract_text())
    assert 2 < first_of_appendix <= 12
    assert "It would be refuted by" in text  # inside a fold, as are these
    assert "Margins, fixed before any data" in text
    assert "half the distance" in text
    for verdict in measured(report[1]):
        assert unicodedata.normalize("NFKC", verdict.title) in text


def test_names_that_are_markup_are_shown_as_they_are_and_run_nothing(tmp_path):
    (tmp_path / "report").mkdir()
    hostile_report(tmp_path / "report", HOSTILE[2:])
    found = look(tmp_path / "report" / "report.html", tmp_path)
    assert found["title"] == "<b>$title$[/red]"
    assert found["console"] == []
    assert found["requests"] == []
    labels = " ".join(figure["text"] for figure in found["figures"])
    assert "a$b$c_ $\\frac{1}$ <script>alert(1)</script>" in labels
