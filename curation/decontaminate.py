"""Decontamination: words to train on that copy words of the tests are dropped; the tests stay as they are."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from curation.core import recipe, shards
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.files import write_json, write_text
from curation.core.fingerprint import versions
from curation.core.lock import alone_at
from curation.evidence import Evidence, gather
from curation.leak_judge import judges
from curation.leak_matrix import as_tsv, matrix
from curation.leak_pairs import write_pairs
from curation.leak_recipe import DecontaminateRecipe
from curation.leaks import Leaks, find
from curation.rewriting import rewrite
from curation.words import hash_texts


def decontaminate(
    datasets: Sequence[Dataset],
    tests: Sequence[Dataset],
    out: Path | None,
    spec: DecontaminateRecipe = DecontaminateRecipe(),  # noqa: B008 -- frozen
    *,
    jobs: int,
    dry_run: bool = False,
    page: Path | None = None,
    picture: Path | None = None,
) -> dict[str, Any]:
    """Write the dataset ``out``: the words of ``datasets`` but for those that copy words of ``tests``.

    Beside the manifest lies the leak matrix as ``leaks.tsv``, and as ``leaks.json`` with what was looked for;
    ``leaks.parquet`` lists the pairs, those that are only reported as well (``leak_pairs.write_pairs``). An
    interrupted run finds the leaks again, and goes on with the shards that it has not written.

    Args:
        datasets: The words to train on, those for validation included; several make one dataset.
        tests: What they must not copy.
        out: The folder; it may be None in a dry run.
        spec: What counts as a leak.
        jobs: Worker processes.
        dry_run: Find everything, and write no dataset.
        page: Write a page with the matrix and examples to this HTML file, in a dry run too.
        picture: Write the examples as a contact sheet to this PNG file, in a dry run too.

    Returns:
        The manifest; in a dry run its ``n_rows``, ``n_rejected``, ``rejected_by_reason``, ``leaks`` (see
        ``leak_matrix.matrix``) and ``warnings`` (sentences).

    Raises:
        UserError: a dataset stands on both sides, an output is taken, or too many words would be dropped.
    """
    _refuse_same(datasets, tests)
    _refuse_outputs(None if dry_run else out, page, picture)
    with nullcontext() if dry_run or out is None else alone_at(out):  # sketches lie beside it meanwhile
        train, test = (gather(lots, spec.protocol, jobs=jobs) for lots in (datasets, tests))
        leaks = find(train, test, spec, jobs=jobs, out=None if dry_run else out)
        facts = {"leaks": matrix(leaks), "warnings": _warnings(leaks)}
        if dry_run or out is None:
            _write_beside(leaks, facts["leaks"], page, picture)
            return _planned(leaks) | facts
        _check_dropped(leaks)
        return rewrite(
            datasets,
            out,
            judges(leaks).__getitem__,
            _job(tests, spec),
            jobs=jobs,
            what="decontaminate",
            locked=True,
            check=functools.partial(_write_beside, leaks, facts["leaks"], page, picture),
            **facts,
        )


def _job(tests: Sequence[Dataset], spec: DecontaminateRecipe) -> dict[str, Any]:
    return {
        "command": "decontaminate",
        "recipe": recipe.resolved(spec),
        "tests": [test.as_input for test in tests],
        "versions": versions(),
    }


def _write_beside(
    leaks: Leaks, facts: Mapping[str, Any], page: Path | None, picture: Path | None, out: Path | None = None
) -> None:
    """Write the leak matrix and the pairs into ``out``, and what was asked for besides."""
    if out is not None:
        write_text(out / "leaks.tsv", as_tsv(facts))
        write_json(out / "leaks.json", {"recipe": recipe.resolved(leaks.spec), **facts})
        write_pairs(leaks, out / "leaks.parquet")
    if page is not None or picture is not None:
        from curation.leak_page import write_examples

        write_examples(leaks, facts, page=page, picture=picture)


def _refuse_same(datasets: Sequence[Dataset], tests: Sequence[Dataset]) -> None:
    held = {test.fingerprint: test for test in tests}
    for dataset in datasets:
        if (test := held.get(dataset.fingerprint)) is not None:
            raise UserError(
                f"{dataset.path} is to be trained on and {test.path} is a test, and they hold the same words "
                f"(fingerprint {dataset.fingerprint[:16]}). Leave it out on one side."
            )


def _refuse_outputs(out: Path | None, page: Path | None, picture: Path | None) -> None:
    """Refuse outputs that are there; what an interrupted run has left beside its dataset is written anew."""
    resumes = out is not None and (out / shards.BUILD).is_dir()
    if out is not None:
        shards.refuse_finished(out)
    for path in (page, picture):
        if path is not None and path.exists() and not resumes:
            raise UserError(f"output {path} exists already. Remove it or give another name.")


def _by_reason(leaks: Leaks) -> dict[str, int]:
    counts = Counter(leaks.spec.ranked[rank] for rank in leaks.dropped().rank.tolist())
    return {level: counts[level] for level in sorted(counts)}


def _planned(leaks: Leaks) -> dict[str, Any]:
    reasons = _by_reason(leaks)
    n = sum(reasons.values())
    return {"n_rows": len(leaks.train) - n, "n_rejected": n, "rejected_by_reason": reasons}


def _check_dropped(leaks: Leaks) -> None:
    reasons = _by_reason(leaks)
    n = sum(reasons.values())
    if n <= leaks.spec.max_dropped * len(leaks.train):
        return
    counts = ", ".join(f"{m:,} {reason}" for reason, m in reasons.items())
    raise UserError(
        f"{n:,} of {len(leaks.train):,} words copy words of the tests, more than the share of "
        f"{leaks.spec.max_dropped:g} allowed: {counts}. "
        "Look at them with --dry-run and --page, or raise max_dropped in a recipe."
    )


def _warnings(leaks: Leaks) -> list[str]:
    """Sentences about what may not be meant: sets on the side that is not theirs, and words on both."""
    sides = ("words to train on", leaks.train_sets, "test"), ("tests", leaks.test_sets, "train")
    found = [
        f"words of {name} ({n:,}) are among the {side}: check that this is meant"
        for side, sets, split in sides
        for name, n in zip(sets.names, sets.sizes(), strict=True)
        if name.endswith(f" {split}")
    ]
    rows, example = _shared_uids(leaks.train, leaks.test)
    if len(rows):
        stay = len(rows) - np.isin(rows, leaks.dropped().left).sum()
        found.append(
            f"uids of words to train on that a word of a test has too: {len(rows):,}, the first {example}. "
            "Either a word is on both sides, or two sets have one name; "
            f"kept, as they look different: {stay:,}"
        )
    return found


def _shared_uids(train: Evidence, test: Evidence) -> tuple[np.ndarray, str]:
    """Rows of ``train`` whose uid a row of ``test`` has as well, and the first such uid."""
    tables = (table for dataset in test.datasets for table in dataset.tables(["uid"]))
    held = np.unique(np.concatenate([np.empty(0, np.uint64), *(hash_texts(t["uid"], 0) for t in tables)]))
    rows, example, first = [np.empty(0, np.int64)], "", 0
    for dataset in train.datasets:
        for table in dataset.tables(["uid"]):
            here = np.flatnonzero(np.isin(hash_texts(table["uid"], 0), held))
            if len(here) and not example:
                example = str(table["uid"][int(here[0])])
            rows.append(here + first)
            first += len(table)
    return np.concatenate(rows), example
