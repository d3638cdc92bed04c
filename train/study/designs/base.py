"""What every design promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from curation.core.errors import UserError, unknown_name
from curation.core.registry import Registry
from train.recipe import TrainRecipe
from train.study.cells import Cell, Stage
from train.study.parts import Kind, Part, named, split

designs: Registry[Any] = Registry("design")
Scale = Literal["ratio", "log", "category"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a cell stands on the axis of a design.

    Attributes:
        cell: What stands there.
        x: The number that the design moves; None where it has none, as without real words.
        label: What an axis or a table calls it.
    """

    cell: Cell
    x: float | None
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Laid:
    """A design laid out on the words that there are.

    Attributes:
        sentence: What moves, what is held fixed and what is not.
        factor: What moves, as the title of an axis.
        scale: How that axis goes: ``ratio`` by log2(1 + x), ``log`` by log(x), ``category`` evenly.
        places: The cells, in the order of the axis.
        mark: A place on the axis that plots point out, such as a published one, and what it is called.
        base: The cell that others are compared with, if there is one.
        largest: The cell that laws are to predict before it is read, if sizes move.
        remarks: What confounds it on these words, one sentence each.
    """

    sentence: str
    factor: str
    scale: Scale
    places: tuple[Place, ...]
    mark: tuple[float, str] | None = None
    base: Cell | None = None
    largest: Cell | None = None
    remarks: tuple[str, ...] = ()


class Design(Protocol):
    """One cause, and the cells that show its effect, as a recipe states it."""

    kind: ClassVar[str]
    name: str | None

    def lay_out(self, offer: Offer) -> Laid:
        """Lay the cells out.

        Raises:
            UserError: there are too few words, or parts that do not fit the design.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """All words of one kind that a design uses, of one part or of several together.

    Attributes:
        design: Who asks, for messages.
        name: What sentences call them.
        sizes: Words of each part.
    """

    design: str
    name: str
    sizes: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.sizes.values())

    def take(self, n: int, label: str) -> dict[str, int]:
        """Take ``n`` words for the place ``label``, of each part in proportion.

        Raises:
            UserError: there are fewer.
        """
        if n > self.total:
            raise UserError(
                f"design {self.design} needs {n:,} {self.name} words at {label}, and there are "
                f"{self.total:,}. Make more of them, or let the design ask for fewer."
            )
        return split(n, self.sizes) if n else {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """What a design is laid out on.

    Attributes:
        design: Its name, for messages.
        parts: The parts of the study, in the order of its recipe.
        n: Words of each part that can be trained on, by its name.
        train: How a run is trained where the design changes nothing.
    """

    design: str
    parts: tuple[Part, ...]
    n: Mapping[str, int]
    train: TrainRecipe

    def side(self, kind: Kind, chosen: str | None = None) -> Side:
        """The words of the part ``chosen``, or of all parts of a kind.

        Raises:
            UserError: there is no such part.
        """
        sizes = {part.name: self.n[part.name] for part in self.parts if part.kind == kind}
        if chosen is not None:
            if chosen not in sizes:
                raise unknown_name(f"{kind} part", chosen, sizes, where=f"design {self.design}")
            return Side(design=self.design, name=chosen, sizes={chosen: sizes[chosen]})
        if not sizes:
            raise UserError(
                f"design {self.design} needs {kind} words, and the recipe has none. "
                f'Add a table [[parts]] with kind = "{kind}".'
            )
        return Side(design=self.design, name=named(self.parts, kind), sizes=sizes)

    @property
    def samples_seen(self) -> int:
        """Words that a run sees where the design does not change that."""
        return self.train.steps * self.train.batch

    def mixed(self, chosen: Mixed) -> tuple[dict[str, int], str]:
        """All real words with synthetic ones at a ratio, and what sentences call them.

        Raises:
            UserError: there are fewer synthetic words than that.
        """
        real = self.side("real", chosen.real)
        words = real.take(real.total, "all of them")
        if not chosen.ratio:
            return words, f"{plural(real.total, f'{real.name} word')}"
        synthetic, n = self.side("synthetic", chosen.synthetic), round(chosen.ratio * real.total)
        words |= synthetic.take(n, f"ratio {chosen.ratio:g}")
        return words, f"{real.total:,} {real.name} and {n:,} {synthetic.name} words"

    def stage(self, *words: Mapping[str, int], label: str, **changes: Any) -> Stage:
        """A stage on these words, in the order of the recipe.

        Raises:
            UserError: there is no word among them.
        """
        taken = {part: n for some in words for part, n in some.items() if n}
        if not taken:
            gone = [part.name for part in self.parts if not self.n[part.name]]
            todo = "Ask for some there."
            if gone:
                todo = f"None of {listed(gone)} can be trained on: lower validation, or add datasets."
            raise UserError(f"design {self.design} has no words at {label}. {todo}")
        return Stage(words={p.name: taken[p.name] for p in self.parts if p.name in taken}, changes=changes)


class Mixed(Protocol):
    """A design whose cells share all real words, with as many synthetic ones as a ratio says."""

    ratio: float
    real: str | None
    synthetic: str | None


def n_synthetic(total: int, ratio: float) -> int:
    """Of ``total`` words the synthetic ones, at ``ratio`` of them per real word; rises with ``total``."""
    return int(total * ratio / (1 + ratio) + 0.5)


def plural(n: int, noun: str) -> str:
    """A number with its noun."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def refuse_ratio(ratio: float) -> None:
    """Raise a ValueError unless ``ratio`` is 0 or more."""
    if ratio < 0:
        raise ValueError(f"ratio must be 0 or more, got {ratio:g}")


def listed(items: Sequence[str]) -> str:
    """Several things in a sentence."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def refuse_unlike_numbers(key: str, values: tuple[float, ...], least: float = 0) -> None:
    """Raise a ValueError unless ``values`` are one or more different numbers of ``least`` or more."""
    if not values or min(values) < least or len(set(values)) < len(values):
        raise ValueError(f"{key} must be different numbers of {least:g} or more, got {list(values)}")
