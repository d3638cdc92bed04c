"""A contact sheet of what a filter run dropped and repaired, by reason, for people to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from curation.core.dataset import Dataset
from curation.core.images import BrokenImageError, Pixels, decode
from curation.core.sheet import INK, PAPER, contact_sheet, write_png

HEAD_PX, COLUMNS = 26, 8
MISSING = np.full((32, 96, 3), 128, np.uint8)  # stands for a picture that cannot be decoded


def write_sheet(manifest: Mapping[str, Any], datasets: Sequence[Dataset], out: Path) -> None:
    """Write a PNG of the examples in the manifest of a filter run, captioned by label and finding."""
    parts = []
    for found in manifest["examples"]:
        step, words = manifest["funnel"][found["step"]], found["words"]
        repair = found["reason"] not in step["dropped"]
        n = step["repaired"] if repair else step["dropped"][found["reason"]]
        captions = [_caption(word, repair) for word in words]
        parts += [_heading(found, n), contact_sheet(_pictures(words, datasets), captions, columns=COLUMNS)]
    write_png(_stacked(parts or [_heading({"filter": "nothing dropped", "reason": ""}, 0)]), out)


def _caption(word: Mapping[str, Any], repair: bool) -> str:
    return f"{word['detail']} -> {word['label']}" if repair else f"{word['label']}  {word['detail']}"


def _pictures(words: Sequence[Mapping[str, Any]], datasets: Sequence[Dataset]) -> list[Pixels]:
    found = []
    for word in words:
        row = datasets[word["dataset"]].take([word["row"]], ["image"])[0]
        try:
            found.append(decode(row["image"]["bytes"]))
        except BrokenImageError:
            found.append(MISSING)
    return found


def _heading(found: Mapping[str, Any], n: int) -> Pixels:
    name = found["filter"]
    text = f"{name}: {found['reason']}" if found["reason"] not in ("", name) else name
    strip = Image.new("RGB", (COLUMNS * 168 + 8, HEAD_PX), PAPER)
    ImageDraw.Draw(strip).text(
        (8, 6), f"{text}, {n:,} {'word' if n == 1 else 'words'}", INK, font=ImageFont.load_default(16)
    )
    return np.asarray(strip)


def _stacked(parts: Sequence[Pixels]) -> Pixels:
    width = max(part.shape[1] for part in parts)
    paper = np.array(PAPER, np.uint8)
    rows = []
    for part in parts:
        row = np.full((part.shape[0], width, 3), paper)
        row[:, : part.shape[1]] = part
        rows.append(row)
    return np.concatenate(rows)
