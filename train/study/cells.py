"""Cells of a study: which words each run learns from, and what else is changed in its training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from curation.core.fingerprint import sha256_json
from curation.core.recipe import build, resolved
from train.recipe import TrainRecipe

LONGEST = 120  # bytes of a cell's name; with a seed, a stage and a file's ending it still fits a folder
HASH_LENGTH = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """One training: most cells have one, those that pretrain have more.

    Attributes:
        words: Different words of each part, by its name, in the order of the recipe; parts without any are
            left out.
        changes: What the training does otherwise than the study's recipe says: dotted key, such as
            ``model.channels``, to value.
    """

    words: dict[str, int]
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def n_words(self) -> int:
        """Different words of all parts."""
        return sum(self.words.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """What the runs of one place of the grid have in common; they differ in their seed alone.

    Attributes:
        name: Made of its words and changes, so that equal cells of two designs have the same.
        stages: One after another, each beginning with the weights of the one before; the last is tested.
    """

    name: str
    stages: tuple[Stage, ...]

    @classmethod
    def of(cls, *stages: Stage) -> Cell:
        """The cell with these stages, under the name that says them."""
        name = "--then--".join(_stage_name(stage) for stage in stages)
        if len(name.encode()) > LONGEST:
            short = sha256_json(resolved(stages))[:HASH_LENGTH]
            begin = name.encode()[: LONGEST - HASH_LENGTH - 1].decode(errors="ignore")
            name = f"{begin}-{short}"
        return cls(name=name, stages=stages)

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Cell:
        """The cell of an entry in ``study.json``."""
        stages = tuple(Stage(words=stage["words"], changes=stage["changes"]) for stage in entry["stages"])
        return cls(name=entry["name"], stages=stages)

    @property
    def words(self) -> dict[str, int]:
        """Different words of each part over all stages: a part's fewer words are among its more."""
        parts = dict.fromkeys(part for stage in self.stages for part in stage.words)
        return {part: max(stage.words.get(part, 0) for stage in self.stages) for part in parts}

    @property
    def n_words(self) -> int:
        """Different words of all parts over all stages."""
        return sum(self.words.values())

    def samples_seen(self, train: TrainRecipe) -> int:
        """Words each run sees in training over all stages, repeats counted."""
        return sum(samples_seen(stage, train) for stage in self.stages)


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One cell with one seed."""

    name: str
    cell: Cell
    seed: int


def samples_seen(stage: Stage, train: TrainRecipe) -> int:
    """Words that one stage sees, repeats counted."""
    return int(stage.changes.get("steps", train.steps) * stage.changes.get("batch", train.batch))


def changed(train: TrainRecipe, changes: Mapping[str, Any]) -> TrainRecipe:
    """The training recipe with some of its values changed.

    Raises:
        UserError: a key or value does not fit.
    """
    table = resolved(train)
    for key, value in changes.items():
        *outer, last = key.split(".")
        inner = table
        for name in outer:
            inner = inner[name]
        inner[last] = resolved(value)
    return build(TrainRecipe, table, where="the study's train, as a design changes it")


def unlike(train: TrainRecipe, **values: Any) -> dict[str, Any]:
    """Of ``values`` those that are not the recipe's own, as changes of a stage; tables key by key."""
    own, found = resolved(train), {}
    for key, value in values.items():
        before, after = own[key], resolved(value)
        if before == after:
            continue
        if isinstance(after, Mapping) and after.get("kind") == before.get("kind"):
            found |= {f"{key}.{inner}": v for inner, v in after.items() if before[inner] != v}
        else:
            found[key] = after
    return dict(sorted(found.items()))


def distinct(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """The cells in their order, equal ones once; of two that would share a name, each says its content."""
    once: list[Cell] = []
    for cell in cells:
        if cell not in once:
            once.append(cell)
    names = [cell.name.casefold() for cell in once]  # some file systems take R5 and r5 for one
    return tuple(
        cell
        if names.count(cell.name.casefold()) == 1
        else Cell(name=f"{cell.name}-{sha256_json(resolved(cell.stages))[:HASH_LENGTH]}", stages=cell.stages)
        for cell in once
    )


def _stage_name(stage: Stage) -> str:
    words = [f"{part}{n}" for part, n in stage.words.items() if n]
    return "-".join([*words, *(_change_name(key, value) for key, value in stage.changes.items())])


def _change_name(key: str, value: Any) -> str:
    word = key.split(".")[-1]
    if isinstance(value, Mapping):
        return f"{word}-{value.get('kind', '')}-{sha256_json(value)[:HASH_LENGTH]}"
    if isinstance(value, list | tuple):
        return word + "x".join(_plain(item) for item in value)
    return word + _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:g}"
    text = str(value)
    if all(character.isalnum() or character in "_.-" for character in text):
        return text
    return sha256_json(text)[:HASH_LENGTH]
