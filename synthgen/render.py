"""From a recipe to a dataset: rows are planned in blocks, drawn one by one, written in shards."""

from __future__ import annotations

import math
import platform
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curation.core import recipe as recipes
from curation.core import shards
from curation.core.errors import UserError
from curation.core.executors import PROCESSES, Executor
from curation.core.files import remove_folder
from curation.core.fingerprint import code_sha256, dhash128, sha256_json, versions
from curation.core.images import encode_jpeg, encode_png
from curation.core.lock import alone_at
from curation.core.sample import Reject, Sample
from synthgen.boxes import COLUMNS
from synthgen.engines import BLOCK, Engine, engines
from synthgen.materials import RECIPES
from synthgen.rows import ATTEMPTS, draw, row_type
from synthgen.tally import HopelessError, Tally

PACKAGES = ("glyphmix", "numpy", "opencv-python", "opencv-python-headless", "pyarrow", "uharfbuzz")
LICENCE = "rendered; fonts, words and photos as listed with them"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """A rendering recipe.

    Attributes:
        name: The file's name without its ending.
        engine: What draws, as configured there.
    """

    name: str
    engine: Engine


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendered:
    """What a run did.

    Attributes:
        manifest: Of the finished dataset.
        n_drawn: Words drawn by this run; fewer than the dataset holds if it went on with another.
    """

    manifest: dict[str, Any]
    n_drawn: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What every shard of a run is drawn from.

    Attributes:
        recipe: What is drawn.
        out: The dataset, begun.
        seed: Of every random draw.
        n: Words of the whole run.
        uid_prefix: Of its words.
        made_by: The code that began the run.
    """

    recipe: Recipe
    out: Path
    seed: int
    n: int
    uid_prefix: str
    made_by: dict[str, Any] = field(default_factory=lambda: made_by())


def load(name: str) -> Recipe:
    """Read the recipe at the path ``name``, or the shipped one of that name.

    Raises:
        UserError: the recipe is missing or wrong.
    """
    path = recipes.find(name, RECIPES)
    table = recipes.read(path)
    if "engine" not in table:
        known = " or ".join(f"engine = {kind!r}" for kind in engines)
        raise UserError(f"{path.name} lacks the key 'engine'. Add {known} at its top.")
    into = engines.get(str(table.pop("engine")), where=path.name)
    return Recipe(name=path.stem, engine=recipes.build(into, table, where=path.name))


def rows_per_shard(n: int) -> int:
    """Rows in each shard of a dataset of ``n`` words, unless told; depends on nothing else."""
    thousands = math.ceil(n / 64 / BLOCK)
    return min(max(thousands, 1) * BLOCK, 50_000)


def render(
    recipe: Recipe,
    out: Path,
    *,
    n: int,
    seed: int = 0,
    jobs: int = 1,
    executor: Executor = PROCESSES,
    shard_rows: int | None = None,
) -> Rendered:
    """Draw ``n`` words into the dataset ``out``, or go on with it if it was interrupted.

    Equal arguments give equal bytes, whatever ``jobs`` and ``executor`` are; the words of a smaller ``n``
    are the first words of a larger one; ``shard_rows`` (None for ``rows_per_shard``) only tells how rows
    are spread over files.

    The manifest says in ``n_redrawn`` and ``redrawn_by_reason`` which words took more than one attempt.

    Raises:
        UserError: something the recipe needs is missing, ``out`` is taken, another process is writing
            it, or more than 1 % of the words cannot be drawn; only then is nothing kept to go on with.
    """
    shards.refuse_finished(out)
    recipe.engine.check()
    size = shard_rows or rows_per_shard(n)
    facts = job(recipe, n, seed, size)
    with alone_at(out):
        shards.start(out, facts)
        parts = [(i, start, min(start + size, n)) for i, start in enumerate(range(0, n, size))]
        todo = [part for part in parts if not shards.is_done(out, part[0])]
        work = Work(recipe=recipe, out=out, seed=seed, n=n, uid_prefix=uid_prefix(facts))
        total = sum(stop - start for _, start, stop in todo)
        try:
            _draw_shards(work, todo, jobs, total, executor)
        except HopelessError:
            remove_folder(out, out)
            raise
        return Rendered(manifest=shards.finish(out, **_redrawn(out)), n_drawn=total)


def _draw_shards(
    work: Work, todo: list[tuple[int, int, int]], jobs: int, total: int, executor: Executor
) -> None:
    tally = Tally(work.recipe.name, work.n)
    for record in shards.completed(work.out):
        rejected = Counter(record["rejected"])
        tally.add(record["rows"] + rejected.total(), rejected.elements())
    tasks = [(work, *part) for part in todo]
    for done in executor.run_tasks(render_shard, tasks, jobs=jobs, total=total, unit="word", what="render"):
        tally.add(*done)


def job(recipe: Recipe, n: int, seed: int, shard_rows: int | None = None) -> dict[str, Any]:
    """All that the content of a dataset's files depends on, for its manifest; see ``render``."""
    resolved = recipes.resolved(recipe.engine)
    return {
        "command": "render",
        "recipe_name": recipe.name,
        "recipe": resolved,
        "recipe_sha256": sha256_json(resolved),
        "seed": seed,
        "n": n,
        "shard_rows": shard_rows or rows_per_shard(n),
        **made_by(),
        "inputs": recipe.engine.inputs(),
    }


def made_by() -> dict[str, Any]:
    """The code that draws: versions of packages and a fingerprint of our own files."""
    return {"versions": versions(PACKAGES), "code_sha256": code_sha256("synthgen", "curation/core")}


def uid_prefix(facts: Mapping[str, Any]) -> str:
    """What the uids of a ``job``'s words start with: recipe's name, eight digits of its content, seed.

    The digits come from the resolved recipe and its fonts, words and photos, so that two recipes of one
    name share no uid. The code is left out: mended code draws the same words again.
    """
    content = sha256_json([facts["recipe"], facts["inputs"]])
    return f"{facts['recipe_name']}-{content[:8]}-{facts['seed']}"


def samples(recipe: Recipe, seed: int, start: int, stop: int, prefix: str) -> Iterator[Sample | Reject]:
    """Draw the words ``start`` to ``stop`` (not included) of the recipe's endless sequence.

    Their uids are ``prefix`` (``uid_prefix``), a colon and the index.
    """
    for index in range(start, stop):
        uid = f"{prefix}:{index}"
        drawn, row, reason = draw(recipe.engine, seed, index)
        if drawn is None:
            yield Reject(uid=uid, reason=reason, detail=f"{ATTEMPTS} attempts")
        else:
            quality = drawn.jpeg_quality
            data = encode_png(drawn.image) if quality is None else encode_jpeg(drawn.image, quality)
            yield Sample(
                uid=uid,
                image=data,
                label=drawn.label,
                size=(drawn.image.shape[1], drawn.image.shape[0]),
                source=recipe.name,
                licence=LICENCE,
                dhash128=dhash128(drawn.image),
                word_boxes=drawn.boxes and drawn.boxes.words,
                character_boxes=drawn.boxes and drawn.boxes.characters,
                render=row,
            )


def render_shard(
    work: Work, index: int, start: int, stop: int, tick: Callable[[int], object]
) -> tuple[int, list[str]]:
    """Draw and write one shard, in any process; a pure function of its arguments but for ``tick``.

    Returns:
        How many words it dealt with, and why it rejected which it did.

    Raises:
        UserError: this process draws otherwise than the one that began the run.
    """
    if work.made_by != made_by():
        raise UserError(
            f"glyphmix or a package it draws with is another one on {platform.node()} now than where the "
            "run began. Install the same, then run the same command again."
        )
    recipe, columns = _warm(work)
    tally = Tally(recipe.name, work.n)
    boxes = COLUMNS[getattr(recipe.engine, "boxes", "none")]  # trdg has none
    items = _tallied(samples(recipe, work.seed, start, stop, work.uid_prefix), tally)
    shards.write_shard(work.out, index, items, render=columns, boxes=boxes, tick=tick)
    return stop - start, list(tally.reasons.elements())


_last: list[tuple[str, Recipe, pa.StructType]] = []


def _warm(work: Work) -> tuple[Recipe, pa.StructType]:
    """The recipe that this process drew with last, if it is equal, and the type of its rows.

    A recipe comes to a worker anew with every shard, without the fonts and photos it had opened. The prefix
    of uids tells whether those are still the same.
    """
    if not _last or _last[0][:2] != (work.uid_prefix, work.recipe):
        _last[:] = [(work.uid_prefix, work.recipe, row_type(work.recipe.engine.plan(0, 0)))]
    return _last[0][1:]


def _tallied(items: Iterator[Sample | Reject], tally: Tally) -> Iterator[Sample | Reject]:
    for item in items:
        tally.add(1, [item.reason] if isinstance(item, Reject) else [])
        yield item


def _redrawn(out: Path) -> dict[str, Any]:
    """Count the words that took more than one attempt, from what the shards say themselves."""
    counts: Counter[str] = Counter()
    for path in sorted((out / "data").glob("*.parquet")):
        with pq.ParquetFile(path) as file:
            table = file.read(columns=["render.redrawn_because"])
        counts.update(table["render"].combine_chunks().field("redrawn_because").to_pylist())
    del counts[""]
    return {"n_redrawn": counts.total(), "redrawn_by_reason": dict(sorted(counts.items()))}
