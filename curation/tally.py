"""Counts and a few examples, added up over batches, shards and runs that were interrupted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

EXAMPLES = 16  # of each kind: two rows of a contact sheet
Example = tuple[str, ...]


@dataclass
class Tally:
    """What was counted, and examples of it.

    Attributes:
        counts: Numbers by keys of several texts: filter, source, reason.
        examples: Of each kind the ``EXAMPLES`` least tuples of texts. Where the first text is a hash, they
            are a random choice, the same whatever was added first.
    """

    counts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    examples: dict[str, list[Example]] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Take in what ``other`` has counted."""
        self.counts.update(other.counts)
        for kind, found in other.examples.items():
            self.show(kind, found)

    def show(self, kind: str, found: Iterable[Sequence[str]]) -> None:
        """Offer examples of ``kind``."""
        held = self.examples.get(kind, [])
        self.examples[kind] = sorted([*held, *map(tuple, found)])[:EXAMPLES]

    def record(self) -> dict[str, Any]:
        """The same as JSON values, to be kept with a shard; nothing if nothing was counted."""
        if not self.counts and not self.examples:
            return {}
        counts = [[*key, n] for key, n in sorted(self.counts.items())]
        return {"tally": {"counts": counts, "examples": self.examples}}

    @classmethod
    def of(cls, records: Iterable[Mapping[str, Any]]) -> Tally:
        """Add up what the completion records of shards have kept."""
        total = cls()
        for record in records:
            kept = record.get("tally", {"counts": [], "examples": {}})
            counts = Counter({tuple(key): n for *key, n in kept["counts"]})
            total.add(cls(counts, kept["examples"]))
        return total
