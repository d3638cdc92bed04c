"""The loss of a network as a module of its own, compiled if a recipe says so."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from curation.core.errors import UserError
from train.models import Recognizer

BACKEND = "inductor"


class Loss(nn.Module):
    """Makes the loss of ``network`` what is called, as compilers and processes that share work want it."""

    def __init__(self, network: Recognizer) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, targets: Tensor, progress: float) -> Tensor:
        """Loss of each word, (B,) float32."""
        return self.network.loss(images, targets, progress)


def compiled(loss: Loss) -> nn.Module:
    """Have torch compile ``loss`` when it is first called, and again where it takes another way."""
    module: nn.Module = torch.compile(loss, backend=BACKEND)  # type: ignore[assignment]
    return module


def refuse_missing_compiler(device: torch.device) -> None:
    """Raise a UserError if this machine lacks what torch compiles with."""
    if device.type == "cuda":
        if importlib.util.find_spec("triton") is None:
            raise UserError(
                "the recipe says compile = true, and the package triton, with which torch compiles for "
                "a GPU, is not installed. Install it, or set compile to false."
            )
        return
    name = os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")
    if shutil.which(name) is None:
        raise UserError(
            f"the recipe says compile = true, and there is no C++ compiler {name}. "
            "Install it or name another one in CXX, or set compile to false."
        )


@contextmanager
def never_silently(compile_: bool) -> Iterator[None]:
    """Let what cannot be compiled, or would be compiled without end, be an error.

    Torch would go on without compiling, slower, and say so in a log at best.

    Raises:
        UserError: torch cannot compile this network.
    """
    if not compile_:
        yield
        return
    import torch._dynamo  # a second of imports that other trainings need not wait for

    try:
        with torch._dynamo.config.patch(fail_on_recompile_limit_hit=True, suppress_errors=False):
            yield
    except torch._dynamo.exc.TorchDynamoException as error:
        why = str(error).strip().partition("\n")[0]
        raise UserError(f"torch cannot compile this network: {why}. Set compile to false.") from error
