"""The recipe of a study and the grid of cells that it spans."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from curation.core.errors import UserError
from train.recipe import TrainRecipe


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One of the two kinds of words that a study mixes.

    Attributes:
        name: What tables, plots and sentences call it: ``real``, ``rendered``, ``stand-in``.
        paths: Datasets it consists of.
        count: Words to use of all that the datasets hold, validation not among them; None for all
            (real) or as many as the largest cell asks for (synthetic).
        note: What a reader must know of these words; it stands under every table and plot.
    """

    name: str
    paths: tuple[Path, ...]
    count: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not self.paths:
            raise ValueError("paths must name at least one dataset")
        if self.count is not None and self.count < 1:
            raise ValueError(f"count must be 1 or more, got {self.count}")


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyRecipe:
    """A question, and the runs that answer it. Runs differ in their mixture and seed, in nothing else.

    Attributes:
        question: In a reader's words; the page's title.
        design: ``fixed_real``: the real words stay, synthetic ones are added. ``fixed_total``: the number
            of different words stays, the synthetic share moves.
        ratios: Synthetic words per real word, 0 or more, one cell each.
        synthetic_only: One more cell, without real words. ``fixed_real``: as many synthetic ones as the
            largest cell has; ``fixed_total``: as many as every cell has words.
        seeds: Each cell is run once for every seed, which draws the words and moves the training.
        protocol: How labels and predictions are compared (``curation.core.labels``).
        tests: Datasets to measure on; none may be trained on.
        validation: Real words kept out of training in every cell, the same ones for a seed.
        total: Different words in every cell of ``fixed_total``; None for as many as there are real words.
        real: The real words.
        synthetic: The synthetic words.
        train: How every run is trained: equal steps, so equal samples seen.
    """

    question: str
    design: Literal["fixed_real", "fixed_total"]
    ratios: tuple[float, ...]
    synthetic_only: bool = False
    seeds: tuple[int, ...] = (0,)
    protocol: str = "parseq36"
    tests: tuple[Path, ...]
    validation: int = 300
    total: int | None = None
    real: Part
    synthetic: Part
    train: TrainRecipe

    def __post_init__(self) -> None:
        if not self.ratios or min(self.ratios) < 0 or len(set(self.ratios)) < len(self.ratios):
            raise ValueError(f"ratios must be different numbers of 0 or more, got {list(self.ratios)}")
        if not self.seeds or min(self.seeds) < 0 or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds must be different whole numbers of 0 or more, got {list(self.seeds)}")
        if not self.tests:
            raise ValueError("tests must name at least one dataset")
        if self.validation < 1:
            raise ValueError(f"validation must be 1 or more, got {self.validation}")
        if self.total is not None and (self.design != "fixed_total" or self.total < 1):
            raise ValueError("total must be 1 or more, and only the design fixed_total has one")
        if self.train.mixture is not None:
            raise ValueError("train must name no mixture; a study makes its own")
        if self.train.rendered is not None:
            raise ValueError("train must render no words; a study has its own, in synthetic")
        if self.train.protocol not in ("parseq36", self.protocol):
            raise ValueError(
                f"train.protocol is {self.train.protocol} and the study's {self.protocol}; leave train's out"
            )
        if self.real.name == self.synthetic.name:
            raise ValueError(f"real and synthetic are both named {self.real.name!r}; give them two names")

    @property
    def training(self) -> TrainRecipe:
        """How every run is trained: labels are normalised for training as they are for the tests."""
        return replace(self.train, protocol=self.protocol)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One mixture of a study.

    Attributes:
        name: ``r3`` for 3 synthetic words per real one, ``synthetic`` for none but synthetic.
        ratio: Synthetic words per real word; None without real words.
        n_real: Different real words.
        n_synthetic: Different synthetic words.
    """

    name: str
    ratio: float | None
    n_real: int
    n_synthetic: int

    @property
    def n_total(self) -> int:
        """Different words."""
        return self.n_real + self.n_synthetic


def cells(recipe: StudyRecipe, *, n_real: int, n_synthetic: int) -> list[Cell]:
    """Lay the grid out: ratios upwards, then synthetic words only.

    Args:
        recipe: The study.
        n_real: Real words that can be trained on, those held out for validation not among them.
        n_synthetic: Synthetic words that can be trained on.

    Raises:
        UserError: a cell asks for more words than there are, or has none.
    """
    available = recipe.real.count or n_real
    if not 1 <= available <= n_real:
        raise UserError(
            f"beside the {recipe.validation:,} held out there are {n_real:,} {recipe.real.name} words, "
            f"fewer than the {available or 1:,} asked for. "
            "Add datasets to real.paths, or lower count or validation."
        )
    grid = [_cell(recipe, ratio, available) for ratio in sorted(recipe.ratios)]
    if recipe.synthetic_only:
        fixed_total = recipe.design == "fixed_total"
        most = max(cell.n_total if fixed_total else cell.n_synthetic for cell in grid)
        grid.append(Cell(name="synthetic", ratio=None, n_real=0, n_synthetic=most))
    for cell in grid:
        _check_cell(recipe, cell, available, min(n_synthetic, recipe.synthetic.count or n_synthetic))
    return grid


def _cell(recipe: StudyRecipe, ratio: float, available: int) -> Cell:
    if recipe.design == "fixed_real":
        n_real, n_synthetic = available, round(ratio * available)
    else:
        total = recipe.total or available
        n_synthetic = round(total * ratio / (1 + ratio))
        n_real = total - n_synthetic
    return Cell(name=f"r{ratio:g}", ratio=ratio, n_real=n_real, n_synthetic=n_synthetic)


def _check_cell(recipe: StudyRecipe, cell: Cell, n_real: int, n_synthetic: int) -> None:
    if cell.n_total < 1:
        raise UserError(f"the cell {cell.name} of the study has no words. Add a ratio above 0.")
    for part, wanted, held in (
        (recipe.real, cell.n_real, n_real),
        (recipe.synthetic, cell.n_synthetic, n_synthetic),
    ):
        if wanted > held:
            raise UserError(
                f"the cell {cell.name} needs {wanted:,} {part.name} words, and there are {held:,}. "
                f"Make more, or lower the ratios or the words that every cell starts from."
            )
