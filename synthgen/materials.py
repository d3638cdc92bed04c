"""Where fonts, word lists and photos come from: the user's folders, or those that are shipped."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from curation.core.errors import UserError
from curation.core.files import not_a_folder
from curation.core.fingerprint import sha256, sha256_file

ROOT = Path(__file__).parents[1]
FONTS = ROOT / "fonts"
CORPORA = ROOT / "corpora"
PHOTOS = ROOT / "synthgen" / "photos"
RECIPES = ROOT / "synthgen" / "recipes"
PHOTO_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
FONT_ENDINGS = frozenset({".ttf", ".otf", ".ttc", ".otc", ".woff", ".woff2"})


def corpus(name: str) -> Path:
    """Find a word list by the name of one that is shipped, or by its path.

    A bare name is first that of a shipped list, so that a file in the current folder never takes its place
    unasked; ``./words_en.tsv``, or any path with a separator, is always one's own.

    Raises:
        UserError: neither exists.
    """
    if is_shipped(name):
        return CORPORA / name
    if Path(name).is_file():
        return Path(name)
    shipped = ", ".join(sorted(p.name for p in CORPORA.glob("*.t*")))
    raise UserError(
        f"word list {name} does not exist. "
        f"Check the path, or give a shipped name without a folder: {shipped}."
    )


def is_shipped(name: str) -> bool:
    """Whether ``name`` is a bare name, and that of a shipped word list."""
    return Path(name).name == name and (CORPORA / name).is_file()


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 text file, stripped; empty ones are left out.

    Raises:
        UserError: the file is not UTF-8.
    """
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1  # the object, not data: a BOM is cut off
        raise UserError(
            f"word list {path.name}, line {line:,} is not UTF-8 text ({error.reason}). Convert the file."
        ) from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def listing(folder: Path, endings: frozenset[str], what: str) -> list[Path]:
    """The files below ``folder`` that end in one of ``endings``, sorted by their path in it.

    Args:
        folder: Searched with everything below it.
        endings: Suffixes in lower case, with the dot.
        what: What the files are, in the plural, for messages.

    Raises:
        UserError: the folder does not exist or holds no such file.
    """
    if not folder.is_dir():
        raise UserError(f"folder {folder} with {what} {not_a_folder(folder)}. Check the path.")
    found = sorted(
        (p for p in folder.rglob("*") if p.suffix.lower() in endings and p.is_file()),
        key=lambda p: p.relative_to(folder).as_posix(),
    )
    if not found:
        kinds = ", ".join(sorted(endings))
        raise UserError(f"folder {folder} holds no {what}. Put files there that end in {kinds}.")
    return found


def folder_fingerprint(files: Sequence[Path], folder: Path) -> str:
    """SHA-256 over the names and contents of ``files``, which lie below ``folder``."""
    lines = (f"{path.relative_to(folder).as_posix()} {content_sha256(path)}\n" for path in files)
    return sha256("".join(lines).encode())


def content_sha256(path: Path) -> str:
    """SHA-256 of a file that is drawn from; it is read again only if it has changed since.

    A run asks more than once: for its notices, before its first word, and for its manifest.
    """
    found = path.stat()
    return _content_sha256(path, found.st_size, found.st_mtime_ns)


@functools.lru_cache(maxsize=65_536)
def _content_sha256(path: Path, size: int, changed: int) -> str:
    return sha256_file(path)
