"""What a training writes while it goes on: a line of JSON for each step, and what TensorBoard shows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from curation.core.errors import UserError
from train.recipe import TrainRecipe


def refuse_missing_tensorboard(recipe: TrainRecipe) -> None:
    """Raise a UserError if the recipe asks for TensorBoard and it is not installed."""
    if recipe.tensorboard:
        try:
            import torch.utils.tensorboard  # noqa: F401
        except ImportError:
            raise UserError(
                "the recipe says tensorboard = true, and the package tensorboard is not installed. "
                "Install it with: pip install 'glyphmix[tensorboard]', or set tensorboard to false."
            ) from None


class RunLog:
    """Appends to the log of the run ``out``, whose next step is ``step``.

    TensorBoard drops what an interrupted run wrote of that step and later ones.
    """

    def __init__(self, out: Path, recipe: TrainRecipe, step: int) -> None:
        self._lines = (out / "log.jsonl").open("a", encoding="utf-8", buffering=1)
        self._board: Any = None
        if recipe.tensorboard:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(out / "tensorboard"), purge_step=step)

    def write(self, entry: dict[str, Any]) -> None:
        """Add a step's loss and learning rate, and its validation if there was one."""
        self._lines.write(json.dumps(entry) + "\n")
        if self._board is not None:
            shown = {key: entry[key] for key in ("loss", "lr")}
            if validation := entry.get("validation"):
                shown["validation/accuracy"] = validation["accuracy"]
            for name, value in shown.items():
                self._board.add_scalar(name, value, entry["step"])

    def flush(self) -> None:
        """Have all that was written on the disk, before a checkpoint says that it is there."""
        self._lines.flush()
        os.fsync(self._lines.fileno())
        if self._board is not None:
            self._board.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._board is not None:
            self._board.close()
        self._lines.close()
