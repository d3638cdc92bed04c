"""Files that are either whole or absent, whatever kills the process in between."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from curation.core.errors import UserError


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; on success flush it to disk and rename it into place.

    On an error the temporary file is removed and ``path`` is untouched.

    Raises:
        OSError: the file cannot be made or renamed; the error names ``path``.
    """
    draft = path.with_name(f".{path.name}.tmp")
    try:
        with _called(draft, path):
            yield draft
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.replace(path)
    finally:
        with suppress(OSError):  # what went wrong before says more
            draft.unlink()
    _sync_folder(path.parent)  # without it a power cut may forget the rename


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give an empty folder beside ``out`` to fill; on success rename it to ``out``, else remove it.

    What a killed run has left there is removed first.

    Raises:
        OSError: the folder cannot be made or renamed; the error names ``out``.
    """
    draft = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        with _called(draft, out):
            draft.mkdir(parents=True)
            yield draft
            draft.rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _sync_folder(out.parent)


def remove_folder(folder: Path, out: Path) -> None:
    """Remove ``folder``, which is ``out`` or lies in it, at once: a killed run leaves all of it or nothing.

    What a kill may leave is beside ``out``, where ``whole_folder`` leaves its drafts and removes them.
    """
    trash = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(trash, ignore_errors=True)
    folder.rename(trash)
    shutil.rmtree(trash)


def cache_folder() -> Path:
    """Where what can be made again is kept: ``$GLYPHMIX_CACHE``, or ``~/.cache/glyphmix``."""
    return Path(os.environ.get("GLYPHMIX_CACHE") or Path.home() / ".cache" / "glyphmix").expanduser()


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON with sorted keys, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with whole(path) as draft:
        draft.write_text(text, encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file that glyphmix wrote.

    Raises:
        UserError: it cannot be read as JSON, so somebody or something damaged it.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is damaged: {error}. Make the folder {path.parent} anew.") from None


def not_a_folder(path: Path) -> str:
    """Say what is wrong with ``path``, which should be a folder and is none."""
    return "is a file, not a folder" if path.exists() else "does not exist"


def refuse_existing(out: Path) -> None:
    """Raise a UserError if ``out`` is there already: nothing is ever overwritten."""
    if out.exists() or out.is_symlink():
        raise UserError(f"output {out} exists already. Remove it or give another name with -o.")


@contextmanager
def disk_may_be_full(out: Path) -> Iterator[None]:
    """Say so in a UserError if the disk is full while ``out`` is written."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise UserError(
            f"the disk is full, writing to {out}. Free some space and run the same command again: "
            "it goes on where it stopped."
        ) from error


@contextmanager
def _called(draft: Path, path: Path) -> Iterator[None]:
    """Let errors name ``path``, for the user has never heard of its draft."""
    try:
        yield
    except OSError as error:
        if error.filename == str(draft):
            error.filename = str(path)
        raise


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
