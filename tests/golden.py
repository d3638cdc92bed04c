"""What planning and drawing gave when it was last recorded.

    python tests/golden.py

records it anew. Whoever changes plans or pictures on purpose does that, looks at the pictures in
``tests/golden`` and says in the change log that the words of a seed are others now.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from curation.core import recipe
from curation.core.images import Pixels
from synthgen import render
from synthgen.engines.native import Native
from synthgen.materials import FONTS

FOLDER = Path(__file__).with_name("golden")
FONT = "Arvo-Regular.ttf"
SEED = 11
N_IMAGES = 8
HEIGHT, WIDTH = 48, 320  # of the place of one image on the sheet
TINY = {
    "charset": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    "max_length": 8,
    "words": [{"share": 1.0, "source": {"kind": "random_string", "length": [2, 8]}}],
    "framing": {"height_px": [24, 40]},
    "layouts": [{"share": 1.0, "layout": {"kind": kind}} for kind in ("straight", "arc", "wave")],
    "backgrounds": [{"share": 1.0, "background": {"kind": kind}} for kind in ("plain", "gradient", "split")],
    "effects": [{"share": 0.3, "effect": {"kind": kind}} for kind in ("defocus", "uneven_light", "noise")],
}


def _evenly(what: str, kinds: Iterable[str], share: float = 1.0) -> list[dict[str, Any]]:
    return [{"share": share, what: {"kind": kind}} for kind in kinds]


LOOK = TINY | {  # what ``TINY`` leaves out
    "jitter": {"share": 0.4, "initial": 0.3},
    "neighbours": {"share": 0.5},
    "posture": {"wide": 0.2, "keystone": 0.05},
    "ink": {
        "fills": _evenly("fill", ("plain", "gradient", "texture", "photo")),
        "blends": _evenly("blend", ("alpha", "grain", "poisson", "stain")),
        "decorations": _evenly("decoration", ("emboss", "extrusion", "glow"), 0.3),
        "hollow": 0.2,
        "outline": 0.3,
        "shadow": 0.3,
    },
    "backgrounds": _evenly("background", ("photo", "material", "sign")),
    "effects": _evenly("effect", ("motion_blur", "occluder", "dirt", "rain"), 0.3),
}


def tiny(folder: Path) -> Native:
    """An engine with one shipped font, copied to ``folder``, and little else."""
    return _built(TINY, folder)


def look(folder: Path) -> Native:
    """An engine with the same font and much that may be beside, on and over letters."""
    return _built(LOOK, folder)


def _built(table: dict[str, Any], folder: Path) -> Native:
    shutil.copy(FONTS / FONT, folder)
    return recipe.build(Native, table | {"fonts": str(folder)}, where="golden.toml")


SHEETS = {"tiny": tiny, "look": look}


def plan(engine: Native) -> list[dict[str, Any]]:
    """Five planned rows."""
    columns = engine.plan(SEED, 7)
    values = zip(*(column[::249].tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in values]


def plans(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The planned rows of each recipe that is recorded."""
    return {"tiny": plan(tiny(folder)), "mjst_plus": plan(render.load("mjst_plus").engine)}


def sheet(engine: Native) -> Pixels:
    """The first words, one below the other; (N_IMAGES * HEIGHT, WIDTH, 3) uint8 RGB."""
    canvas = np.zeros((N_IMAGES, HEIGHT, WIDTH, 3), np.uint8)
    for index in range(N_IMAGES):
        drawn, _, reason = render.draw(engine, SEED, index)
        assert drawn is not None, reason
        part = drawn.image[:HEIGHT, :WIDTH]
        canvas[index, : part.shape[0], : part.shape[1]] = part
    return canvas.reshape(N_IMAGES * HEIGHT, WIDTH, 3)


def record() -> None:
    """Write the files that ``test_synthgen_golden`` compares with."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in plans(Path(folder)).items():
            text = json.dumps(rows, indent=1, ensure_ascii=False)
            (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        for name, engine in SHEETS.items():
            image = sheet(engine(Path(folder)))
            cv2.imwrite(str(FOLDER / f"{name}.png"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    record()
