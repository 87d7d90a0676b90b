"""Import torchvision's data sets even where its binary part does not fit the installed torch.

A CPU build of torch with the wheel of the package index, say, fails at import with "operator torchvision::nms does not
exist" (pytorch/vision#9085). The data sets are pure Python: with the two missing operators declared (never called), the
import goes through.
"""

from __future__ import annotations

import sys
from types import ModuleType

import torch

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_libraries: list[torch.library.Library] = []  # a declaration lasts as long as its library object


def torchvision_datasets() -> ModuleType:
    """Return the module ``torchvision.datasets``."""
    try:
        import torchvision.datasets as datasets
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
        for name in [n for n in sys.modules if n == "torchvision" or n.startswith("torchvision.")]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "FRAGMENT")
        for operator in ("nms", "qnms"):
            library.define(operator + _SCHEMA)
        _libraries.append(library)
        import torchvision.datasets as datasets
    return datasets
