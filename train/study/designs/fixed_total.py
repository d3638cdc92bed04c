"""The share of synthetic words moves at the same volume."""

from __future__ import annotations

from dataclasses import dataclass

from train.study.cells import Cell
from train.study.designs.base import Laid, Offer, Place, designs, n_synthetic, refuse_unlike_numbers


@designs.add("fixed_total")
@dataclass(frozen=True, kw_only=True)
class FixedTotal:
    """The number of different words stays, the synthetic share moves.

    Attributes:
        ratios: Synthetic words per real word, 0 or more, one cell each.
        total: Different words in every cell; None for as many as there are real ones.
        synthetic_only: One more cell, of synthetic words alone.
        real: The real part to take from; None for all of them, in proportion.
        synthetic: The synthetic part to take from; None for all of them, in proportion.
        published: A ratio that somebody found to be best, for plots to point out.
        name: What tables call this design; None for its kind.
    """

    ratios: tuple[float, ...]
    total: int | None = None
    synthetic_only: bool = False
    real: str | None = None
    synthetic: str | None = None
    published: float | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        refuse_unlike_numbers("ratios", self.ratios)
        if self.total is not None and self.total < 1:
            raise ValueError(f"total must be 1 or more, got {self.total}")

    def lay_out(self, offer: Offer) -> Laid:
        real, synthetic = offer.side("real", self.real), offer.side("synthetic", self.synthetic)
        total, places = self.total or real.total, []
        for ratio in sorted(self.ratios):
            label, n_drawn = f"ratio {ratio:g}", n_synthetic(total, ratio)
            words = real.take(total - n_drawn, label), synthetic.take(n_drawn, label)
            cell = Cell.of(offer.stage(*words, label=label))
            places.append(Place(cell=cell, x=ratio, label=f"{ratio:g}"))
        if self.synthetic_only:
            label = f"{synthetic.name} only"
            cell = Cell.of(offer.stage(synthetic.take(total, label), label=label))
            places.append(Place(cell=cell, x=None, label=label))
        return Laid(
            sentence=(
                f"Every cell has {total:,} different words and every run sees {offer.samples_seen:,} "
                f"samples, while the share of {synthetic.name} words moves; not held fixed is the number of "
                f"{real.name} words, which falls as that share grows."
            ),
            factor=f"{synthetic.name} words per {real.name} word",
            scale="ratio",
            places=tuple(places),
            mark=None if self.published is None else (self.published, f"published 1:{self.published:g}"),
            base=places[0].cell,
        )
