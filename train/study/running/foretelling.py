"""The forecast of a study: written once, from all other cells, before the test words of a cell are read."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

from curation.core.errors import UserError
from curation.core.files import write_text
from curation.core.lock import in_turn
from train.study.plan import Plan
from train.study.rows import Study
from train.study.running.doing import FORECAST, LOCKS
from train.study.running.one_run import Steps
from train.study.running.row_files import collect, path_of

TRACE = "forecast.error.txt"


def foretold(study: Plan, out: Path, steps: Steps) -> str | None:
    """Write the forecast if all cells are there that it is made of, and it is not yet.

    Returns:
        What went wrong; None if it is there, need not be, or waits for runs.

    Raises:
        UserError: rows of its cells are there but no forecast, which was written before them.
    """
    if not study.held_out or (out / FORECAST).is_file():
        return None
    (out / LOCKS).mkdir(exist_ok=True)
    with in_turn(out / LOCKS / FORECAST):
        if (out / FORECAST).is_file() or any(_waited_for(study, out)):
            return None
        _refuse_late(study, out)
        collect(study, out)
        assert steps.forecast is not None
        try:
            found = steps.forecast(Study.open(out), list(study.held_out))
            text = json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        except Exception as error:  # rows stay, and the test words unread
            write_text(out / TRACE, traceback.format_exc())
            name = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
            return f"{name}{error} (traceback in {out / TRACE})"
        write_text(out / FORECAST, text + "\n")
        (out / TRACE).unlink(missing_ok=True)
    return None


def _waited_for(study: Plan, out: Path) -> list[str]:
    """Runs that the forecast is made of and that have no row yet."""
    others = [run.name for run in study.runs if run.cell.name not in study.held_out]
    return [name for name in others if not path_of(out, name).is_file()]


def _refuse_late(study: Plan, out: Path) -> None:
    held_out = [run.name for run in study.runs if run.cell.name in study.held_out]
    if late := [name for name in held_out if path_of(out, name).is_file()]:
        raise UserError(
            f"{out / FORECAST} is missing, and test words that it foretells have been read, by "
            f"{', '.join(late)}. Restore it, or remove their row.json to have it made of the other cells."
        )
