"""Where a word came from, kept beside it in an LMDB under keys that other readers pass over."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from curation.core.files import read_json

FORMAT = 1
SIDECAR = "glyphmix.json"
KEPT = (
    "uid", "source", "split", "licence", "origin_image", "origin_box", "origin_polygon", "origin_size",
    "label_published",
)  # fmt: skip
BOXES = ("word_boxes", "character_boxes")
TEXTS = frozenset({"uid", "source", "split", "licence", "origin_image", "label_published"})


def write_meta(row: Mapping[str, Any]) -> bytes:
    """The value of ``meta-%09d`` for a row of a dataset: JSON, what is null left out."""
    kept = {name: row[name] for name in (*KEPT, *BOXES) if row.get(name) is not None}
    return json.dumps({"glyphmix": FORMAT, **kept}, ensure_ascii=False, separators=(",", ":")).encode()


def read_meta(value: bytes | None) -> dict[str, Any] | None:
    """What ``write_meta`` kept, by the names of ``Sample``; None if it is absent or another program's."""
    try:
        found = json.loads(value) if value else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("glyphmix") != FORMAT or not found.get("uid"):
        return None
    kept = {name: found[name] for name in (*KEPT, *BOXES) if name in found}
    if not all(isinstance(kept[name], str if name in TEXTS else list) for name in kept):
        return None
    return kept


def sidecars(folders: Iterable[Path]) -> dict[str, list[Any]]:
    """What our exports say beside LMDBs in ``folders``: their ``sources``, and which ``boxes`` they have.

    Raises:
        UserError: a sidecar is damaged.
    """
    files = dict.fromkeys(
        file for folder in folders for file in (folder / SIDECAR, folder.parent / SIDECAR) if file.is_file()
    )
    said = [read_json(file) for file in files]
    for file, facts in zip(files, said, strict=True):
        if not isinstance(facts, dict):
            raise UserError(f"{file} is damaged: it holds no object. Remove it, and import again.")
    return {
        "sources": [entry for facts in said for entry in facts.get("sources", [])],
        "boxes": [name for name in BOXES if any(name in facts.get("boxes", []) for facts in said)],
    }
