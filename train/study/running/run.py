"""Running a study: everything checked before the first run, one row for each that finishes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from curation.core.errors import UserError, unknown_name
from curation.core.executors import PROCESSES, Executor
from curation.core.files import disk_may_be_full
from train.study.plan import Plan, Run
from train.study.rows import Row, read_facts
from train.study.running.begin import begin
from train.study.running.doing import Outcome, already, do, is_trained, waits
from train.study.running.foretelling import foretold
from train.study.running.on_ray import on_ray
from train.study.running.one_run import Steps, real_steps
from train.study.running.row_files import collect
from train.study.running.views import PLAIN, View
from train.study.running.workers import gpus, in_processes, stopped_by_signals

FORECAST = "forecast"  # its place among what failed
CROWDED = (
    "{jobs} runs of {threads} threads each share {cores} cores and will wait for each other. "
    "A smaller -j is faster."
)
THREADS = (
    "every run of this study takes {threads} threads, whatever -j is given later: another number rounds "
    "otherwise. Name threads under [train] to choose."
)
__all__ = ["Result", "Steps", "ablate", "chosen_runs", "fitting_jobs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """How a study ended.

    Attributes:
        rows: Of all finished runs, in the order of the grid.
        failed: For each failed run what was wrong.
        busy: Runs that another process is at.
        waiting: Trained runs whose test words are not read yet: the forecast of their cells waits for others.
    """

    rows: list[Row]
    failed: dict[str, str] = field(default_factory=dict)
    busy: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


def ablate(
    study: Plan,
    out: Path,
    *,
    toml: str,
    command: str | None = None,
    steps: Steps | None = None,
    jobs: int = 0,
    only: Sequence[str] = (),
    executor: Executor = PROCESSES,
    view: View = PLAIN,
) -> Result:
    """Do the runs of a study that have not finished and that no other process is at.

    Rows do not depend on ``jobs``, on how many processes work on the study, nor on kills in between: one
    study has one number of threads for each run, the recipe's or that of its first call.

    Args:
        study: The checked study.
        out: Its folder: new, or the same study's. Killed at any time, the same call goes on.
        toml: The recipe's text, kept for the reader.
        command: What does everything again; None for the commands of datasets and study one by one.
        steps: Training and evaluation; None for the real ones.
        jobs: Runs at once, each in a process of its own; 0 for one after another in this process.
        only: Names of the runs to do; none for all.
        executor: Processes of this machine, or Ray, where a cluster decides how many runs are at work.
        view: What is told of runs as they begin, speak and fail, and shows how far they are.

    Raises:
        UserError: ``out`` holds something else or this study with another recipe or changed datasets; a
            row is damaged; the disk is full; or ``only`` names a run that the study does not have.
    """
    chosen, steps = chosen_runs(study, only), steps or real_steps()
    with disk_may_be_full(out):
        threads = study.recipe.train.threads or max(1, n_cores() // max(jobs, 1))
        is_new = not (out / "study.json").is_file()
        facts = begin(study, out, toml=toml, command=command, threads=threads)
        study = replace(study, threads=facts["threads"])
        if is_new and study.recipe.train.threads is None:
            view.tell(THREADS.format(threads=study.threads))
        if jobs > 1 and jobs * facts["threads"] > n_cores() and not gpus(study):
            view.tell(CROWDED.format(jobs=jobs, threads=facts["threads"], cores=n_cores()))
        ended = _Ended(study, out, view.tell, collect(study, out))

        def go(runs: Sequence[Run]) -> None:
            for outcome in _outcomes(study, runs, out, steps, jobs, executor, view):
                ended.add(outcome)

        go([run for run in chosen if run.name not in ended.rows])
        go([run for run in chosen if run.name in ended.busy])  # a killed process may have held them still
        if problem := foretold(study, out, steps):
            ended.fail(FORECAST, problem)
        # Whichever process ends last reads the test words, also of runs that others have trained.
        go([run for run in study.runs if run.name not in ended.rows and _is_due(study, run, out)])
        return ended.result()


class _Ended:
    """The runs that have ended, and how."""

    def __init__(self, study: Plan, out: Path, tell: Callable[[str], None], rows: dict[str, Row]) -> None:
        self.study, self.out, self.tell, self.rows = study, out, tell, rows
        self.failed: dict[str, str] = {}
        self.busy: set[str] = set()

    def add(self, outcome: Outcome) -> None:
        """Take note of one; of a finished run all rows are written, so that they can be looked at."""
        self.busy.discard(outcome.run)
        if outcome.state == "full":
            raise UserError(outcome.reason)
        if outcome.state == "busy":
            self.busy.add(outcome.run)
        elif outcome.state == "failed":
            self.fail(f"run {outcome.run}", outcome.reason)
        elif outcome.state == "done":
            self.rows = collect(self.study, self.out)

    def fail(self, what: str, reason: str) -> None:
        """Take note of what did not work out, and say so."""
        self.failed[what.removeprefix("run ")] = reason
        self.tell(f"{what} failed: {reason}")

    def result(self) -> Result:
        """How all of them ended."""
        rows, names = collect(self.study, self.out), [run.name for run in self.study.runs]
        waiting = [
            run.name
            for run in self.study.runs
            if run.name not in rows and waits(self.study, run, self.out) and is_trained(run, self.out)
        ]
        busy = [name for name in names if name in self.busy]
        return Result(rows=list(rows.values()), failed=self.failed, busy=busy, waiting=waiting)


def _is_due(study: Plan, run: Run, out: Path) -> bool:
    """Whether all that is left of a run is to read its test words, which may be read now."""
    return run.cell.name in study.held_out and not waits(study, run, out) and is_trained(run, out)


def fitting_jobs(study: Plan, out: Path) -> int:
    """Runs that this machine can do at once: one a GPU, or as many as the threads of each leave cores for."""
    if devices := gpus(study):
        return len(devices)
    threads = study.recipe.train.threads
    if (out / "study.json").is_file():
        threads = read_facts(out).get("threads")
    return max(1, n_cores() // threads) if threads else 1


def n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def chosen_runs(study: Plan, only: Sequence[str]) -> list[Run]:
    """The runs with the names ``only``, in the order of the grid; all of them if there are no names.

    Raises:
        UserError: the study has no run of such a name.
    """
    runs = {run.name: run for run in study.runs}
    for name in only:
        if name not in runs:
            raise unknown_name("run", name, runs)
    return [run for run in study.runs if not only or run.name in only]


def _outcomes(
    study: Plan, runs: Sequence[Run], out: Path, steps: Steps, jobs: int, executor: Executor, view: View
) -> Iterator[Outcome]:
    numbers = {run.name: number for number, run in enumerate(study.runs, 1)}

    def started(run: Run) -> None:
        view.tell(f"run {numbers[run.name]} of {len(numbers)}: {run.name}")

    if executor.name == "ray":
        with stopped_by_signals():
            yield from on_ray(study, runs, out, steps, jobs=jobs, address=executor.ray_address, view=view)
    elif jobs == 0:
        for run in runs:
            if found := already(study, run, out):
                yield found
            else:
                started(run)
                yield do(study, run, out, steps)
    else:
        with stopped_by_signals():
            yield from in_processes(study, runs, out, steps, jobs=jobs, started=started, view=view)
