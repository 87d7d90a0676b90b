"""Modules of models of different depth are matched by how far along they are."""

from simulate.audit.matched_modules import matched_modules


def chain(layers):
    """Linear and ReLU by turns, and a readout, in one container."""
    modules = {}
    for layer in range(layers):
        modules |= {f"{2 * layer}": "Linear", f"{2 * layer + 1}": "ReLU"}
    return modules | {f"{2 * layers}": "Linear"}


def test_classes_are_matched_apart():
    shallow, deep = matched_modules([chain(2), chain(5)])
    assert shallow == {"Linear[1/2]": "2", "ReLU[1/2]": "1", "ReLU[last]": "3", "Linear[last]": "4"}
    assert deep == {"Linear[1/2]": "4", "ReLU[1/2]": "5", "ReLU[last]": "9", "Linear[last]": "10"}


def blocks(depth):
    modules = {"tokens": "Embedding"}
    for block in range(depth):
        modules |= {f"blocks.{block}": "Block", f"blocks.{block}.wide": "Linear", f"softmax {block + 1}": ""}
    return modules | {"norm": "LayerNorm"}


def test_modules_of_a_block_are_matched_with_their_block_and_softmax_inputs_with_their_number():
    shallow, deep = matched_modules([blocks(2), blocks(6)])
    assert list(shallow) == list(deep)
    assert deep["blocks[1/2].wide"] == "blocks.2.wide"
    assert deep["blocks[last].wide"] == "blocks.5.wide"
    assert deep["softmax[last]"] == "softmax 6"
    assert (deep["tokens"], deep["norm"]) == ("tokens", "norm")


def test_containers_that_do_not_grow_keep_their_numbers():
    names = {"heads.0": "Linear", "heads.1": "Linear", "blocks.0": "Block"}
    deeper = names | {"blocks.1": "Block"}
    assert matched_modules([names, deeper])[1] == {
        "heads.0": "heads.0", "heads.1": "heads.1", "blocks[1/2]": "blocks.0", "blocks[last]": "blocks.1",
    }  # fmt: skip
