"""Doing one run wherever it is done: alone at it, and however it ends, said in an outcome."""

from __future__ import annotations

import errno
import traceback
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from curation.core.errors import UserError
from curation.core.files import disk_may_be_full, write_text
from curation.core.lock import BusyError, alone
from curation.core.pool import one_opencv_thread
from train.study.plan import Plan, Run
from train.study.running.one_run import Steps, one, trained
from train.study.running.row_files import path_of, write_row

LOCKS = ".locks"
FORECAST = "forecast.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How one run ended.

    Attributes:
        run: Its name.
        state: ``done``: its row is there. ``trained``: its cell is held out, so its test words are not read
            before the forecast is written. ``busy``: another process is at it. ``failed``: this run did not
            work out. ``full``: the disk is full, so no other run would.
        reason: What went wrong, and where its traceback is.
    """

    run: str
    state: Literal["done", "trained", "busy", "failed", "full"]
    reason: str = ""


def already(study: Plan, run: Run, out: Path) -> Outcome | None:
    """Say so if there is nothing to do for a run now, or another process is at it; else None."""
    if path_of(out, run.name).is_file():
        return Outcome(run=run.name, state="done")
    if is_trained(run, out) and waits(study, run, out):
        return Outcome(run=run.name, state="trained")
    with ExitStack() as held:
        try:
            held.enter_context(_alone_at(out, run))
        except BusyError:
            return Outcome(run=run.name, state="busy")
    return None


def do(study: Plan, run: Run, out: Path, steps: Steps) -> Outcome:
    """Do a run up to its row, unless its row is there or another process is at it."""
    with ExitStack() as held:
        try:
            held.enter_context(_alone_at(out, run))
        except BusyError:
            return Outcome(run=run.name, state="busy")
        trace = trace_of(out, run.name)
        try:
            with one_opencv_thread(), disk_may_be_full(out):
                state = _done(study, run, out, steps)
            trace.unlink(missing_ok=True)
        except Exception as error:  # whatever stops one run must not stop the others
            return _failed(run.name, error, trace)
    return Outcome(run=run.name, state=state)


def _done(study: Plan, run: Run, out: Path, steps: Steps) -> Literal["done", "trained"]:
    if path_of(out, run.name).is_file():
        return "done"
    if waits(study, run, out):
        trained(study, run, out, steps)
        return "trained"
    write_row(out, one(study, run, out, steps))
    return "done"


def waits(study: Plan, run: Run, out: Path) -> bool:
    """Whether the test words of a run may not be read yet."""
    return run.cell.name in study.held_out and not (out / FORECAST).is_file()


def is_trained(run: Run, out: Path) -> bool:
    """Whether the weights of a run are there."""
    return (out / "runs" / run.name / "run.json").is_file()


def _alone_at(out: Path, run: Run) -> AbstractContextManager[None]:
    (out / LOCKS).mkdir(exist_ok=True)
    return alone(out / LOCKS / run.name, f"another process is at run {run.name}.")


def trace_of(out: Path, run: str) -> Path:
    """Where a failed run's traceback is kept until it works out."""
    return out / "runs" / f"{run}.error.txt"


def _failed(run: str, error: Exception, trace: Path) -> Outcome:
    if isinstance(cause := error.__cause__, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
        return Outcome(run=run, state="full", reason=str(error))
    name = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
    where = ""
    with suppress(OSError):  # a folder that cannot be written to may be the very failure
        trace.parent.mkdir(exist_ok=True)
        write_text(trace, traceback.format_exc())
        where = f" (traceback in {trace})"
    return Outcome(run=run, state="failed", reason=f"{name}{error}{where}")
