"""Weights of an earlier run of ours: pretraining on the task itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from train import run_folder
from train.inits.base import inits, refuse_shapes
from train.models.base import Model, Recognizer
from train.run_folder import Run, TrainedOn


@inits.add("run")
@dataclass(frozen=True, kw_only=True)
class FromRun:
    """Begin with what an earlier run learned; its averaged weights, if it kept an average.

    The model must be of the same kind and sizes; dropout and the like may differ. Where the charsets differ,
    the weights that belong to characters are left as they were drawn.

    Source: Rang et al. 2024, An Empirical Study of Scaling Law for OCR, on task-related pretraining.

    Attributes:
        path: Folder of the run.
    """

    path: Path

    def apply(self, network: Recognizer, model: Any) -> str:
        run = Run.open(self.path)
        before, after = run.record["recipe"]["model"]["kind"], model.kind
        if before != after:
            raise UserError(
                f"run {self.path} is a {before}, and the recipe's model a {after}. "
                f"Set the model to {before} and its sizes, or give another run."
            )
        state, wanted = run.recognizer.state_dict(), network.state_dict()
        fresh = [] if run.recognizer.charset == network.charset else _of_characters(model, network.charset)
        for name in fresh:
            state.pop(name, None)
            wanted.pop(name)
        remedy = "Give the recipe's model the sizes of that run."
        refuse_shapes(state, wanted, f"run {self.path}", remedy)
        network.load_state_dict(state, strict=False)
        left = f"; fresh, as the charset is another: {', '.join(fresh)}" if fresh else ""
        return f"run {self.path}: {len(state)} of {len(state) + len(fresh)} tensors{left}"

    def content(self) -> dict[str, Any]:
        run_folder.read_record(self.path)
        try:
            return {"model_sha256": sha256_file(self.path / "model.pt")}
        except FileNotFoundError:
            raise UserError(
                f"{self.path / 'model.pt'} is missing. Restore it, or train {self.path} anew."
            ) from None

    def trained_on(self) -> TrainedOn:
        return run_folder.read_trained_on(self.path)


def _of_characters(model: Model, charset: str) -> list[str]:
    """Names of the weights whose shape depends on how many characters there are."""
    unused = next(c for c in map(chr, range(ord("a"), 0x10FFFF)) if c not in charset)
    with torch.device("meta"):
        one, more = model.build(charset).state_dict(), model.build(charset + unused).state_dict()
    return [name for name in one if one[name].shape != more[name].shape]
