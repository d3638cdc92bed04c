"""A ladder of groups of words: R, R and E, R and E and B."""

from __future__ import annotations

from dataclasses import dataclass

from curation.core.errors import unknown_name
from train.study.cells import Cell
from train.study.designs.base import Laid, Offer, Place, Side, designs, listed


@designs.add("composition")
@dataclass(frozen=True, kw_only=True)
class Composition:
    """Parts are added one group after another.

    Source: the composition study of Rang et al. 2024, An Empirical Study of Scaling Law for OCR: R, R+E+B,
    R+E+B+U and so on, there with all words of each and so with more words from rung to rung.

    Attributes:
        rungs: Names of the parts in each cell.
        total: Different words in every cell, of its parts in proportion; None for all that they have.
        name: What tables call this design; None for its kind.
    """

    rungs: tuple[tuple[str, ...], ...]
    total: int | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        sets = [frozenset(rung) for rung in self.rungs]
        if not sets or not all(sets) or len(set(sets)) < len(sets):
            raise ValueError(f"rungs must be different lists of parts, got {[list(r) for r in self.rungs]}")
        if self.total is not None and self.total < 1:
            raise ValueError(f"total must be 1 or more, got {self.total}")

    def lay_out(self, offer: Offer) -> Laid:
        places = []
        for rung in self.rungs:
            for part in rung:
                if part not in offer.n:
                    raise unknown_name("part", part, offer.n, where=f"design {offer.design}")
            sizes = {part: offer.n[part] for part in rung}
            label, side = " + ".join(rung), Side(design=offer.design, name=listed(rung), sizes=sizes)
            words = side.take(self.total or side.total, label)
            places.append(Place(cell=Cell.of(offer.stage(words, label=label)), x=None, label=label))
        return Laid(
            sentence=self._sentence(offer),
            factor="parts",
            scale="category",
            places=tuple(places),
            base=places[0].cell,
            remarks=self._confounds(offer, places),
        )

    def _sentence(self, offer: Offer) -> str:
        ladder = listed([" + ".join(rung) for rung in self.rungs])
        if self.total is not None:
            return (
                f"The parts that words come from move ({ladder}), while every cell has {self.total:,} "
                f"different words and every run sees {offer.samples_seen:,} samples; not held fixed is the "
                "number of words of each part, which falls as others join it."
            )
        return (
            f"Whole parts are added ({ladder}) and every run sees {offer.samples_seen:,} samples; not held "
            "fixed are the number of different words, which grows with every part, and how often each is "
            "seen, which falls."
        )

    def _confounds(self, offer: Offer, places: list[Place]) -> tuple[str, ...]:
        counts = {place.label: place.cell.n_words for place in places}
        if len(set(counts.values())) < 2:
            return ()
        told = listed([f"{n:,} in {label}" for label, n in counts.items()])
        return (
            f"Design {offer.design} moves the volume with the parts: {told} different words. What it gains "
            "may be either's doing; its key 'total' holds the volume fixed.",
        )
