"""Keeping other processes off a folder while one writes to it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from curation.core.errors import UserError


class BusyError(UserError):
    """Another process holds the lock."""


@contextmanager
def alone(path: Path, busy: str) -> Iterator[None]:
    """Hold the lock file ``path``, made if need be and left there; a killed process lets go of it.

    Raises:
        BusyError: another process holds it; the message is ``busy``.
    """
    with path.open("w") as file:
        _lock(file.fileno(), busy)
        yield


@contextmanager
def in_turn(path: Path) -> Iterator[None]:
    """Hold the lock file ``path`` as ``alone`` does, after waiting for whoever holds it.

    For what takes milliseconds. On storage of a network it needs file locks there: NFS has them, Lustre
    with the mount option ``flock``.
    """
    with path.open("w") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        yield


@contextmanager
def alone_at(out: Path) -> Iterator[None]:
    """Let one process at a time make ``out``, by a lock beside it that vanishes with the work.

    Raises:
        BusyError: another process is making ``out``.
        OSError: the folder of ``out`` cannot be made or written to.
    """
    path = out.with_name(f".{out.name}.lock")
    busy = f"another process is writing to {out}. Wait for it, or stop it."
    if not path.parent.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with _opened(path, out) as file:
            _lock(file.fileno(), busy)
            if not _is_still_at(path, file.fileno()):
                continue  # whoever held it has removed it since we opened it
            try:
                yield
            finally:
                path.unlink()
            return


def _opened(path: Path, out: Path) -> TextIO:
    try:
        return path.open("w")
    except OSError as error:
        error.filename = str(out)  # the user has never heard of the lock
        raise


def _lock(handle: int, busy: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BusyError(busy) from None


def _is_still_at(path: Path, handle: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(handle).st_ino
    except FileNotFoundError:
        return False
