"""Reading the manifest of a finished folder, with the same complaints whatever the folder holds."""

from __future__ import annotations

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
