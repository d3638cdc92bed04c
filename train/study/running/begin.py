"""Taking hold of a study's folder: one recipe, one state of its datasets, one number of threads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from curation.core.files import refuse_existing, write_json
from curation.core.lock import in_turn
from curation.core.recipe import resolved
from train.run_folder import differing
from train.study.dataset_entries import refuse_changed
from train.study.plan import Plan
from train.study.rows import FORMAT, read_facts

LOCK = ".lock"
OURS = LOCK, ".locks", "mixtures", "runs", "runs.jsonl", "study.json", ".study.json.tmp"


def begin(study: Plan, out: Path, *, toml: str, command: str | None, threads: int) -> dict[str, Any]:
    """Write the ``study.json`` of a study to ``out``, or find the same study's there.

    Args:
        study: The checked study.
        out: Its folder: new, or the same study's. Other processes may be at its runs.
        toml: The recipe's text.
        command: What does everything again, or None.
        threads: Of the processor, for each run; only the first call decides.

    Returns:
        The content of ``study.json``.

    Raises:
        UserError: ``out`` holds something else, this study with another recipe or changed datasets, or
            one that another version began.
    """
    if not (out / "study.json").is_file() and (not out.is_dir() or _has_others(out)):
        refuse_existing(out)
    out.mkdir(parents=True, exist_ok=True)
    with in_turn(out / LOCK):
        facts = _facts(study, toml, command) | {"threads": threads}
        if not (out / "study.json").is_file():
            write_json(out / "study.json", facts)
        before = read_facts(out)
        if before["format"] != FORMAT:
            raise UserError(
                f"study {out} has format {before['format']}, and this glyphmix goes on with format {FORMAT} "
                "only. Go on with the version that began it, or give another name with -o."
            )
        _refuse_changed(before, facts, out)
        return before


def _has_others(out: Path) -> bool:
    """Whether a folder holds more than a study leaves that was killed at once, or begins at this moment.

    Runs that were trained beforehand are looked at one by one, when it is their turn.
    """
    return any(path.name not in OURS for path in out.iterdir())


def _facts(study: Plan, toml: str, command: str | None) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "kind": "study",
        "recipe": resolved(study.recipe),
        "recipe_toml": toml,
        "command": command,
        "parts": [resolved(part) for part in study.recipe.parts],
        "cells": [resolved(cell) for cell in study.cells],
        "designs": list(study.designs),
        "held_out": list(study.held_out),
        "runs": [run.name for run in study.runs],
        "datasets": list(study.datasets),
        "copies": [{"first": first, "second": second, "n": n} for (first, second), n in study.copies.items()],
    }


def _refuse_changed(before: Mapping[str, Any], now: Mapping[str, Any], out: Path) -> None:
    if keys := differing(before["recipe"], now["recipe"]):
        raise UserError(
            f"study {out} was begun with another recipe, which differs in: {', '.join(keys)}. "
            "Repeat the recipe it was begun with, or give another name with -o."
        )
    refuse_changed(now["datasets"], out)
    if before["cells"] != now["cells"]:
        raise UserError(
            f"study {out} was begun by a glyphmix that counted its words otherwise. "
            "Go on with that version, or give another name with -o."
        )
