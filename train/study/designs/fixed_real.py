"""Synthetic words are added to the same real ones."""

from __future__ import annotations

from dataclasses import dataclass

from train.study.cells import Cell
from train.study.designs.base import Laid, Offer, Place, designs, refuse_unlike_numbers


@designs.add("fixed_real")
@dataclass(frozen=True, kw_only=True)
class FixedReal:
    """The real words stay, synthetic ones are added.

    Source: the ratio study of Rang et al. 2024, An Empirical Study of Scaling Law for OCR, here with equal
    samples seen.

    Attributes:
        ratios: Synthetic words per real word, 0 or more, one cell each.
        synthetic_only: One more cell, without real words and with as many synthetic ones as the largest has.
        n_real: Real words to keep; None for all.
        real: The real part to keep; None for all of them.
        synthetic: The synthetic part to add; None for all of them, in proportion.
        published: A ratio that somebody found to be best, for plots to point out.
        name: What tables call this design; None for its kind.
    """

    ratios: tuple[float, ...]
    synthetic_only: bool = False
    n_real: int | None = None
    real: str | None = None
    synthetic: str | None = None
    published: float | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        refuse_unlike_numbers("ratios", self.ratios)
        if self.n_real is not None and self.n_real < 1:
            raise ValueError(f"n_real must be 1 or more, got {self.n_real}")

    def lay_out(self, offer: Offer) -> Laid:
        real, synthetic = offer.side("real", self.real), offer.side("synthetic", self.synthetic)
        n_real, places = self.n_real or real.total, []
        kept = real.take(n_real, "every ratio")
        for ratio in sorted(self.ratios):
            added = synthetic.take(round(ratio * n_real), f"ratio {ratio:g}")
            cell = Cell.of(offer.stage(kept, added, label=f"ratio {ratio:g}"))
            places.append(Place(cell=cell, x=ratio, label=f"{ratio:g}"))
        last, but = places[-1], ""
        if self.synthetic_only:
            alone, label = (
                synthetic.take(round(max(self.ratios) * n_real), "most"),
                f"{synthetic.name} only",
            )
            places.append(Place(cell=Cell.of(offer.stage(alone, label=label)), x=None, label=label))
            but = f" with {real.name} words (the cell {synthetic.name} only has none)"
        return Laid(
            sentence=(
                f"The same {n_real:,} {real.name} words are in every cell{but}, {synthetic.name} words "
                f"are added to them, and every run sees {offer.samples_seen:,} samples; not held fixed are "
                f"the number of different words, which grows with the ratio, and how often each {real.name} "
                "word is seen, which falls."
            ),
            factor=f"{synthetic.name} words per {real.name} word",
            scale="ratio",
            places=tuple(places),
            mark=None if self.published is None else (self.published, f"published 1:{self.published:g}"),
            base=places[0].cell,
            remarks=_confounds(offer.design, places[0], last),
            largest=last.cell if last.cell != places[0].cell else None,
        )


def _confounds(design: str, least: Place, most: Place) -> tuple[str, ...]:
    few, many = least.cell.n_words, most.cell.n_words
    if few == many:
        return ()
    return (
        f"Design {design} moves the volume with the ratio: {few:,} different words at {least.label} and "
        f"{many:,} at {most.label}. What it gains may be either's doing; fixed_total tells them apart.",
    )
