"""Cutting words out of photos."""

from __future__ import annotations

from curation.core.images import Pixels


class OutsideError(ValueError):
    """A box that has no pixel in its photo."""


def crop_box(photo: Pixels, box: tuple[float, float, float, float]) -> Pixels:
    """Cut an upright box out of ``photo``, clipped to its edges.

    Args:
        photo: (H, W, 3) uint8 RGB.
        box: Left, top, width, height in pixels; the outermost pixels it touches belong to the crop.

    Returns:
        (h, w, 3) uint8 RGB, a view.

    Raises:
        OutsideError: no pixel of the box lies in the photo.
    """
    left, top, width, height = box
    rows = slice(max(0, int(top // 1)), min(photo.shape[0], int(-(-(top + height) // 1))))
    columns = slice(max(0, int(left // 1)), min(photo.shape[1], int(-(-(left + width) // 1))))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        raise OutsideError(f"the box {box} has no pixel in a photo of {photo.shape[1]}x{photo.shape[0]}")
    return photo[rows, columns]
