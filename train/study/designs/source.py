"""Sources of synthetic words against each other."""

from __future__ import annotations

from dataclasses import dataclass

from train.study.cells import Cell
from train.study.designs.base import Laid, Offer, Place, designs, listed, refuse_ratio


@designs.add("source")
@dataclass(frozen=True, kw_only=True)
class Source:
    """The same real words with equally many synthetic ones of each source: engines, or recipes of one.

    Attributes:
        sources: Names of synthetic parts, one cell each.
        ratio: Synthetic words per real word in every cell; 0 takes no words of a source, so above 0.
        without: One more cell, of the real words alone, for the others to be compared with.
        real: The real part to keep; None for all of them.
        name: What tables call this design; None for its kind.
    """

    sources: tuple[str, ...]
    ratio: float
    without: bool = False
    real: str | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if not self.sources or len(set(self.sources)) < len(self.sources):
            raise ValueError(f"sources must be different parts, got {list(self.sources)}")
        refuse_ratio(self.ratio)
        if not self.ratio:
            raise ValueError("ratio must be above 0, or there are no words to compare")

    def lay_out(self, offer: Offer) -> Laid:
        real = offer.side("real", self.real)
        kept, n = real.take(real.total, "all of them"), round(self.ratio * real.total)
        taken = {f"{real.name} only": kept} if self.without else {}
        for source in self.sources:
            taken[source] = kept | offer.side("synthetic", source).take(n, f"ratio {self.ratio:g}")
        places = [
            Place(cell=Cell.of(offer.stage(words, label=label)), x=None, label=label)
            for label, words in taken.items()
        ]
        but = f" but the one of {real.name} words alone" if self.without else ""
        return Laid(
            sentence=(
                f"The source of the synthetic words moves ({listed(self.sources)}): every cell{but} has the "
                f"same {real.total:,} {real.name} words and {n:,} synthetic ones, and every run sees "
                f"{offer.samples_seen:,} samples; not held fixed is what else the sources differ in, such as "
                "their word lists and fonts."
            ),
            factor="source of the synthetic words",
            scale="category",
            places=tuple(places),
            base=places[0].cell,
        )
