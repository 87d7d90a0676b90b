"""An empty store: what it consists of, and which of it the root's manifest lists."""

import json

import pytest

from simulate.data import load_data
from simulate.store.checked_json import digest_of
from simulate.store.layout import description, lay_out
from simulate.store.provenance import origin
from simulate.store.root import ROOT


@pytest.fixture(scope="module")
def objects(tiny):
    data = {e.name: load_data(e) for e in tiny.experiment}
    return lay_out(tiny, data, origin(tiny, data, "cpu"))


def test_the_manifest_lists_descriptions_and_coordinates_and_no_results(objects):
    manifest = json.loads(objects[ROOT])["attributes"]["manifest"]
    assert list(objects)[-1] == ROOT
    assert {"one/zarr.json", "one/status/zarr.json", "two/width/c/0"} <= set(manifest)
    assert not any(key.startswith("one/status/c/") for key in manifest)
    assert all(digest_of(objects[key]) == digest for key, digest in manifest.items())


def test_all_networks_are_pending_and_nothing_else_has_results(objects):
    manifest = json.loads(objects[ROOT])["attributes"]["manifest"]
    results = {key for key in objects if key not in manifest and key != ROOT}
    assert results
    assert all("/status/c/" in key for key in results)


def test_a_description_is_written_anew_from_the_root(objects):
    members = json.loads(objects[ROOT])["consolidated_metadata"]["metadata"]
    assert json.loads(description(members["one/status"])) == json.loads(objects["one/status/zarr.json"])
    assert "consolidated_metadata" not in json.loads(description(members["one"]))
