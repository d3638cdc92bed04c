"""What was found in font files, kept on disk, so that thousands of them are looked into once."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from curation.core.files import cache_folder
from curation.core.fingerprint import sha256, sha256_file, versions
from synthgen.font_files import PASSING, Axis, FaceFacts, inspect

_CODE = ("font_cache.py", "font_files.py", "itemise.py", "shaping.py")  # what an entry depends on


class FontCache:
    """Looks into font files, or remembers what it saw there, which is the same.

    A file is known again by path, size and time of change, and if it was only copied or touched, by its
    SHA-256. Whatever is wrong with the cache itself, it is filled anew, and so it is after a change of the
    code or the packages that look into fonts. What may be otherwise next time is not remembered.

    Args:
        folder: The fonts' folder.
        charset: The characters asked for.
    """

    def __init__(self, folder: Path, charset: str) -> None:
        self._folder, self._charset = folder, charset
        key = [_code(), str(folder.resolve()), charset, versions(("fonttools", "uharfbuzz"))]
        self._path = cache_folder() / "fonts" / f"{sha256(json.dumps(key).encode())[:32]}.json"
        self._known = self._read()
        self._by_content = {entry["sha256"]: entry["faces"] for entry in self._known.values()}
        self._seen: dict[str, dict[str, Any]] = {}

    def look(self, path: Path) -> tuple[str, list[FaceFacts | str]]:
        """SHA-256 of the file ``path``, and its faces, or why each cannot be used.

        A file that cannot be read has its name for a fingerprint.
        """
        name = path.relative_to(self._folder).as_posix()
        try:
            return self._look(path, name)
        except OSError:
            return name, ["no_access"]

    def _look(self, path: Path, name: str) -> tuple[str, list[FaceFacts | str]]:
        stat = path.stat()
        entry = self._known.get(name)
        stamp = [stat.st_size, stat.st_mtime_ns]
        if entry is None or entry["stamp"] != stamp:
            digest = sha256_file(path)
            faces = self._by_content.get(digest)
            if faces is None:
                looked = inspect(path, self._charset)
                if not PASSING.isdisjoint(found for found in looked if isinstance(found, str)):
                    return digest, looked
                faces = self._by_content[digest] = [_plain(found) for found in looked]
            entry = {"stamp": stamp, "sha256": digest, "faces": faces}
        self._seen[name] = entry
        return entry["sha256"], [_facts(found) for found in entry["faces"]]

    def save(self) -> None:
        """Write what was seen, if it is new; a place that cannot be written to is left alone."""
        if self._seen == self._known:
            return
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(self._seen, ensure_ascii=False), encoding="utf-8")
            draft.replace(self._path)

    def _read(self) -> dict[str, dict[str, Any]]:
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            known = json.loads(self._path.read_text(encoding="utf-8"))
            for entry in known.values():
                list(map(_facts, entry["faces"]))
                [entry[key] for key in ("stamp", "sha256")]
            return dict(known)
        return {}


@functools.cache
def _code() -> str:
    """SHA-256 over the code that looks into fonts."""
    return sha256("".join(sha256_file(Path(__file__).with_name(name)) for name in _CODE).encode())


def _plain(found: FaceFacts | str) -> dict[str, Any] | str:
    return found if isinstance(found, str) else dataclasses.asdict(found)


def _facts(stored: dict[str, Any] | str) -> FaceFacts | str:
    if isinstance(stored, str):
        return stored
    axes = tuple(Axis(**axis) for axis in stored["axes"])
    return FaceFacts(**{**stored, "axes": axes, "scripts": tuple(stored["scripts"])})
