"""timm, imported when a model that is built on it is built, and not before."""

from __future__ import annotations

import functools
import importlib
import sys
from types import ModuleType

import torch

_libraries: list[torch.library.Library] = []  # kept, because operators go when their library does


@functools.cache
def load_timm() -> ModuleType:
    """Import timm, with its models of the vision transformer family.

    timm imports torchvision, which imports only beside the torch that it was built for: a CPU build of torch
    lacks two operators that torchvision wants to describe. No recognizer uses them, so they are declared.
    """
    _import_torchvision()
    import timm.models.vision_transformer

    return timm


def _import_torchvision() -> None:
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    else:
        return
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # what the failed import has left half made
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _libraries.append(library)
    importlib.import_module("torchvision")
