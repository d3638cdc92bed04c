"""Longer training on the same words."""

from __future__ import annotations

from dataclasses import dataclass

from train.study.cells import Cell, samples_seen, unlike
from train.study.designs.base import Laid, Offer, Place, designs, refuse_ratio, refuse_unlike_numbers


@designs.add("compute")
@dataclass(frozen=True, kw_only=True)
class Compute:
    """The words stay, the number of steps moves, and with it the samples seen.

    Attributes:
        steps: Of each cell.
        ratio: Synthetic words per real word in every cell; 0 for real words alone.
        real: The real part to learn from; None for all of them.
        synthetic: The synthetic part to learn from; None for all of them, in proportion.
        name: What tables call this design; None for its kind.
    """

    steps: tuple[int, ...]
    ratio: float
    real: str | None = None
    synthetic: str | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        refuse_unlike_numbers("steps", self.steps, 1)
        refuse_ratio(self.ratio)

    def lay_out(self, offer: Offer) -> Laid:
        words, called = offer.mixed(self)
        places = []
        for steps in sorted(self.steps):
            stage = offer.stage(words, label=f"{steps:,} steps", **unlike(offer.train, steps=steps))
            samples = samples_seen(stage, offer.train)
            places.append(Place(cell=Cell.of(stage), x=samples, label=f"{samples:,}"))
        return Laid(
            sentence=(
                f"The number of samples seen moves from {places[0].label} to {places[-1].label} on the same "
                f"{called}, with the learning rate's schedule drawn out over them; not held fixed is how "
                "often each word is seen, which grows with their number."
            ),
            factor="samples seen",
            scale="log",
            places=tuple(places),
            base=places[0].cell,
            largest=places[-1].cell if len(places) > 1 else None,
        )
