"""What planning and drawing gave when it was last recorded.

    python tests/golden.py

records it anew. Whoever changes plans or pictures on purpose does that, looks at ``tests/golden/tiny.png``
and says in the change log that the words of a seed are others now.
"""

from __future__ import annotations

import json
import shutil
import tempfile
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


def tiny(folder: Path) -> Native:
    """An engine with one shipped font, copied to ``folder``, and little else."""
    shutil.copy(FONTS / FONT, folder)
    return recipe.build(Native, TINY | {"fonts": str(folder)}, where="tiny.toml")


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
        height, width = drawn.image.shape[:2]
        canvas[index, :height, :width] = drawn.image
    return canvas.reshape(N_IMAGES * HEIGHT, WIDTH, 3)


def record() -> None:
    """Write the files that ``test_synthgen_golden`` compares with."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in plans(Path(folder)).items():
            text = json.dumps(rows, indent=1, ensure_ascii=False)
            (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        image = sheet(tiny(Path(folder)))
    cv2.imwrite(str(FOLDER / "tiny.png"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    record()
