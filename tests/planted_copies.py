"""Words that look like words, so that copies of them can be planted."""

from __future__ import annotations

import cv2
import numpy as np

from curation.core.fingerprint import dhash128
from curation.core.images import decode, encode_png
from curation.core.sample import Sample


def picture(seed: int, text: str = "", size: tuple[int, int] = (96, 32)) -> np.ndarray:
    """A word on a smooth background, each seed in its own colours and place."""
    rng = np.random.default_rng(seed)
    background = rng.integers(60, 200, (4, 8, 3), np.uint8)
    image = cv2.resize(background, size, interpolation=cv2.INTER_CUBIC)
    colour = tuple(int(c) for c in rng.integers(0, 256, 3))
    text = text or "".join(rng.choice(list("abcdehkmnoprstuwxyz"), 5))
    place = int(rng.integers(2, 12)), int(rng.integers(20, 27))
    cv2.putText(image, text, place, int(rng.integers(0, 5)), rng.uniform(0.6, 0.9), colour, 2, cv2.LINE_AA)
    return image


def sample(uid: str, image: np.ndarray | bytes, label: str = "word", **fields: object) -> Sample:
    data = image if isinstance(image, bytes) else encode_png(image)
    pixels = None if isinstance(image, bytes) and len(image) < 20 else decode(data)
    height, width = (16, 40) if pixels is None else pixels.shape[:2]
    return Sample(
        uid=uid,
        image=data,
        label=label,
        size=(width, height),
        source=uid.partition(":")[0],
        dhash128=None if pixels is None else dhash128(pixels),
        **fields,  # type: ignore[arg-type]
    )
