"""Running a study: everything checked before the first run, one row for each that finishes."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from curation.core.errors import UserError
from curation.core.files import write_text
from train.study.begin import begun
from train.study.one_run import Steps, one
from train.study.plan import Plan, Run
from train.study.rows import Row, append_row, read_rows, refuse_strange


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """How a study ended: rows of all finished runs, and for each failed run what was wrong."""

    rows: list[Row]
    failed: dict[str, str] = field(default_factory=dict)


def ablate(
    study: Plan,
    out: Path,
    *,
    toml: str,
    command: str | None = None,
    steps: Steps | None = None,
    tell: Callable[[str], None] = print,
) -> Result:
    """Do the runs of a study that have not finished, one after another.

    Args:
        study: The checked study.
        out: Its folder: new, or the same study's. Killed at any time, the same call goes on.
        toml: The recipe's text, kept for the reader.
        command: What does everything again; None for the commands of datasets and study one by one.
        steps: Training and evaluation; None for the real ones.
        tell: Called with a line of text as each run begins or fails.

    Raises:
        UserError: ``out`` holds something else, this study with another recipe or changed datasets, or
            another process is running it.
    """
    steps = steps or _real_steps()
    with begun(study, out, toml=toml, command=command):
        found = read_rows(out / "runs.jsonl")
        refuse_strange(found, [run.name for run in study.runs], out)
        rows = {row["run"]: row for row in found}
        failed = {}
        for number, run in enumerate(study.runs, 1):
            if run.name in rows:
                continue
            tell(f"run {number} of {len(study.runs)}: {run.name}")
            try:
                rows[run.name] = _finished(study, run, out, steps, tell)
            except _RunFailedError as failure:
                failed[run.name] = str(failure)
    return Result(rows=[rows[run.name] for run in study.runs if run.name in rows], failed=failed)


class _RunFailedError(Exception):
    """One run of several did not work out; the message says why."""


def _finished(study: Plan, run: Run, out: Path, steps: Steps, tell: Callable[[str], None]) -> Row:
    """Do one run and keep its row, or keep what went wrong and raise ``_RunFailedError``."""
    trace = out / "runs" / f"{run.name}.error.txt"
    try:
        row = one(study, run, out, steps)
    except Exception as error:  # whatever stops one run must not stop the others
        name = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        trace.parent.mkdir(exist_ok=True)
        write_text(trace, traceback.format_exc())
        tell(f"run {run.name} failed: {name}{error} (traceback in {trace})")
        raise _RunFailedError(f"{name}{error}") from None
    append_row(out / "runs.jsonl", row)
    trace.unlink(missing_ok=True)
    return row


def _real_steps() -> Steps:
    from train.evaluation.evaluate import evaluate
    from train.fit import fit

    return Steps(fit=fit, evaluate=evaluate)
