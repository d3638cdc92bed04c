"""Reading the manifest of a finished folder, with the same complaints whatever the folder holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from curation.core.files import not_a_folder, read_json


def read_manifest(path: Path, kind: str, newest: int, *, absent: str) -> dict[str, Any]:
    """Read ``manifest.json`` in the folder ``path``.

    Args:
        path: The folder.
        kind: What it should hold: ``dataset``, ``mixture``.
        newest: Highest format that can be read.
        absent: The message if there is no manifest.

    Raises:
        UserError: no such folder, no manifest in it, of another kind or a newer format.
    """
    if not path.is_dir():
        raise UserError(f"{kind} {path} {not_a_folder(path)}. Check the path.")
    if not (path / "manifest.json").is_file():
        raise UserError(absent)
    manifest: Any = read_json(path / "manifest.json")
    found = manifest.get("kind") if isinstance(manifest, dict) else None  # another program's may be a list
    if found != kind:
        raise UserError(f"{path} holds a {found}, not a {kind}. Give the folder of a {kind}.")
    if manifest.get("format", 0) > newest:
        raise UserError(
            f"{path} has format {manifest['format']}; this glyphmix reads up to {newest}. Update it."
        )
    return dict(manifest)


def refuse_odd(entry: Any, kinds: Mapping[str, type], file: Path, remedy: str, *, at: str = "") -> None:
    """Refuse an object of a manifest that lacks a key or has something else under it.

    Args:
        entry: The object.
        kinds: Of each key that it must have the kind of its value; a whole number must be 0 or more.
        file: The manifest.
        remedy: What to do.
        at: Where in the manifest the object lies, such as ``shards[3]``; the whole of it if empty.

    Raises:
        UserError: it does not fit.
    """
    if not isinstance(entry, dict):
        raise UserError(f"{file} is damaged: {at} is {_shown(entry)}, not an object. {remedy}")
    for key, kind in kinds.items():
        if key not in entry:
            raise UserError(f"{file} lacks {key!r}{f' in {at}' if at else ''}. {remedy}")
        value = entry[key]
        if not isinstance(value, kind) or (isinstance(value, int) and value < 0):
            what = f"{at}.{key}" if at else key
            wanted = {int: "a whole number", str: "a text", list: "a list", dict: "an object"}[kind]
            raise UserError(f"{file} is damaged: {what} is {_shown(value)}, not {wanted}. {remedy}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
