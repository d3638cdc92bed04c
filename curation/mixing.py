"""Making a mixture: which words of which datasets, and in which order. No pixels are copied."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.core.errors import UserError
from curation.core.files import refuse_existing, whole, whole_folder, write_json
from curation.core.labels import protocol
from curation.core.pool import progress
from curation.deadlines import Nested
from curation.mix_inputs import Inputs, open_all
from curation.mix_manifest import Plan, manifest_of, measure
from curation.mix_recipe import Group, MixRecipe, MixSource, Validation, load_mix
from curation.quotas import resolve
from curation.schedule import interleave, pass_order
from curation.words import Words, beyond, gather, key, mix64

__all__ = ["Group", "MixRecipe", "MixSource", "Validation", "load_mix", "mix"]


def mix(
    spec: MixRecipe | Path, out: Path, *, seed: int = 0, dry_run: bool = False, skip_absent: bool = False
) -> dict[str, Any]:
    """Select words from datasets at the exact ratio that the recipe asks for.

    Memory is about 60 bytes a word offered and 30 a position at the most.

    Args:
        spec: The recipe, or the path of one. Paths in it are relative to the current directory.
        out: The folder to write; it appears whole or not at all.
        seed: Which words are chosen, and their order. A smaller mixture of the same sources with the same
            seed is contained in a larger one, if the larger one has at least one word more of every source:
            of totals that differ by less, rounding by largest remainder may give a source one word less.
        dry_run: Do everything but write.
        skip_absent: Leave out datasets that are not there, and name them in the manifest as ``skipped``.

    Returns:
        The manifest. ``unique`` counts different words and ``positions`` those seen in one pass.

    Raises:
        UserError: something in the recipe, its datasets or ``out`` does not fit.
    """
    where = spec.name if isinstance(spec, Path) else "mix recipe"
    if isinstance(spec, Path):
        spec = load_mix(spec)
    refuse_existing(out)
    inputs = open_all(spec, where, skip_absent=skip_absent)
    plan = _plan(inputs, seed, where)
    manifest = manifest_of(inputs, plan, seed, out)
    return manifest if dry_run else _write(out, plan, manifest)


def _plan(inputs: Inputs, seed: int, where: str) -> Plan:
    spec = inputs.spec
    offered = _offered(inputs, seed, where)
    held = _hold_out(spec, offered, seed, where)
    if held is not None:
        offered = [
            _without_held(spec, source, words, held)
            for source, words in zip(spec.sources, offered, strict=True)
        ]
    offered = _capped(spec, offered)
    quotas = resolve(spec, [len(words) for words in offered], where=where)
    counts = [quota.positions for quota in quotas]
    pattern = interleave(counts, _tree(spec.sources), outermost_first=spec.batch is not None)
    columns: dict[str, NDArray[Any]] = {
        "source": pattern,
        "dataset": np.empty(len(pattern), np.uint8),
        "row": np.empty(len(pattern), np.uint32),
    }
    evenness = []
    for i, (source, words, quota) in enumerate(zip(spec.sources, offered, quotas, strict=True)):
        chosen = _chosen(seed, source.name, len(words), quota.positions)
        at = np.flatnonzero(pattern == i)
        columns["dataset"][at], columns["row"][at] = words.numbers[chosen], words.rows[chosen]
        evenness.append(measure(at, len(pattern), spec.batch))
    none = np.empty(0, np.uint8), np.empty(0, np.uint32)
    numbers, rows = (held.numbers, held.rows) if held else none
    return Plan(
        sources=list(zip(quotas, offered, evenness, strict=True)),
        columns=columns,
        held={"dataset": numbers, "row": rows},
    )


def _offered(inputs: Inputs, seed: int, where: str) -> list[Words]:
    """The words of each source that take part, before any is held out or capped."""
    spec = inputs.spec
    rules = protocol(spec.protocol, where=where)
    capped = {name for name, group in spec.groups.items() if group.max_per_label is not None}
    with progress(sum(len(d) for group in inputs.datasets for _, d in group), "words", "mixing") as bar:
        offered = [
            gather(
                group,
                rules,
                key(seed, "order"),
                bar.update,
                only=source.only,
                labels=source.max_per_label is not None or any(_is_in(source, name) for name in capped),
            )
            for source, group in zip(spec.sources, inputs.datasets, strict=True)
        ]
    for source, group, words in zip(spec.sources, inputs.datasets, offered, strict=True):
        for (_, dataset), n in zip(group, words.n_test, strict=True):
            if n and not spec.allow_test:
                raise UserError(
                    f"{where}: source {source.name!r} has {n} words of a test set: rows of split 'test' in "
                    f"{dataset.path}. Give the set's training part, or set allow_test = true."
                )
    return offered


def _is_in(source: MixSource, group: str) -> bool:
    return f"{source.group}/".startswith(f"{group}/")


def _hold_out(spec: MixRecipe, offered: list[Words], seed: int, where: str) -> Words | None:
    """The validation words: chosen by a second hash of the same uids, so whatever else is chosen."""
    if spec.validation is None:
        return None
    names = [source.name for source in spec.sources]
    words = offered[names.index(spec.validation.source)]
    if len(words) < spec.validation.count:
        raise UserError(
            f"{where}, validation: source {spec.validation.source!r} has {len(words)} words, fewer than the "
            f"{spec.validation.count} to hold out. Lower count."
        )
    other = mix64(words.hashes ^ np.uint64(key(seed, "validation")))
    chosen = np.zeros(len(words), bool)
    chosen[np.argsort(other, kind="stable")[: spec.validation.count]] = True
    return words.select(chosen)


def _without_held(spec: MixRecipe, source: MixSource, words: Words, held: Words) -> Words:
    """The words of a source without those held out, and without copies of those held out of another one."""
    drop = _contains(held.hashes, words.hashes)
    if spec.validation is not None and source.name == spec.validation.source:
        return words.select(~drop)  # the manifest counts them as held_out
    return words.without(drop, "in_validation")


def _contains(few: NDArray[np.uint64], many: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of ``many`` are among ``few``, which are rising and at least one."""
    near = np.minimum(np.searchsorted(few, many), len(few) - 1)
    found: NDArray[np.bool_] = few[near] == many
    return found


def _capped(spec: MixRecipe, offered: list[Words]) -> list[Words]:
    """Apply the caps: of a label in a source, of a label in a group, of all words of a source."""
    capped = list(offered)
    for i, source in enumerate(spec.sources):
        if source.max_per_label is not None:
            (late,) = beyond([capped[i]], source.max_per_label)
            capped[i] = capped[i].without(late, "label_cap")
    for name, group in spec.groups.items():
        if group.max_per_label is not None:
            members = [i for i, source in enumerate(spec.sources) if _is_in(source, name)]
            for i, late in zip(
                members, beyond([capped[i] for i in members], group.max_per_label), strict=True
            ):
                capped[i] = capped[i].without(late, "group_label_cap")
    for i, source in enumerate(spec.sources):
        if source.max_words is not None:
            capped[i] = capped[i].without(np.arange(len(capped[i])) >= source.max_words, "source_cap")
    return capped


def _tree(sources: Sequence[MixSource]) -> list[Nested] | None:
    """The sources by number, nested as their groups are; None if there are no groups."""
    if not any(source.group for source in sources):
        return None
    tree: list[Any] = []
    lists: dict[str, list[Any]] = {"": tree}
    for i, source in enumerate(sources):
        path = ""
        for name in (source.group or "").split("/") if source.group else []:
            outer, path = path, f"{path}/{name}"
            if path not in lists:
                lists[path] = []
                lists[outer].append(lists[path])
        lists[path].append(i)
    while len(tree) == 1 and isinstance(tree[0], list):
        tree = tree[0]
    return tree


def _chosen(seed: int, source: str, n: int, count: int) -> NDArray[np.int64]:
    """Indices of ``count`` of ``n`` words in their order: the first of them, lap by lap if they repeat."""
    laps = [
        pass_order(seed, source, 0, lap, min(n, count - first))
        for lap, first in enumerate(range(0, count, n or 1))
    ]
    return np.concatenate(laps) if laps else np.empty(0, np.int64)


def _write(out: Path, plan: Plan, manifest: dict[str, Any]) -> dict[str, Any]:
    selection = {"position": np.arange(len(plan.columns["row"]), dtype=np.int64), **plan.columns}
    try:
        with whole_folder(out) as draft:
            _write_table(draft / "selection.parquet", selection)
            _write_table(draft / "validation.parquet", plan.held)
            manifest["files"] = {path.name: path.stat().st_size for path in sorted(draft.glob("*.parquet"))}
            write_json(draft / "manifest.json", manifest)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise UserError(f"the disk is full, writing to {out}. Free some space and run it again.") from error
    return manifest


def _write_table(path: Path, columns: dict[str, NDArray[Any]]) -> None:
    few = [name for name in columns if name in ("source", "dataset")]
    rising = {name: "DELTA_BINARY_PACKED" for name in columns if name == "position"}  # next to no bytes
    with whole(path) as draft:
        pq.write_table(
            pa.table(columns), draft, compression="zstd", use_dictionary=few, column_encoding=rising
        )
