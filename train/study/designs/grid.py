"""Real and synthetic words move apart from each other, as the joint law needs it."""

from __future__ import annotations

from dataclasses import dataclass

from curation.core.errors import UserError
from train.study.cells import Cell
from train.study.designs.base import Laid, Offer, Place, designs, refuse_unlike_numbers


@designs.add("grid")
@dataclass(frozen=True, kw_only=True)
class Grid:
    """Every number of real words with every number of synthetic ones; nothing with nothing is left out.

    Attributes:
        real: Different real words, 0 or more.
        synthetic: Different synthetic words, 0 or more.
        real_part: The real part to take from; None for all of them, in proportion.
        synthetic_part: The synthetic part to take from; None for all of them, in proportion.
        name: What tables call this design; None for its kind.
    """

    real: tuple[int, ...]
    synthetic: tuple[int, ...]
    real_part: str | None = None
    synthetic_part: str | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        refuse_unlike_numbers("real", self.real)
        refuse_unlike_numbers("synthetic", self.synthetic)

    def lay_out(self, offer: Offer) -> Laid:
        real = offer.side("real", self.real_part)
        synthetic = offer.side("synthetic", self.synthetic_part)
        places = []
        for n_real in sorted(self.real):
            for n_drawn in sorted(self.synthetic):
                if not n_real + n_drawn:
                    continue
                label = f"{n_real:,} + {n_drawn:,}"
                words = real.take(n_real, label), synthetic.take(n_drawn, label)
                cell = Cell.of(offer.stage(*words, label=label))
                places.append(Place(cell=cell, x=n_real + n_drawn, label=label))
        if not places:
            raise UserError(
                f"design {offer.design} has no cell: it asks for no words at all. Add a number above 0."
            )
        places.sort(key=lambda place: place.x or 0)
        return Laid(
            sentence=(
                f"Numbers of different {real.name} words ({_listed(self.real)}) are crossed with numbers of "
                f"{synthetic.name} ones ({_listed(self.synthetic)}), each cell within those that have more "
                f"of both, and every run sees {offer.samples_seen:,} samples; not held fixed is how often "
                "each word is seen, which falls as their number grows."
            ),
            factor="different words",
            scale="log",
            places=tuple(places),
            largest=places[-1].cell if len(places) > 1 else None,
        )


def _listed(numbers: tuple[int, ...]) -> str:
    return ", ".join(f"{n:,}" for n in sorted(numbers))
