"""Pictures of words, drawn by the tests that look for copies among them."""

from __future__ import annotations

import cv2
import numpy as np

from curation.core.fingerprint import dhash128
from curation.core.images import Pixels, decode, encode_jpeg, encode_png
from curation.core.rng import stream
from curation.core.sample import Sample

INK, PAPER = (30, 40, 120), (220, 205, 160)
FONTS = (cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_ITALIC)


def drawn(text: str, ink: tuple[int, int, int] = INK, font: int = cv2.FONT_HERSHEY_DUPLEX) -> Pixels:
    """A word on a light ground, (40, W, 3)."""
    width = cv2.getTextSize(text, font, 1.0, 2)[0][0]
    image = np.full((40, width + 16, 3), PAPER, np.uint8)
    return np.asarray(cv2.putText(image, text, (8, 30), font, 1.0, ink, 2, cv2.LINE_AA), np.uint8)


def scene(text: str, key: int) -> Pixels:
    """A word in its own colours, typeface and place on a ground of its own, different for every key."""
    rng = stream(0, "scene", key)
    ground = cv2.resize(rng.integers(0, 256, (4, 7, 3), np.uint8), (240, 48), interpolation=cv2.INTER_CUBIC)
    font, scale = FONTS[key % len(FONTS)], rng.uniform(0.9, 1.3)
    ink = (255, 255, 255) if ground.mean() < 128 else (0, 0, 0)
    width = cv2.getTextSize(text, font, scale, 2)[0][0]
    at = int(rng.integers(4, 12)), int(rng.integers(32, 38))
    drawn_ = cv2.putText(ground, text, at, font, scale, ink, 2, cv2.LINE_AA)
    return np.ascontiguousarray(drawn_[:, : width + 20])


def sample(uid: str, label: str, image: Pixels, *, jpeg: int | None = None, **more: object) -> Sample:
    """A word as importers make it; ``uid`` begins with its source; ``jpeg`` is the quality, None for PNG."""
    data = encode_png(image) if jpeg is None else encode_jpeg(image, jpeg)
    pixels = decode(data)
    size = pixels.shape[1], pixels.shape[0]
    values = {"source": uid.partition(":")[0], "dhash128": dhash128(pixels), "size": size} | more
    return Sample(uid=uid, image=data, label=label, **values)
