"""Crops of photos."""

from __future__ import annotations

import functools
import io
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from curation.core.errors import UserError
from curation.core.images import MAX_PIXELS, BrokenImageError, Pixels, decode
from synthgen.backgrounds.base import backgrounds
from synthgen.choices import check_range
from synthgen.materials import PHOTO_ENDINGS, PHOTOS, folder_fingerprint, listing
from synthgen.pools import offset

LONG_SIDE_PX = 640  # photos are kept at this size: a crop is a tenth of one, and memory stays flat
AT_ONCE = 32  # photos that a block of words is drawn from, so that each is decoded for more than one word
_KEPT = 2 * AT_ONCE


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
        candidates: Positions that are looked at; the smoothest is taken, as SynthText puts text on smooth
            regions.
    """

    folder: Path | None = None
    height: tuple[float, float] = (0.05, 0.5)
    strength: tuple[float, float] = (0.2, 0.8)
    levels: float = 28.0
    candidates: int = 1

    def __post_init__(self) -> None:
        check_range("height", self.height, 0.001, 1)
        check_range("strength", self.strength, 0, 1)
        check_range("levels", (0, self.levels), 0, 255)
        if not 1 <= self.candidates <= 64:
            raise ValueError(f"candidates must be from 1 to 64, got {self.candidates}")

    def inputs(self) -> dict[str, Any]:
        """Count and fingerprint of the photos, and those that are no pictures, for the manifest.

        Raises:
            UserError: not one of the photos can be read.
        """
        folder = self.folder or PHOTOS
        photos = listing(folder, PHOTO_ENDINGS, "photos")
        found = {"count": len(photos), "sha256": folder_fingerprint(photos, folder)}
        foreign = [p.relative_to(folder).as_posix() for p in photos if not cv2.haveImageReader(str(p))]
        if not any(_is_readable(path) for path in photos):
            raise UserError(
                f"not one of the {len(photos)} photos in {folder} can be read. "
                "Give a folder of JPEG, PNG, WebP or BMP files."
            )
        return found | ({"unreadable": foreign} if foreign else {})

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        folder = self.folder or PHOTOS
        names = _names(folder.absolute(), folder.stat().st_mtime_ns)
        if len(names) > AT_ONCE:
            names = rng.choice(names, AT_ONCE, replace=False)
        columns = {
            "name": names[rng.integers(0, len(names), n)],
            "height": np.exp(rng.uniform(*np.log(self.height), n)),
            "strength": rng.uniform(*self.strength, n),
            "u": rng.random(n),
            "v": rng.random(n),
        }
        more = rng.random((self.candidates - 1, 2, n))
        for i, (u, v) in enumerate(more, start=2):
            columns |= {f"u_{i}": u, f"v_{i}": v}
        return columns

    def apply(
        self, image: np.ndarray, *, name: str, height: float, strength: float, **at: float
    ) -> np.ndarray:
        path = ((self.folder or PHOTOS) / name).absolute()
        photo, changed = _opened(path)
        high, wide = image.shape[:2]
        crop_high = min(photo.shape[0], max(2, round(height * photo.shape[0])))
        crop_wide = min(photo.shape[1], max(2, round(crop_high * wide / high)))
        places = [
            (offset(at[f"v{i}"], photo.shape[0] - crop_high), offset(at[f"u{i}"], photo.shape[1] - crop_wide))
            for i in ("", *(f"_{i}" for i in range(2, self.candidates + 1)))
        ]
        top, left = places[0]
        if len(places) > 1:
            sums = _detail(path, changed)
            top, left = min(places, key=lambda place: _inside(sums, *place, crop_high, crop_wide))
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


def _is_readable(path: Path) -> bool:
    try:
        _load(path, path.stat().st_mtime_ns)
    except (OSError, BrokenImageError):
        return False
    return True


def _opened(path: Path) -> tuple[Pixels, int]:
    """The photo at ``path`` and when it was changed; one that is unreadable is logged once a process.

    A file that is no picture at all has been named before the first word: see ``synthgen.notices``.

    Raises:
        BrokenImageError: it cannot be read.
    """
    try:
        changed = path.stat().st_mtime_ns
        return _load(path, changed), changed
    except (OSError, BrokenImageError) as error:
        if cv2.haveImageReader(str(path)) or not path.exists():
            _name(path, str(error))
        raise BrokenImageError(f"photo {path}: {error}") from error


@functools.lru_cache(maxsize=1024)
def _name(path: Path, why: str) -> None:
    _log.warning("photo %s cannot be read (%s); words planned on it are drawn again on another.", path, why)


_log = logging.getLogger(__name__)


@functools.lru_cache(maxsize=_KEPT)
def _load(path: Path, changed: int) -> Pixels:
    """A photo at ``LONG_SIDE_PX``; raises BrokenImageError for a file that is none."""
    data = path.read_bytes()
    photo = _decode_large(data) if _long_side(data) >= 2 * LONG_SIDE_PX else decode(data)
    scale = LONG_SIDE_PX / max(photo.shape[:2])
    if scale >= 1:
        return photo
    size = max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA)


def _long_side(data: bytes) -> int:
    """The longer side in pixels as the file's header states it; 0 if it states none."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as header:
            return max(header.size) if header.size[0] * header.size[1] <= MAX_PIXELS else 0
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return 0  # decode() says what is wrong with it


def _decode_large(data: bytes) -> Pixels:
    """Decode at a half, a quarter or an eighth of the size, several times faster where the file is a JPEG."""
    factor = min(8, 2 ** int(np.log2(_long_side(data) / LONG_SIDE_PX)))
    flags = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags[factor] | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise BrokenImageError(f"{len(data)} bytes that are no readable image")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


@functools.lru_cache(maxsize=_KEPT)
def _detail(path: Path, changed: int) -> np.ndarray:
    """Sums of the steps between neighbouring pixels, over all rectangles from the upper left corner."""
    grey = cv2.cvtColor(_load(path, changed), cv2.COLOR_RGB2GRAY)
    steps = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return cv2.integral(steps)


def _inside(sums: np.ndarray, top: int, left: int, high: int, wide: int) -> int:
    bottom, right = top + high, left + wide
    return int(sums[bottom, right]) - int(sums[top, right]) - int(sums[bottom, left]) + int(sums[top, left])
