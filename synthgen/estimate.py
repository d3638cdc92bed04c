"""What a rendering would take, from rendering a few words of it."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curation.core import shards
from curation.core.errors import UserError
from synthgen.engines import BLOCK
from synthgen.render import Recipe, Work, render_shard, rows_per_shard, samples

TRIAL = BLOCK  # what is planned together, so that planning has its true share
CORES = 16  # of the machine that a plan is reckoned for besides this one


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """The plan of a run.

    Attributes:
        n: Words.
        shards: Files they go to.
        shard_rows: Words in each.
        words_per_s_per_core: Measured on ``TRIAL`` words from planning to Parquet, by processor time.
        megabytes: Expected size on disk.
        megabytes_per_job: Memory of this process after the trial, which a worker's does not exceed much.
        hours: Expected time with ``jobs`` cores, which shards must suffice for.
        jobs: Worker processes.
        hours_on_16_cores: Expected time with as many jobs.
    """

    n: int
    shards: int
    shard_rows: int
    words_per_s_per_core: float
    megabytes: float
    megabytes_per_job: int
    hours: float
    jobs: int
    hours_on_16_cores: float

    def as_json(self) -> dict[str, Any]:
        """The fields, as JSON values."""
        return asdict(self)

    def as_text(self) -> str:
        """Two lines for people."""
        size = f"{self.megabytes / 1000:.1f} GB" if self.megabytes >= 1000 else f"{self.megabytes:.0f} MB"
        return (
            f"would draw {self.n} words in {self.shards} shards of {self.shard_rows}, about {size}, "
            f"with {self.megabytes_per_job} MB of memory a job\n"
            f"{self.words_per_s_per_core:.0f} words/s per core: {_told(self.hours)} with {self.jobs} jobs, "
            f"{_told(self.hours_on_16_cores)} on {CORES} cores"
        )


def estimate(recipe: Recipe, *, n: int, seed: int, jobs: int, shard_rows: int | None = None) -> Estimate:
    """Render ``TRIAL`` words into a temporary folder, and reckon from there.

    Raises:
        UserError: something the recipe needs is missing, or its words cannot be drawn.
    """
    recipe.engine.check()
    for _ in samples(recipe, seed, 0, 200, ""):
        pass  # loads fonts, photos and noise, which a long run does once
    rate, size = _trial(recipe, seed)
    rows = shard_rows or rows_per_shard(n)
    n_shards = -(-n // rows)

    def hours(cores: int) -> float:
        waves = -(-n_shards // cores)  # of shards; the last one may leave cores idle
        return round(min(n, waves * rows) / rate / 3600, 4)

    return Estimate(
        n=n,
        shards=n_shards,
        shard_rows=rows,
        words_per_s_per_core=round(rate, 1),
        megabytes=round(n * size / 1e6, 1),
        megabytes_per_job=_resident_megabytes(),
        hours=hours(jobs),
        jobs=jobs,
        hours_on_16_cores=hours(CORES),
    )


def _trial(recipe: Recipe, seed: int) -> tuple[float, float]:
    """Words a second of processor time, and bytes a word on disk."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "trial"
        shards.start(out, {})
        work = Work(recipe=recipe, out=out, seed=seed, n=TRIAL, uid_prefix=f"{recipe.name}-00000000-{seed}")
        begun = time.process_time()
        render_shard(work, 1, TRIAL, 2 * TRIAL, lambda n: None)
        seconds = time.process_time() - begun
        (record,) = shards.completed(out)
    if not record["rows"]:
        raise UserError(
            f"not one word of recipe {recipe.name} can be drawn. Look at its preview and mend it."
        )
    return record["rows"] / max(seconds, 1e-6), record["bytes"] / record["rows"]


def _resident_megabytes() -> int:
    """The most memory this process has had."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(used / (1e6 if sys.platform == "darwin" else 1e3))


def _told(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.1f} min"
