"""What counts as a leak from the tests into the words to train on, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from curation.core import labels
from curation.lookalikes import Look

Level = Literal[
    "leak_bytes",
    "leak_pixels",
    "leak_origin",
    "leak_same_label",
    "leak_any_label",
    "leak_probable",
    "shared_photo",
]
CERTAIN: tuple[Level, ...] = (
    "leak_bytes",
    "leak_pixels",
    "leak_origin",
    "leak_same_label",
    "leak_any_label",
)
REPORTED: tuple[Level, ...] = ("leak_probable", "shared_photo")
LEVELS = CERTAIN + REPORTED  # the strongest evidence first
TOLD = {
    "leak_bytes": "identical files",
    "leak_pixels": "identical pixels",
    "leak_origin": "the same place of the same photo",
    "leak_same_label": "the same label and almost the same look",
    "leak_any_label": "almost the same look, whatever the label",
    "leak_probable": "the same label and a similar look",
    "shared_photo": "another place of the same photo",
}
MOST_BITS = 40  # beyond, hashes of pictures without any likeness are near each other


@dataclass(frozen=True, kw_only=True)
class DecontaminateRecipe:
    """What counts as a leak, and which leaks cost a word its place.

    The levels, strongest first: ``leak_bytes`` and ``leak_pixels`` (identical), ``leak_origin`` (cut from
    one place of one photo), ``leak_same_label`` and ``leak_any_label`` (pictures that agree once laid over
    each other) are dropped; ``leak_probable`` (same label, pictures that agree less) and ``shared_photo``
    (another place of the same photo) are reported. The defaults are measured on real words by
    ``benchmarks/leaks.py``: with 0.95 for ``certain`` a quarter of the re-cropped copies that are missed
    would be found, and a third more words dropped that share no more than a logo's lettering.

    Attributes:
        protocol: Labels are the same where they agree under this protocol.
        least_iou: Boxes in one photo that overlap by at least this, intersection over union, are one word.
        certain: Agreement, 0-1, from which words of the same label are copies.
        probable: Agreement from which they probably are.
        look: How thoroughly the words of one label are looked through.
        any_label: Agreement from which words of any label are copies.
        any_label_bits: Bits of 128 by which their hashes may differ, for the two to be looked at.
        also_drop: Levels that are dropped besides, though they are only reported by default.
        skip: Levels that are not looked for.
        max_dropped: Greatest share of the words that may be dropped, 0 to 1.
    """

    protocol: str = "parseq36"
    least_iou: float = 0.5
    certain: float = 0.97
    probable: float = 0.93
    look: Look = field(default_factory=Look)
    any_label: float = 0.97
    any_label_bits: int = 28
    also_drop: tuple[Literal["leak_probable", "shared_photo"], ...] = ()
    skip: tuple[Level, ...] = ()
    max_dropped: float = 0.5

    def __post_init__(self) -> None:
        labels.protocol(self.protocol)
        if not 0 < self.least_iou <= 1:
            raise ValueError(f"least_iou must be above 0 and at most 1, got {self.least_iou}")
        if not 0 < self.probable <= self.certain <= 1:
            raise ValueError(
                f"probable and certain must rise from above 0 to 1, got {self.probable} and {self.certain}"
            )
        if not 0 < self.any_label <= 1:
            raise ValueError(f"any_label must be above 0 and at most 1, got {self.any_label}")
        if not 0 <= self.any_label_bits <= MOST_BITS:
            raise ValueError(f"any_label_bits must be from 0 to {MOST_BITS}, got {self.any_label_bits}")
        if not 0 <= self.max_dropped <= 1:
            raise ValueError(f"max_dropped must be from 0 to 1, got {self.max_dropped}")

    @property
    def dropped(self) -> tuple[Level, ...]:
        """The levels that cost a word its place, the strongest first."""
        return tuple(level for level in LEVELS if level in {*CERTAIN, *self.also_drop} - {*self.skip})

    @property
    def ranked(self) -> tuple[Level, ...]:
        """The levels in the order in which they decide: those that are dropped, then those reported."""
        return self.dropped + tuple(level for level in LEVELS if level not in {*self.dropped, *self.skip})
