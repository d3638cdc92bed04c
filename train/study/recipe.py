"""The recipe of a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from curation.core.recipe import component
from train.recipe import TrainRecipe
from train.study.designs import designs
from train.study.parts import Part

RESERVED = "everything", "validation"  # as mixtures of ours and of the checks before them are called


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyRecipe:
    """A question, and the runs that answer it; they differ in what a design moves and in seed alone.

    Attributes:
        question: In a reader's words; the page's title.
        parts: The words to learn from, by kind and origin; at least one part is real.
        designs: What moves, one cause each; cells that two of them have in common are run once.
        seeds: Each cell is run once for every seed, which draws the words and moves the training.
        protocol: How labels and predictions are compared (``curation.core.labels``).
        tests: Datasets to measure on; none may be trained on.
        validation: Words of the first real part kept out of training in every cell, the same for a seed.
        held_out: ``largest``: in each design whose sizes move, the laws predict the largest cell before its
            test words are read. ``none``: nothing is predicted.
        train: How every run is trained, but for what a design changes: equal steps, so equal samples seen.
    """

    question: str
    parts: tuple[Part, ...]
    designs: tuple[Any, ...] = component(designs)
    seeds: tuple[int, ...] = (0,)
    protocol: str = "parseq36"
    tests: tuple[Path, ...]
    validation: int = 300
    held_out: Literal["largest", "none"] = "largest"
    train: TrainRecipe

    def __post_init__(self) -> None:
        if not self.seeds or min(self.seeds) < 0 or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds must be different whole numbers of 0 or more, got {list(self.seeds)}")
        if not self.tests:
            raise ValueError("tests must name at least one dataset")
        if self.validation < 1:
            raise ValueError(f"validation must be 1 or more, got {self.validation}")
        self._check_parts()
        if not self.designs:
            raise ValueError("there are no designs; add a table [[designs]]")
        if (name := _twice(design_names(self.designs))) is not None:
            raise ValueError(f"two designs are named {name!r}; give one of them another name")
        if self.train.mixture is not None:
            raise ValueError("train must name no mixture; a study makes its own")
        if self.train.rendered is not None:
            raise ValueError("train must render no words; a study has its own, in parts of kind synthetic")
        if self.train.protocol not in ("parseq36", self.protocol):
            raise ValueError(
                f"train.protocol is {self.train.protocol} and the study's {self.protocol}; leave train's out"
            )

    def _check_parts(self) -> None:
        names = [part.name for part in self.parts]
        if (name := _twice(names)) is not None:
            raise ValueError(f"two parts are named {name!r}; give one of them another name")
        for name in names:
            if name in RESERVED:
                raise ValueError(f"a part may not be named {name!r}; give it another name")
        if not any(part.kind == "real" for part in self.parts):
            raise ValueError(
                "no part is real, so no real words can be held out to choose by; "
                'add a part of kind = "real", '
                "even if no design trains on it"
            )

    @property
    def training(self) -> TrainRecipe:
        """How every run is trained: labels are normalised for training as they are for the tests."""
        return replace(self.train, protocol=self.protocol)

    @property
    def held_out_part(self) -> Part:
        """The part that validation words come from: the first real one."""
        return next(part for part in self.parts if part.kind == "real")


def design_names(found: Sequence[Any]) -> list[str]:
    """What tables call the designs: their own name, or their kind."""
    return [design.name or design.kind for design in found]


def _twice(names: Sequence[str]) -> str | None:
    return next((name for name in names if names.count(name) > 1), None)
