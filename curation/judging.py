"""Judging the rows of datasets without writing any: what would stay, and what would not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from curation.core.dataset import Dataset
from curation.core.pool import run_tasks
from curation.rewriting import Judge
from curation.tally import Tally


def judge_only(
    datasets: Sequence[Dataset],
    judge_of: Callable[[int], Judge],
    columns: Sequence[str],
    *,
    jobs: int,
    what: str,
) -> tuple[int, Counter[str], Tally]:
    """Do what ``rewriting.rewrite`` does but the writing; judges are given ``columns`` alone.

    Returns:
        How many rows would stay, how many would not by reason, and the tally.
    """
    todo = [
        (d.path, shard, judge_of(number), columns)
        for number, d in enumerate(datasets)
        for shard in range(d.n_shards)
    ]
    n_kept, reasons, tally = 0, Counter[str](), Tally()
    total = sum(map(len, datasets))
    done = run_tasks(_judge_shard, todo, jobs=jobs, total=total, unit=" words", what=what)
    for kept, dropped, told in done:
        n_kept += kept
        reasons.update(dropped)
        tally.add(told)
    return n_kept, reasons, tally


def _judge_shard(
    path: Path, shard: int, judge: Judge, columns: Sequence[str], tick: Callable[[int], object]
) -> tuple[int, Counter[str], Tally]:
    dataset = Dataset.open(path)
    first, n_rows = dataset.rows_of_shard(shard)
    n_kept, reasons, tally = 0, Counter[str](), Tally()
    for batch in dataset.scan(columns, start=first, stop=first + n_rows):
        verdicts = judge.judge(batch, first)
        n_kept += int(np.count_nonzero(verdicts.keep))
        reasons.update(reject.reason for reject in verdicts.rejects)
        tally.add(verdicts.tally)
        first += len(batch)
        tick(len(batch))
    return n_kept, reasons, tally
