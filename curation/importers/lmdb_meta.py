"""Where a word came from, kept beside it in an LMDB under keys that other readers pass over."""

from __future__ import annotations

import json
import re
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
LARGEST = 2**24  # whole numbers up to here are exact in 32 bits
SURROGATES = re.compile("[\ud800-\udfff]")
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
    return kept if all(_fits(name, part) for name, part in kept.items()) else None


def _fits(name: str, value: Any) -> bool:
    """Whether a column of ``Sample`` can hold a value: an LMDB may come from anybody."""
    if name in TEXTS:
        return isinstance(value, str) and not SURROGATES.search(value)
    if name in BOXES:
        return isinstance(value, list) and all(map(_numbers, value))
    return _numbers(value) and (
        name == "origin_polygon"
        or (name == "origin_box" and len(value) == 4)
        or (len(value) == 2 and all(type(part) is int for part in value))
    )


def _numbers(value: Any) -> bool:
    """Whether it is a list of numbers that go into 32 bits."""
    return isinstance(value, list) and all(
        type(part) is float or (type(part) is int and abs(part) <= LARGEST) for part in value
    )


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
        sources, boxes = facts.get("sources", []), facts.get("boxes", [])
        if not isinstance(sources, list) or not isinstance(boxes, list) or not all(map(_named, sources)):
            raise UserError(f"{file} is damaged in its sources or boxes. Remove it, and import again.")
    return {
        "sources": [entry for facts in said for entry in facts.get("sources", [])],
        "boxes": [name for name in BOXES if any(name in facts.get("boxes", []) for facts in said)],
    }


def _named(source: Any) -> bool:
    """Whether an entry of ``sources`` has the texts that are read from it."""
    texts = ("name", "licence", "url", "citation")
    return (
        isinstance(source, dict)
        and all(isinstance(source.get(key, ""), str) for key in texts)
        and "name" in source
    )
