"""From a recipe to a dataset: rows are planned in blocks, drawn one by one, written in shards."""

from __future__ import annotations

import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.core import pool, shards
from curation.core import recipe as recipes
from curation.core.errors import UserError
from curation.core.fingerprint import dhash128, sha256_json, versions
from curation.core.images import encode_jpeg, encode_png
from curation.core.sample import Reject, Sample
from synthgen.engines import BLOCK, Drawn, Engine, UnfitError, engines
from synthgen.materials import RECIPES

ATTEMPTS = 10
MOST_REJECTED = 0.01  # of the rows; beyond it something is wrong with the recipe, not with single words
PACKAGES = ("glyphmix", "numpy", "opencv-python", "opencv-python-headless", "pyarrow", "uharfbuzz")
LICENCE = "rendered; fonts, words and photos as listed with them"
Row = dict[str, Any]


class HopelessError(UserError):
    """Too many words of a recipe cannot be drawn; trying again would end the same way."""


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
    """Rows in each shard of a dataset of ``n`` words; depends on nothing else, so that shards can resume."""
    thousands = math.ceil(n / 64 / BLOCK)
    return min(max(thousands, 1) * BLOCK, 50_000)


def render(recipe: Recipe, out: Path, *, n: int, seed: int = 0, jobs: int = 1) -> Rendered:
    """Draw ``n`` words into the dataset ``out``, or go on with it if it was interrupted.

    Equal arguments give equal bytes, whatever ``jobs`` is; the words of a smaller ``n`` are the first
    words of a larger one.

    The manifest says in ``n_redrawn`` and ``redrawn_by_reason`` which words took more than one attempt.

    Raises:
        UserError: something the recipe needs is missing, ``out`` is taken, or more than
            ``MOST_REJECTED`` of the words of a shard cannot be drawn; only then is nothing kept
            to go on with.
    """
    shards.refuse_finished(out)
    recipe.engine.check()
    shards.start(out, job(recipe, n, seed))
    size = rows_per_shard(n)
    todo = [
        (index, start, min(start + size, n))
        for index, start in enumerate(range(0, n, size))
        if not shards.is_done(out, index)
    ]
    tasks = [(recipe, out, seed, *part) for part in todo]
    total = sum(stop - start for _, start, stop in todo)
    try:
        for _ in pool.run_tasks(_render_shard, tasks, jobs=jobs, total=total, unit="word", what="render"):
            pass
    except HopelessError:
        shutil.rmtree(out)
        raise
    return Rendered(manifest=shards.finish(out, **_redrawn(out)), n_drawn=total)


def job(recipe: Recipe, n: int, seed: int) -> dict[str, Any]:
    """All that the content of a dataset depends on, for its manifest."""
    resolved = recipes.resolved(recipe.engine)
    return {
        "command": "render",
        "recipe_name": recipe.name,
        "recipe": resolved,
        "recipe_sha256": sha256_json(resolved),
        "seed": seed,
        "n": n,
        "versions": versions(PACKAGES),
        "inputs": recipe.engine.inputs(),
    }


def samples(recipe: Recipe, seed: int, start: int, stop: int) -> Iterator[Sample | Reject]:
    """Draw the words ``start`` to ``stop`` (not included) of the recipe's endless sequence."""
    for index in range(start, stop):
        uid = f"{recipe.name}-{seed}:{index}"
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
                render=row,
            )


def draw(engine: Engine, seed: int, index: int) -> tuple[Drawn | None, Row, str]:
    """Draw word ``index``, from the plan of the next attempt as often as it cannot be read.

    Returns:
        The word, or None after ``ATTEMPTS``; its row, with ``index``, ``attempt`` and
        ``redrawn_because``; and why the last failed attempt failed, empty if none did.
    """
    reason = ""
    for attempt in range(ATTEMPTS):
        row = _row(engine, seed, index, attempt)
        try:
            drawn = engine.draw(row)
        except UnfitError as error:
            reason = str(error)
        else:
            return drawn, {"index": index, "attempt": attempt, "redrawn_because": reason, **row}, reason
    return None, {}, reason


def row_type(columns: Mapping[str, np.ndarray]) -> pa.StructType:
    """The Arrow type of the column ``render``: the plan's columns and where a row stands in the plan."""
    own = [("index", pa.int64()), ("attempt", pa.int32()), ("redrawn_because", pa.string())]
    return pa.struct(
        own
        + [
            (name, pa.string() if column.dtype == object else pa.from_numpy_dtype(column.dtype))
            for name, column in columns.items()
        ]
    )


# The engine is compared by identity: hashing its fields for each row would cost more than the lookup saves.
_planned: dict[tuple[int, int, int], tuple[Engine, int, list[str], list[tuple[Any, ...]]]] = {}


def _row(engine: Engine, seed: int, index: int, attempt: int) -> Row:
    """One planned row; the block last used is kept for each attempt."""
    key, block = (id(engine), seed, attempt), index // BLOCK
    kept = _planned.get(key)
    if kept is None or kept[0] is not engine or kept[1] != block:
        columns = engine.plan(seed, block, attempt)
        values = zip(*(column.tolist() for column in columns.values()), strict=True)
        kept = engine, block, list(columns), list(values)
        if len(_planned) > 4 * ATTEMPTS:
            _planned.clear()
        _planned[key] = kept
    return dict(zip(kept[2], kept[3][index % BLOCK], strict=True))


def _render_shard(
    recipe: Recipe, out: Path, seed: int, index: int, start: int, stop: int, tick: Callable[[int], object]
) -> None:
    items = _stop_when_hopeless(samples(recipe, seed, start, stop), stop - start, recipe.name)
    shards.write_shard(out, index, items, render=_row_type(recipe.engine), tick=tick)


def _row_type(engine: Engine) -> pa.StructType:
    return row_type(engine.plan(0, 0))


def _stop_when_hopeless(
    items: Iterator[Sample | Reject], n_rows: int, name: str
) -> Iterator[Sample | Reject]:
    rejected: Counter[str] = Counter()
    for item in items:
        if isinstance(item, Reject):
            rejected[item.reason] += 1
            if rejected.total() > MOST_REJECTED * n_rows:
                counts = ", ".join(f"{count} {reason}" for reason, count in sorted(rejected.items()))
                raise HopelessError(
                    f"more than {MOST_REJECTED:.0%} of the words of recipe {name} cannot be drawn "
                    f"({counts}). Look at its preview and mend it."
                )
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
