"""Which modules of models of different depth belong together: those as far along the layers.

The block with a given number moves less, the deeper the model; what theory speaks of is a block at a given share of the
depth. In a container that grows with the depth (a list of blocks, say), modules are therefore matched by their place
among those of their class: the one in the middle, and the last.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

#: places among n modules of a class
_PLACES = {"1/2": lambda n: math.ceil(n / 2) - 1, "last": lambda n: n - 1}


def matched_modules(models: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return, for each model, the names of its modules by labels that all models share.

    Parameters
    ----------
    models : sequence of mappings
        Class names of all modules of each model by their names, in the order of execution; ``"softmax 3"``, the third
        input of a softmax, counts as a module.

    Examples
    --------
    >>> shallow = {"blocks.0": "Block", "last": "Linear"}
    >>> deep = {"blocks.0": "Block", "blocks.1": "Block", "blocks.2": "Block", "last": "Linear"}
    >>> matched_modules([shallow, deep])[1]
    {'blocks[1/2]': 'blocks.1', 'blocks[last]': 'blocks.2', 'last': 'last'}
    """
    numbered = [_numbered(model) for model in models]
    growing = {key for key in set().union(*numbered) if len({len(numbers.get(key, ())) for numbers in numbered}) > 1}
    by_label = [_labelled(model, numbers, growing) for model, numbers in zip(models, numbered, strict=True)]
    shared = [label for label in by_label[0] if all(label in names for names in by_label)]
    return [{label: names[label] for label in shared} for names in by_label]


#: numbers of the modules of a class in a container, by (container, class)
Numbered = dict[tuple[str, str], list[int]]


def _numbered(model: Mapping[str, str]) -> Numbered:
    numbers: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for name in model:
        parts = _parts(name)
        for i, part in enumerate(parts):
            if part.isdigit():
                container = ".".join(parts[:i])
                numbers[container, _class(model, parts[: i + 1])].add(int(part))
    return {key: sorted(places) for key, places in sorted(numbers.items())}


def _labelled(model: Mapping[str, str], numbered: Numbered, growing: set[tuple[str, str]]) -> dict[str, str]:
    labels: dict[str, str] = {}
    containers = {container for container, _ in growing}
    for name in model:
        parts = _parts(name)
        i = next((i for i, part in enumerate(parts) if part.isdigit() and ".".join(parts[:i]) in containers), None)
        if i is None:
            labels[name] = name
            continue
        container, kind = ".".join(parts[:i]), _class(model, parts[: i + 1])
        places = numbered[container, kind]
        several = sum(key[0] == container for key in numbered) > 1
        start = ".".join(filter(None, (container, kind if several or not container else "")))
        if (container, kind) in growing:
            labels_of_place = [label for label, place in _PLACES.items() if places[place(len(places))] == int(parts[i])]
        else:
            labels_of_place = [str(places.index(int(parts[i])))]
        for label in labels_of_place:
            labels[".".join([f"{start}[{label}]", *parts[i + 1 :]])] = name
    return labels


def _parts(name: str) -> list[str]:
    return name.replace("softmax ", "softmax.").split(".")


def _class(model: Mapping[str, str], parts: Sequence[str]) -> str:
    return model.get(".".join(parts), "")
