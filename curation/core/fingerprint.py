"""Fingerprints of bytes, pixels, code and environment, for provenance and for finding copies."""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from curation.core.images import Pixels

ROOT = Path(__file__).parents[2]


def sha256(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's content, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_json(value: Any) -> str:
    """SHA-256 of a value's canonical JSON form, so that equal recipes have equal fingerprints."""
    return sha256(json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())


def dhash128(image: Pixels) -> str:
    """Difference hash of 16 x 8 bits: each bit says whether brightness falls to the right.

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        32 hexadecimal digits, row by row. Two hashes of the same label within 23 differing bits are
        almost surely the same picture; the thresholds are measured on word crops.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (17, 8), interpolation=cv2.INTER_AREA)
    return np.packbits(small[:, :-1] > small[:, 1:]).tobytes().hex()


@functools.cache
def versions(
    packages: Iterable[str] = ("glyphmix", "numpy", "opencv-python-headless", "pyarrow"),
) -> dict[str, str]:
    """Installed versions of ``packages`` (a tuple); a package that is not installed is left out."""
    found = {}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def code_sha256(*folders: str) -> str:
    """SHA-256 over names and content of the Python files below ``folders`` of the toolkit's own tree."""
    files = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sha256_json([[path.relative_to(ROOT).as_posix(), sha256_file(path)] for path in files])


@functools.cache
def git_commit() -> str | None:
    """The commit that the running code is at, with ``+`` if files differ from it; None outside git."""
    git = ["git", "-C", str(ROOT)]
    try:
        top = subprocess.run(
            [*git, "rev-parse", "--show-toplevel", "HEAD"], capture_output=True, text=True, check=True
        )
        changed = subprocess.run(
            [*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    folder, commit = top.stdout.split()
    if Path(folder).resolve() != ROOT.resolve():
        return None  # installed inside somebody else's repository
    return commit + ("+" if changed.stdout.strip() else "")
