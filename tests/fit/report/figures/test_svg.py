"""A figure as a file and as a part of a page: changed as XML, by elements and ids."""

from xml.etree import ElementTree

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure

from fit.report.figures.drawing import Drawing
from fit.report.figures.style import INK, RC
from fit.report.figures.svg import colour_variables, save

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"


@pytest.fixture
def drawing():
    with mpl.rc_context(RC):
        figure = Figure()
        axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
        axes.plot([1, 2, 3], [1, 4, 9], "o-", color=INK)
        axes.text(1, 1, 'id="x" url(#y) <&> #1b1f24')  # what a user wrote is text, not markup and no reference
        return Drawing(figure, axes, ((2.0, 4.0, "two <four>"),), pd.DataFrame({"x": [1, 2], "y": [0.1, 1e-9]}))


def test_all_ids_of_a_part_have_its_name_and_all_references_lead_to_them(drawing, tmp_path):
    root = ElementTree.fromstring(save(drawing, tmp_path, "one", "A title").svg)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert all(name.startswith("one-") for name in ids)
    references = [element.get(HREF) for element in root.iter() if element.get(HREF)]
    clips = [element.get("clip-path") for element in root.iter() if element.get("clip-path")]
    assert references
    assert clips
    assert {reference.removeprefix("#") for reference in references} <= set(ids)
    assert {clip.removeprefix("url(#").removesuffix(")") for clip in clips} <= set(ids)


def test_points_tell_their_values_and_the_part_its_title(drawing, tmp_path):
    root = ElementTree.fromstring(save(drawing, tmp_path, "one", "A <title>").svg)
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == "A <title>"
    (circle,) = root.findall(f".//{SVG}circle")
    assert circle.find(f"{SVG}title").text == "two <four>"
    # the axes are 6.4 x 4.8 inches: the centre of the middle point is the middle of the frame in x
    assert float(circle.get("cx")) == pytest.approx(72 * 3.2, abs=0.5)


def test_colours_are_variables_on_the_page_and_plain_in_the_file(drawing, tmp_path):
    part = save(drawing, tmp_path, "one")
    assert INK in part.colours
    assert f"var(--c{INK[1:]}, {INK})" in part.svg
    assert f"--c{INK[1:]}: " in colour_variables([part])
    plain = (tmp_path / "one.svg").read_text()
    assert "var(" not in plain
    assert ElementTree.fromstring(plain)[0].get("fill") == "#ffffff"
    # text that looks like a colour or a reference stays as it is
    texts = [element.text for element in ElementTree.fromstring(part.svg).iter(f"{SVG}text")]
    assert 'id="x" url(#y) <&> #1b1f24' in texts


def test_values_stand_beside_the_figure_and_other_formats_on_demand(drawing, tmp_path):
    save(drawing, tmp_path, "one")
    assert {p.name for p in tmp_path.iterdir()} == {"one.svg", "one.csv"}
    assert (tmp_path / "one.csv").read_text() == "x,y\n1,0.1\n2,1e-09\n"
    save(drawing, tmp_path, "one", formats=("pdf", "png"))
    assert (tmp_path / "one.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
