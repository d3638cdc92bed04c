"""The runs of a study as tasks of Ray, on this machine or on a cluster with shared storage."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from curation.core import ray_pool
from train.study.plan import Plan, Run
from train.study.running.doing import Outcome, already, do
from train.study.running.one_run import Steps
from train.study.running.views import View
from train.study.running.workers import KILLED

GPU = {"cpu": False, "cuda": True}  # auto: if the cluster has any


def on_ray(
    study: Plan, runs: Sequence[Run], out: Path, steps: Steps, *, jobs: int, address: str | None, view: View
) -> Iterator[Outcome]:
    """Do ``runs`` as tasks of Ray, each with the study's threads, and yield how each ended.

    A task whose machine or worker was lost goes on from its last checkpoint, up to three times. Unlike the
    processes of ``workers``, tasks that are stopped write no checkpoint first.

    Args:
        study: The study, begun.
        runs: What to do.
        out: The study's folder; a cluster's machines must share it under the same path.
        steps: Training and evaluation, sent to the workers.
        jobs: Runs at once on a Ray of this machine; a cluster decides by its cores and GPUs.
        address: A running cluster, or None.
        view: Is told each line that a run says, once it has ended.

    Raises:
        UserError: Ray is not installed or not reached.
    """
    found = {run.name: already(study, run, out) for run in runs}
    yield from (outcome for outcome in found.values() if outcome is not None)
    tasks = [(study, run, out, steps) for run in runs if found[run.name] is None]
    if not tasks:
        return
    assert study.threads is not None
    outcomes = ray_pool.run_tasks(
        _work,
        tasks,
        jobs=max(jobs, 1),
        total=len(tasks),
        unit="run",
        what="study",
        address=address,
        cores=study.threads,
        gpu=GPU.get(study.recipe.train.device),
        lost=_lost,
        look=view.look,
    )
    for outcome, said in outcomes:
        for line in said:
            view.tell(f"{outcome.run}: {line}")
        yield outcome


def _work(
    study: Plan, run: Run, out: Path, steps: Steps, tick: Callable[[int], None]
) -> tuple[Outcome, list[str]]:
    import torch

    assert study.threads is not None
    torch.set_num_threads(study.threads)
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        outcome = do(study, run, out, steps)
    tick(1)
    return outcome, [line for line in said.getvalue().splitlines() if line.strip()]


def _lost(task: tuple[Any, ...]) -> tuple[Outcome, list[str]]:
    return Outcome(run=task[1].name, state="failed", reason=KILLED), []
