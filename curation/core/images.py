"""Decoding and encoding of word images, in one place so that every stage sees the same pixels."""

from __future__ import annotations

import struct

import cv2
import numpy as np
from numpy.typing import NDArray

from curation.core.image_headers import claimed_size, is_known

Pixels = NDArray[np.uint8]

PNG = b"\x89PNG\r\n\x1a\n"
# Of what is wrong with an image BrokenImageError tells; OpenCV would write it to standard error besides.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

MAX_PIXELS = 64_000_000  # a 64-megapixel photo; a word crop is a thousand times smaller


class BrokenImageError(ValueError):
    """The bytes are not an image that can be read; the message says what they are instead."""


def decode(data: bytes) -> Pixels:
    """Decode a JPEG, PNG, WebP, BMP, TIFF or GIF file to (H, W, 3) uint8 RGB.

    Transparency is dropped and grey is repeated over the channels. The orientation tag of a photo is
    ignored, because boxes in annotation files are measured on the stored pixels.

    Raises:
        BrokenImageError: empty, truncated, not an image, or more than ``MAX_PIXELS`` pixels.
    """
    if not data:
        raise BrokenImageError("the file is empty")
    if not is_known(data):  # OpenCV reads more kinds, whose headers nobody would have looked at
        raise BrokenImageError(f"{len(data)} bytes that are no readable image")
    width, height = claimed_size(data)
    if width * height > MAX_PIXELS:
        raise BrokenImageError(f"{width * height} pixels are more than the {MAX_PIXELS} allowed")
    if _truncated_jpeg(data):
        raise BrokenImageError("the JPEG file is cut short")
    if _truncated_png(data):
        raise BrokenImageError("the PNG file is cut short")
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise BrokenImageError("OpenCV refuses it") from error
    if image is None:
        raise BrokenImageError(f"{len(data)} bytes that are no readable image")
    if image.shape[0] * image.shape[1] > MAX_PIXELS:
        raise BrokenImageError(f"{image.shape[0] * image.shape[1]} pixels are more than {MAX_PIXELS}")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def encode_jpeg(image: Pixels, quality: int = 90) -> bytes:
    """Encode (H, W, 3) uint8 RGB as JPEG with 4:2:0 chroma; ``quality`` from 1 to 100."""
    return _encode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])


def encode_png(image: Pixels) -> bytes:
    """Encode (H, W, 3) uint8 RGB as PNG, fast rather than small."""
    return _encode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])


def _encode(extension: str, image: Pixels, options: list[int]) -> bytes:
    done, data = cv2.imencode(extension, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"cannot encode an image of shape {image.shape} as {extension}")
    return data.tobytes()


def _truncated_png(data: bytes) -> bool:
    """OpenCV makes room for as many bytes as a chunk claims, gigabytes if need be, before it reads them."""
    at = 8
    while data.startswith(PNG) and at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IEND":
            return False
        at += 12 + length
    return data.startswith(PNG)


def _truncated_jpeg(data: bytes) -> bool:
    """Some builds of OpenCV fill the missing part of a JPEG with grey in silence; the end mark tells.

    Scan data never holds the mark FFD9, and what cameras append comes after it; so one after the start
    of the last scan (FFDA) means that the picture is whole.
    """
    return data.startswith(b"\xff\xd8") and data.find(b"\xff\xd9", max(0, data.rfind(b"\xff\xda"))) < 0
