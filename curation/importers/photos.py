"""What importers of whole photos with outlined words have in common."""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from curation.core.errors import UserError
from curation.core.images import BrokenImageError, Pixels, decode, encode_png
from curation.cropping import Box, Cropping, OutlineError, as_points, bounds, corners
from curation.importers.base import Cut, Unusable, Word


@dataclass(frozen=True, kw_only=True, slots=True)
class Photos:
    """The options of an importer that cuts its words out of photos; such importers derive from it.

    Crops are stored as PNG by default: the photos are JPEG files, and a second compression adds damage. On
    the 257 words of SVT, ``jpeg`` makes them 2.3 times smaller at a median PSNR of 48 dB.

    Attributes:
        crop: ``box`` or ``rectify``; see ``curation.cropping.Cropping``.
        pad_px: What is added on every side of a word, in pixels.
        store: ``png``, or ``jpeg`` with the photo's own quantisation tables, as PARSeq's converters write
            crops; photos that are no JPEG files give PNG all the same.
    """

    crop: Literal["box", "rectify"] = "box"
    pad_px: int = 0
    store: Literal["png", "jpeg"] = "png"

    def __post_init__(self) -> None:
        Cropping(crop=self.crop, pad_px=self.pad_px)

    def photo(self, path: Path, origin: str) -> Photo:
        """The photo at ``path``, which words then call ``origin``."""
        return Photo(path, origin, Cropping(crop=self.crop, pad_px=self.pad_px), self.store)


class Photo:
    """One photo, which is read once, when the picture of its first word is.

    Make one for each photo and let go of it before the next: it holds the decoded pixels.

    Args:
        path: The file.
        origin: What words call it: ``origin_image`` of ``curation.core.sample.Sample``.
        cropping: How words are cut out.
        store: ``png`` or ``jpeg``; see ``Photos``.
    """

    def __init__(self, path: Path, origin: str, cropping: Cropping, store: str = "png") -> None:
        self._path = path
        self._origin = origin
        self._cropping = cropping
        self._store = store
        self._pixels: Pixels | None = None
        self._tables: Any = None
        self._fault: BrokenImageError | None = None

    def word(
        self,
        *,
        id: str,
        label: str,
        box: Sequence[float] | None = None,
        outline: Sequence[float] | None = None,
    ) -> Word | Unusable:
        """Make a word of this photo.

        Args:
            id: As in ``Word``.
            label: As in ``Word``.
            box: Left, top, width, height in pixels as published; what is cut, if there is no outline.
            outline: x and y in turn of its polygon as published.

        Returns:
            The word, or why it cannot be one (``degenerate_outline``).
        """
        try:
            if outline is not None:
                as_points(outline)
                around: Box = bounds(outline)
            else:
                around = as_box(box)
        except OutlineError as error:
            return Unusable(id=id, reason="degenerate_outline", detail=str(error))
        return Word(
            id=id,
            label=label,
            read=functools.partial(self.cut, corners(around) if outline is None else outline),
            origin_image=self._origin,
            origin_box=around if box is None else _four(box),
            origin_polygon=outline,
        )

    def cut(self, outline: Sequence[float]) -> Cut:
        """Cut one word out; raises as ``Word.read`` says."""
        pixels = self._decoded()
        crop = self._cropping.cut(pixels, outline)
        image = encode_png(crop) if self._tables is None else _jpeg(crop, self._tables)
        return Cut(image=image, photo_size=(pixels.shape[1], pixels.shape[0]))

    def _decoded(self) -> Pixels:
        if self._fault is not None:  # once is enough to find out
            raise self._fault
        if self._pixels is None:
            data = self._path.read_bytes()
            try:
                self._pixels = decode(data)
            except BrokenImageError as error:
                self._fault = error
                raise
            self._tables = _quantisation(data) if self._store == "jpeg" else None
        return self._pixels


def as_box(box: Sequence[float] | None) -> Box:
    """Check a published box: left, top, width, height.

    Raises:
        OutlineError: another number of values, one that is not finite, or no area.
    """
    if box is None or len(box) != 4:
        raise OutlineError(f"a box of {0 if box is None else len(box)} numbers, expected 4")
    if not all(map(math.isfinite, box)):
        raise OutlineError(f"a box that is not finite: {[*box]}")
    if not (box[2] > 0 and box[3] > 0):
        raise OutlineError(f"a box without area, {box[2]:g} wide and {box[3]:g} high")
    return _four(box)


def numbers(value: Any, where: str) -> tuple[float, ...]:
    """Take a list of numbers out of an annotation file; a list of pairs is laid out flat.

    Those too large for a float become infinite, which makes a reject of the word.

    Raises:
        UserError: it is anything else; ``where`` is its position for the message.
    """
    if isinstance(value, list):
        flat = [part for item in value for part in (item if isinstance(item, list) else [item])]
        if all(type(part) in (int, float) for part in flat):
            return tuple(map(_float, flat))
    raise UserError(f"{where} is {shown(value)}, not a list of numbers. Give the publisher's own file.")


def shown(value: Any) -> str:
    """A value of an annotation file for a message, cut to a fair length."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _four(box: Sequence[float]) -> Box:
    left, top, width, height = box
    return left, top, width, height


def _quantisation(data: bytes) -> Any:
    """The quantisation tables of a JPEG file; None for another kind."""
    from PIL import Image

    if not data.startswith(b"\xff\xd8"):
        return None
    with Image.open(io.BytesIO(data)) as photo:
        return getattr(photo, "quantization", None)


def _jpeg(crop: Pixels, tables: Any) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(crop).save(file, "JPEG", qtables=tables)
    return file.getvalue()
