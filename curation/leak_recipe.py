"""What counts as a leak from the tests into the words to train on, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from curation.core import labels

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
MOST_BITS = 64  # half the bits: what words of no likeness differ by


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """What makes a near pair one of ``level``: at most so many differing bits, and at least this likeness."""

    level: Level
    most_bits: int
    least_likeness: float


@dataclass(frozen=True, kw_only=True)
class DecontaminateRecipe:
    """What counts as a leak, and which leaks cost a word its place.

    The levels, strongest first: ``leak_bytes`` and ``leak_pixels`` (identical), ``leak_origin`` (cut from
    one place of one photo), ``leak_same_label`` and ``leak_any_label`` (near) are dropped;
    ``leak_probable`` (same label, less near) and ``shared_photo`` (another place of the same photo) are
    reported. Words are near if few of the 128 bits of their hashes differ and a second look at their
    pictures finds them alike (``second_look.likeness``). Every figure is measured on real words by
    ``benchmarks/leaks.py``.

    Attributes:
        protocol: Labels are the same where they agree under this protocol.
        least_iou: Boxes in one photo that overlap by at least this, intersection over union, are one word.
        certain_bits: Words of the same label may differ in so many bits.
        certain_likeness: And must be so much alike, 0 to 1.
        recut_bits: Or they may differ in so many bits, for a copy that is cut otherwise does.
        recut_likeness: If they are so much alike.
        probable_bits: Words of the same label that differ in at most so many bits are probably copies.
        probable_likeness: If they are so much alike.
        any_label_bits: Words of any label may differ in so many bits.
        any_label_likeness: And must be so much alike.
        also_drop: Levels that are dropped besides, though they are only reported by default.
        skip: Levels that are not looked for.
        max_dropped: Greatest share of the words that may be dropped, 0 to 1.
    """

    protocol: str = "parseq36"
    least_iou: float = 0.5
    certain_bits: int = 23
    certain_likeness: float = 0.95
    recut_bits: int = 40
    recut_likeness: float = 0.985
    probable_bits: int = 32
    probable_likeness: float = 0.93
    any_label_bits: int = 24
    any_label_likeness: float = 0.97
    also_drop: tuple[Literal["leak_probable", "shared_photo"], ...] = ()
    skip: tuple[Level, ...] = ()
    max_dropped: float = 0.5

    def __post_init__(self) -> None:
        labels.protocol(self.protocol)
        if not 0 < self.least_iou <= 1:
            raise ValueError(f"least_iou must be above 0 and at most 1, got {self.least_iou}")
        for name in ("certain", "recut", "probable", "any_label"):
            bits, likeness = getattr(self, f"{name}_bits"), getattr(self, f"{name}_likeness")
            if not 0 <= bits <= MOST_BITS:
                raise ValueError(f"{name}_bits must be from 0 to {MOST_BITS}, got {bits}")
            if not 0 <= likeness <= 1:
                raise ValueError(f"{name}_likeness must be from 0 to 1, got {likeness}")
        if not 0 <= self.max_dropped <= 1:
            raise ValueError(f"max_dropped must be from 0 to 1, got {self.max_dropped}")

    @property
    def same_label_rules(self) -> tuple[Rule, ...]:
        """By what near words of the same label have their level, the first that they fulfil."""
        certain: tuple[tuple[Level, str], ...] = (
            ("leak_same_label", "certain"),
            ("leak_same_label", "recut"),
            ("leak_probable", "probable"),
        )
        return tuple(self._rule(level, name) for level, name in certain)

    @property
    def any_label_rule(self) -> Rule:
        """By what near words of any label are leaks."""
        return self._rule("leak_any_label", "any_label")

    @property
    def dropped(self) -> tuple[Level, ...]:
        """The levels that cost a word its place, the strongest first."""
        return tuple(level for level in LEVELS if level in {*CERTAIN, *self.also_drop} - {*self.skip})

    @property
    def ranked(self) -> tuple[Level, ...]:
        """The levels in the order in which they decide: those that are dropped, then those reported."""
        return self.dropped + tuple(level for level in LEVELS if level not in {*self.dropped, *self.skip})

    def _rule(self, level: Level, name: str) -> Rule:
        bits, likeness = getattr(self, f"{name}_bits"), getattr(self, f"{name}_likeness")
        return Rule(level=level, most_bits=bits, least_likeness=likeness)
