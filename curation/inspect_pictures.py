"""Small pictures of words for a page, within a budget of bytes."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from curation.core.dataset import Dataset
from curation.core.images import BrokenImageError, decode, encode_jpeg

HIGH_PX, WIDE_PX = 48, 220  # a picture's place on the page, twice as many pixels as it takes there at most
BUDGET = 1_500_000  # bytes of pictures in base 64: the page stays below 3 MB
LONGEST = 60  # characters of a label or uid that are shown


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A word on the page; ``uri`` is empty where its picture cannot be read."""

    uri: str
    width: int
    height: int
    label: str
    uid: str


def pictures(
    datasets: Sequence[Dataset], sheets: Mapping[str, Sequence[int]], *, budget: int = BUDGET
) -> dict[str, list[Picture]]:
    """Fetch the words of ``sheets``, numbered over all ``datasets``.

    Where all would take more than ``budget`` bytes, every sheet keeps the same share of its words.
    """
    rows = np.unique(np.array([row for sheet in sheets.values() for row in sheet], np.int64))
    found = dict(zip(rows.tolist(), (_picture(word) for word in _take(datasets, rows)), strict=True))
    made = {name: [found[row] for row in sheet] for name, sheet in sheets.items()}
    total = sum(len(picture.uri) for sheet in made.values() for picture in sheet)
    share = min(1.0, budget / total) if total else 1.0
    return {name: sheet[: max(1, int(share * len(sheet)))] for name, sheet in made.items() if sheet}


def _take(datasets: Sequence[Dataset], rows: NDArray[np.int64]) -> list[dict[str, Any]]:
    found, first = [], 0
    for dataset in datasets:
        here = rows[(rows >= first) & (rows < first + len(dataset))] - first
        found += dataset.take(here, ["image", "label", "uid"])
        first += len(dataset)
    return found


def _picture(word: Mapping[str, Any]) -> Picture:
    label, uid = cut(word["label"] or "", 32), cut(word["uid"] or "")
    try:
        image = decode((word["image"] or {}).get("bytes") or b"")
    except BrokenImageError:
        return Picture(uri="", width=HIGH_PX, height=HIGH_PX // 2, label=label, uid=uid)
    height, width = image.shape[:2]
    scale = min(HIGH_PX / height, WIDE_PX / width)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    uri = "data:image/jpeg;base64," + base64.b64encode(encode_jpeg(image, 80)).decode()
    return Picture(uri=uri, width=image.shape[1], height=image.shape[0], label=label, uid=uid)


def cut(text: str, most: int = LONGEST) -> str:
    """Text as it may be shown: what cannot be printed by its number, and not too much of it."""
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[: most + 1])
    return shown if len(shown) <= most else shown[: most - 1] + "…"
