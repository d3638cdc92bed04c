"""Checkpoints of an unfinished run: the last one, and the one before it in case the last is damaged."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import torch

from curation.core.errors import UserError
from train.run_folder import BUILD, read_tensors, write_tensors

FORMAT = 2  # raised when a checkpoint of before could no longer be gone on from


def path_of(out: Path) -> Path:
    """Where the last checkpoint of the run ``out`` is."""
    return out / BUILD / "checkpoint.pt"


def before(out: Path) -> Path:
    """Where the checkpoint before the last is."""
    return out / BUILD / "checkpoint.before.pt"


def save(out: Path, state: Mapping[str, Any]) -> None:
    """Keep what the run needs to go on from here, and what was kept last.

    At any moment one of both is whole.
    """
    last, spare = path_of(out), before(out).with_suffix(".tmp")
    with suppress(OSError):  # there is none yet; or a file system without hard links has to do with one
        spare.unlink(missing_ok=True)
        os.link(last, spare)
        spare.replace(before(out))
    write_tensors(last, {"format": FORMAT, **state})


def load(out: Path, device: torch.device) -> dict[str, Any] | None:
    """Read the last checkpoint, or the one before if that is damaged; None if there is none yet.

    Raises:
        UserError: both are damaged, or another version of glyphmix wrote them.
    """
    last, remedy = path_of(out), f"Remove {out} and train again."
    if not last.is_file() and not before(out).is_file():
        return None
    try:
        state = read_tensors(last, device, remedy)
    except UserError as error:
        if not before(out).is_file():
            raise
        state = read_tensors(before(out), device, remedy)
        said = str(error).removesuffix(f" {remedy}")
        with suppress(FileNotFoundError):  # another process moved it, or it is gone
            last.replace(last.with_suffix(".damaged"))  # it must not take the place of the whole one
        click.echo(f"Warning: {said} Going on from the checkpoint before it, step {state['step']}.", err=True)
    if (found := state.get("format", 1)) != FORMAT:
        raise UserError(
            f"{last} has format {found}, and this glyphmix goes on from format {FORMAT} only. "
            f"Finish the run with the version that began it, or remove {out} and train again."
        )
    return state
