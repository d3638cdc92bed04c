"""Contact sheets: many words at a glance, each with a caption."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from curation.core.files import whole
from curation.core.images import Pixels, encode_png

PAPER, INK, CAPTION_PX = (250, 250, 248), (60, 60, 60), 14


def contact_sheet(
    images: Sequence[Pixels], captions: Sequence[str], *, columns: int = 8, cell: tuple[int, int] = (160, 48)
) -> Pixels:
    """Lay words out in a grid, row by row, each scaled to fit its cell and captioned below.

    Args:
        images: Each (h, w, 3) uint8 RGB.
        captions: One for each image; cut off where they outgrow the cell.
        columns: Words in a row.
        cell: Width and height of the picture's place in a cell, in pixels.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    width, height = cell
    step_x, step_y = width + 8, height + CAPTION_PX + 10
    n_rows = max(1, -(-len(images) // columns))
    sheet = Image.new("RGB", (columns * step_x + 8, n_rows * step_y + 8), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(CAPTION_PX - 2)
    for i, (image, caption) in enumerate(zip(images, captions, strict=True)):
        left, top = 8 + i % columns * step_x, 8 + i // columns * step_y
        scale = min(width / image.shape[1], height / image.shape[0])
        size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
        picture = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        sheet.paste(Image.fromarray(picture), (left, top))
        draw.text((left, top + height), _fit(caption, draw, font, width), INK, font=font)
    return np.asarray(sheet)


def write_png(image: Pixels, out: Path) -> None:
    """Write (H, W, 3) uint8 RGB to the file ``out``, whole or not at all; its folders are made."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with whole(out) as draft:
        draft.write_bytes(encode_png(image))


def _fit(
    text: str, draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int
) -> str:
    while text and draw.textlength(text, font=font) > width:
        text = text[:-1]
    return text
