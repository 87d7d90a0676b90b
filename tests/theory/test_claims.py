"""Claims are those whose files lie in theory/laws, in the order that these files give them."""

from pathlib import Path

import theory.laws
from theory import Model
from theory.claim import registered
from theory.claims import claims


def test_every_file_is_a_claim_of_its_name():
    files = {path.stem for path in Path(theory.laws.__file__).parent.glob("*.py")} - {"__init__"}
    assert files <= {claim.name for claim in claims()}


def test_they_come_in_their_order_and_no_two_share_a_place():
    orders = [claim.order for claim in claims() if claim.name in registered() and claim.order < float("inf")]
    assert orders == sorted(set(orders))


def test_laws_have_the_title_and_the_margin_of_their_claim_unless_they_bring_their_own():
    for claim in claims():
        for law in claim.laws(Model(2)):
            assert law.claim == claim.name
            assert law.title
            assert law.margin is not None or claim.margin is None
