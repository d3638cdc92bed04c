"""Crops of photos."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from curation.core.images import Pixels, decode
from synthgen.backgrounds.base import backgrounds
from synthgen.choices import check_range
from synthgen.materials import PHOTO_ENDINGS, PHOTOS, folder_fingerprint, listing
from synthgen.pools import offset

LONG_SIDE_PX = 640  # photos are kept at this size: a crop is a tenth of one, and memory stays flat


@backgrounds.add("photo")
@dataclass(frozen=True, kw_only=True, slots=True)
class Photo:
    """Lay a crop of a photo over the card, moved to the card's mean colour.

    Source: SynthText's real backgrounds (arXiv:1604.06646); keeping the planned mean is ours, so that
    the text colour stays right.

    Attributes:
        folder: Photos, with folders below; None for those that are shipped.
        height: Least and greatest height of the crop against the photo's; drawn on a log scale.
        strength: Least and greatest share of the photo's own contrast that is kept, 0 to 1.
        levels: Greatest standard deviation of what is added, in grey levels; busier crops are muted.
    """

    folder: Path | None = None
    height: tuple[float, float] = (0.05, 0.5)
    strength: tuple[float, float] = (0.2, 0.8)
    levels: float = 28.0

    def __post_init__(self) -> None:
        check_range("height", self.height, 0.001, 1)
        check_range("strength", self.strength, 0, 1)
        check_range("levels", (0, self.levels), 0, 255)

    def inputs(self) -> dict[str, Any]:
        """Count and fingerprint of the photos, and those that are no pictures, for the manifest."""
        folder = self.folder or PHOTOS
        photos = listing(folder, PHOTO_ENDINGS, "photos")
        found = {"count": len(photos), "sha256": folder_fingerprint(photos, folder)}
        foreign = [p.relative_to(folder).as_posix() for p in photos if not cv2.haveImageReader(str(p))]
        return found | ({"unreadable": foreign} if foreign else {})

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        folder = self.folder or PHOTOS
        names = _names(folder.absolute(), folder.stat().st_mtime_ns)
        return {
            "name": names[rng.integers(0, len(names), n)],
            "height": np.exp(rng.uniform(*np.log(self.height), n)),
            "strength": rng.uniform(*self.strength, n),
            "u": rng.random(n),
            "v": rng.random(n),
        }

    def apply(
        self, image: np.ndarray, *, name: str, height: float, strength: float, u: float, v: float
    ) -> np.ndarray:
        path = (self.folder or PHOTOS) / name
        photo = _load(path.absolute(), path.stat().st_mtime_ns)
        high, wide = image.shape[:2]
        crop_high = min(photo.shape[0], max(2, round(height * photo.shape[0])))
        crop_wide = min(photo.shape[1], max(2, round(crop_high * wide / high)))
        top, left = offset(v, photo.shape[0] - crop_high), offset(u, photo.shape[1] - crop_wide)
        crop = photo[top : top + crop_high, left : left + crop_wide]
        crop = cv2.resize(crop, (wide, high), interpolation=cv2.INTER_LINEAR)
        mean, deviation = cv2.meanStdDev(crop)
        gain = min(strength, self.levels / max(float(deviation.max()), 1e-3))
        moved = cv2.addWeighted(image, 1.0, crop, gain, 0, dtype=cv2.CV_16S)
        return cv2.subtract(moved, (*(mean[:, 0] * gain), 0.0), dtype=cv2.CV_8U)


@functools.lru_cache(maxsize=8)
def _names(folder: Path, changed: int) -> np.ndarray:
    photos = listing(folder, PHOTO_ENDINGS, "photos")
    return np.array([path.relative_to(folder).as_posix() for path in photos], object)


@functools.lru_cache(maxsize=128)
def _load(path: Path, changed: int) -> Pixels:
    """A photo at ``LONG_SIDE_PX``; raises BrokenImageError for a file that is none."""
    photo = decode(path.read_bytes())
    scale = LONG_SIDE_PX / max(photo.shape[:2])
    if scale >= 1:
        return photo
    size = max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
