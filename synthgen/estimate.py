"""What a rendering would take, from drawing a few words of it."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from curation.core.errors import UserError
from curation.core.sample import Sample
from synthgen.render import Recipe, rows_per_shard, samples

TRIAL = 300
ROW_BYTES = 450  # of a row beside its picture: hashes, label and plan, compressed


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """The plan of a run.

    Attributes:
        n: Words.
        shards: Files they go to.
        words_per_s_per_core: Measured on ``TRIAL`` words, by CPU time.
        megabytes: Expected size on disk.
        hours: Expected time with ``jobs`` cores, which shards must suffice for.
        jobs: Worker processes.
    """

    n: int
    shards: int
    words_per_s_per_core: float
    megabytes: float
    hours: float
    jobs: int

    def as_json(self) -> dict[str, Any]:
        """The fields, as JSON values."""
        return asdict(self)

    def as_text(self) -> str:
        """One line for people."""
        time_left = f"{self.hours:.1f} h" if self.hours >= 1 else f"{self.hours * 60:.1f} min"
        return (
            f"would draw {self.n} words in {self.shards} shards, about {self.megabytes:.0f} MB, "
            f"{self.words_per_s_per_core:.0f} words/s per core: {time_left} with {self.jobs} jobs"
        )


def estimate(recipe: Recipe, *, n: int, seed: int, jobs: int) -> Estimate:
    """Draw ``TRIAL`` words without storing them, and reckon from there.

    Raises:
        UserError: something the recipe needs is missing, or no word can be drawn.
    """
    recipe.engine.check()
    for _ in samples(recipe, seed, 0, 20, ""):
        pass  # loads fonts, photos and noise, which a long run does once
    begun = time.process_time()
    drawn = [item for item in samples(recipe, seed, 20, 20 + TRIAL, "") if isinstance(item, Sample)]
    seconds = time.process_time() - begun
    if not drawn:
        raise UserError(
            f"not one word of recipe {recipe.name} can be drawn. Look at its preview and mend it."
        )
    rate = len(drawn) / max(seconds, 1e-6)
    size = sum(len(sample.image) for sample in drawn) / len(drawn) + ROW_BYTES
    shards = -(-n // rows_per_shard(n))
    return Estimate(
        n=n,
        shards=shards,
        words_per_s_per_core=round(rate, 1),
        megabytes=round(n * size / 1e6, 1),
        hours=round(n / rate / min(jobs, shards) / 3600, 4),
        jobs=jobs,
    )
