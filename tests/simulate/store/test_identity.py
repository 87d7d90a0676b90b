"""A store is of one campaign and of the data that it was made from."""

import dataclasses

import pytest

from lazyrich.errors import InputError
from simulate.data import load_data
from simulate.store import DamagedStoreError, Store
from simulate.store.identity import check_description, check_same_campaign, check_same_data, stored_campaign
from simulate.store.root import Root


@pytest.fixture(scope="module")
def store(finished):
    return Store.open(finished)


def test_the_campaign_is_read_from_the_root(store, tiny):
    assert stored_campaign(store.backend, store.root) == tiny
    unreadable = Root({**store.root.document, "attributes": {"campaign": {}}}, sound=True)
    with pytest.raises(DamagedStoreError, match="its campaign can't be read"):
        stored_campaign(store.backend, unreadable)


def test_another_campaign_is_refused_by_the_field_that_differs(store, tiny):
    check_same_campaign(store.backend, tiny, tiny)
    with pytest.raises(InputError, match="was made with 3") as caught:
        check_same_campaign(store.backend, tiny, tiny.changed(seeds=4))
    assert caught.value.field == "experiment[0].seeds"


def test_other_data_are_refused(store, tiny):
    data = {e.name: load_data(e) for e in tiny.experiment}
    check_same_data(store.backend, store.root, data)
    changed = {"one": dataclasses.replace(data["one"], sha256="0" * 64)}
    with pytest.raises(InputError, match=r"experiment one .* was made from other data"):
        check_same_data(store.backend, store.root, changed)


def test_arrays_of_another_shape_than_the_campaigns_are_damage(store, tiny):
    check_description(store.backend, store.root, tiny, store.codecs)
    with pytest.raises(DamagedStoreError, match="does not describe its campaign"):
        check_description(store.backend, store.root, tiny.changed(seeds=4), store.codecs)
