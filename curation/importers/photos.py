"""What importers of whole photos with outlined words have in common."""

from __future__ import annotations

import functools
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from curation.core.errors import UserError
from curation.core.images import BrokenImageError, Pixels, decode, encode_png
from curation.cropping import Box, Cropping, OutlineError, bounds, check_outline, corners
from curation.importers.base import Cut, Unusable, Word, inside

OPEN_IMAGES = re.compile("[0-9a-f]{16}")


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
        label_published: str | None = None,
    ) -> Word | Unusable:
        """Make a word of this photo.

        Args:
            id: As in ``Word``.
            label: As in ``Word``.
            box: Left, top, width, height in pixels as published; what is cut unless the word is straightened.
            outline: x and y in turn of its polygon as published.
            label_published: As in ``Word``; ignored if it is the label but for spaces around it.

        Returns:
            The word, or why it cannot be one (``degenerate_outline``).
        """
        try:
            frame = None if box is None else as_box(box)
            if outline is not None and not (frame and self._cropping.crop == "box"):
                check_outline(outline)
        except OutlineError as error:
            return Unusable(id=id, reason="degenerate_outline", detail=str(error))
        if outline is None or (frame and self._cropping.crop == "box"):
            if frame is None:
                raise ValueError("a word needs a box or an outline")
            target: Sequence[float] = corners(frame)
        else:
            target = outline
        repaired = label_published is not None and label_published.strip() != label
        return Word(
            id=id,
            label=label,
            read=functools.partial(self.cut, target),
            origin_image=self._origin,
            origin_box=frame or bounds(target),
            origin_polygon=outline if outline is not None and is_outline(outline) else None,
            label_published=label_published if repaired else None,
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


def as_box(box: Sequence[float]) -> Box:
    """Check a published box: left, top, width, height.

    Raises:
        OutlineError: another number of values, one that is not finite, or no area.
    """
    if len(box) != 4:
        raise OutlineError(f"a box of {len(box)} numbers, expected 4")
    if not all(map(math.isfinite, box)):
        raise OutlineError(f"a box that is not finite: {[*box]}")
    if not (box[2] > 0 and box[3] > 0):
        raise OutlineError(f"a box without area, {box[2]:g} wide and {box[3]:g} high")
    left, top, width, height = box
    return left, top, width, height


def is_outline(outline: Sequence[float]) -> bool:
    """Whether a word can have this outline."""
    try:
        check_outline(outline)
    except OutlineError:
        return False
    return True


def first_of(src: Path, names: Sequence[str], where: str) -> Path:
    """The first of ``names`` that is a file below ``src``; if none is, the first.

    Raises:
        UserError: one leads out of ``src``; ``where`` is its position for the message.
    """
    return first_file([inside(src, name, where) for name in names])


def first_file(paths: Sequence[Path]) -> Path:
    """The first of ``paths`` that is a file; if none is, the first."""
    try:
        return next((path for path in paths if path.is_file()), paths[0])
    except OSError:  # a loop of links, or too long a name: reading it will say so
        return paths[0]


def open_images(name: str) -> str:
    """What words call a photo of Open Images, whose files have its 16 digits for a name."""
    stem = PurePosixPath(name).stem
    return f"openimages:{stem}" if OPEN_IMAGES.fullmatch(stem) else name


def numbers(value: Any, where: str) -> tuple[float, ...]:
    """Take a list of numbers out of an annotation file; a list of pairs is laid out flat.

    Those too large for a float become infinite, which makes a reject of the word.

    Raises:
        UserError: it is anything else; ``where`` is its position for the message.
    """
    if isinstance(value, list):
        pairs = all(isinstance(item, list) and len(item) == 2 for item in value)
        flat = [part for item in value for part in item] if pairs else value
        if {*map(type, flat)} <= {int, float}:
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
