"""More words of the same composition."""

from __future__ import annotations

from dataclasses import dataclass

from train.study.cells import Cell
from train.study.designs.base import (
    Laid,
    Offer,
    Place,
    Side,
    designs,
    n_synthetic,
    refuse_ratio,
    refuse_unlike_numbers,
)


@designs.add("volume")
@dataclass(frozen=True, kw_only=True)
class Volume:
    """The synthetic share stays, the number of different words moves; smaller cells are within larger ones.

    Attributes:
        ratio: Synthetic words per real word in every cell; 0 for real words alone.
        totals: Different words of each cell.
        shares: Or each cell's part, above 0 and up to 1, of the most that the words there are allow at this
            ratio.
        real: The real part to take from; None for all of them, in proportion.
        synthetic: The synthetic part to take from; None for all of them, in proportion.
        name: What tables call this design; None for its kind.
    """

    ratio: float
    totals: tuple[int, ...] | None = None
    shares: tuple[float, ...] | None = None
    real: str | None = None
    synthetic: str | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        refuse_ratio(self.ratio)
        if (self.totals is None) == (self.shares is None):
            raise ValueError("the design takes totals or shares, one of them")
        if self.totals is not None:
            refuse_unlike_numbers("totals", self.totals, 1)
        elif self.shares is not None:
            refuse_unlike_numbers("shares", self.shares)
            if not 0 < min(self.shares) <= max(self.shares) <= 1:
                raise ValueError(f"shares must be above 0 and up to 1, got {list(self.shares)}")

    def lay_out(self, offer: Offer) -> Laid:
        real = offer.side("real", self.real)
        synthetic = offer.side("synthetic", self.synthetic) if self.ratio else None
        places = []
        for total in sorted(self._totals(real, synthetic)):
            label = f"{total:,} words"
            n_drawn = n_synthetic(total, self.ratio)
            drawn = synthetic.take(n_drawn, label) if synthetic else {}
            cell = Cell.of(offer.stage(real.take(total - n_drawn, label), drawn, label=label))
            places.append(Place(cell=cell, x=total, label=f"{total:,}"))
        what = (
            f"{self.ratio:g} {synthetic.name} words per {real.name} word"
            if synthetic
            else (f"{real.name} words alone")
        )
        return Laid(
            sentence=(
                f"The number of different words moves from {places[0].label} to {places[-1].label}, always "
                f"{what}, each cell within the next, and every run sees {offer.samples_seen:,} samples; not "
                "held fixed is how often each word is seen, which falls as their number grows."
            ),
            factor="different words",
            scale="log",
            places=tuple(places),
            base=places[0].cell,
            largest=places[-1].cell if len(places) > 1 else None,
        )

    def _totals(self, real: Side, synthetic: Side | None) -> list[int]:
        if self.totals is not None:
            return list(self.totals)
        assert self.shares is not None
        n_real = real.total if synthetic is None else min(real.total, int(synthetic.total / self.ratio))
        most = n_real + int(self.ratio * n_real)
        return [max(1, int(share * most + 0.5)) for share in self.shares]
