"""Weights drawn at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from train.inits.base import inits
from train.models.base import Model, Recognizer
from train.run_folder import TrainedOn


@inits.add("scratch")
@dataclass(frozen=True, kw_only=True)
class Scratch:
    """Leave the weights as they were drawn."""

    def apply(self, network: Recognizer, model: Model) -> str:
        return "drawn at random"

    def content(self) -> dict[str, Any]:
        return {}

    def trained_on(self) -> TrainedOn:
        return TrainedOn.nothing()
