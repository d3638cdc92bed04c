"""Pictures as large as a zip bomb are refused by what their first bytes say."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from curation.core.image_headers import claimed_size
from curation.core.images import MAX_PIXELS, BrokenImageError, decode
from curation.core.rng import stream

NOISE = stream(0, "noise").integers(0, 256, (37, 53, 3), np.uint8)


def pillow(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(NOISE).save(file, kind, **options)
    return file.getvalue()


def opencv(extension: str, *options: int) -> bytes:
    return cv2.imencode(extension, NOISE, options)[1].tobytes()


FILES = {
    "jpeg": pillow("JPEG"),
    "jpeg progressive": pillow("JPEG", progressive=True),
    "jpeg with Exif and comment": pillow("JPEG", exif=Image.Exif(), comment=b"\xff\xc0 is no frame" * 9),
    "png": pillow("PNG"),
    "webp lossy": pillow("WEBP"),
    "webp lossless": pillow("WEBP", lossless=True),
    "webp extended": pillow("WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"),
    "bmp": pillow("BMP"),
    "tiff": pillow("TIFF"),
    "tiff big": pillow("TIFF", big_tiff=True),
    "gif": pillow("GIF"),
    "tiff of OpenCV": opencv(".tiff"),
    "webp of OpenCV": opencv(".webp", cv2.IMWRITE_WEBP_QUALITY, 80),
    "jpeg of OpenCV": opencv(".jpg"),
}


@pytest.mark.parametrize("name", FILES)
def test_size_is_read_from_the_header(name: str) -> None:
    assert claimed_size(FILES[name]) == (53, 37)
    if name != "tiff big":  # which OpenCV may or may not have been built for
        assert decode(FILES[name]).shape == (37, 53, 3)


def test_motorola_order_and_upside_down() -> None:
    entries = struct.pack(">HHIHH", 256, 3, 1, 53, 0) + struct.pack(">HHII", 257, 4, 1, 37)
    assert claimed_size(b"MM\0*" + struct.pack(">IH", 8, 2) + entries) == (53, 37)
    assert claimed_size(b"BM" + bytes(12) + struct.pack("<Iii", 40, 53, -37)) == (53, 37)
    assert claimed_size(b"BM" + bytes(12) + struct.pack("<IHH", 12, 53, 37)) == (53, 37)


def png_bomb() -> bytes:
    chunk = b"IHDR" + struct.pack(">II", 100_000, 100_000) + b"\x08\x02\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def claiming(name: str, size: tuple[int, int]) -> bytes:
    """A small file whose header claims ``size``."""
    width, height = size
    data = FILES[name]
    places = {  # what the true size looks like in the file, and what is written in its stead
        "jpeg": (struct.pack(">HH", 37, 53), struct.pack(">HH", height, width)),
        "gif": (struct.pack("<HH", 53, 37), struct.pack("<HH", width, height)),
        "bmp": (struct.pack("<ii", 53, 37), struct.pack("<ii", width, height)),
        "webp lossy": (struct.pack("<HH", 53, 37), struct.pack("<HH", width, height)),
        "webp lossless": (
            struct.pack("<I", 52 | 36 << 14),
            struct.pack("<I", (width - 1) | (height - 1) << 14),
        ),
        "webp extended": (bytes([52, 0, 0, 36, 0, 0]), b"".join((n - 1).to_bytes(3, "little") for n in size)),
    }
    old, new = places[name]
    assert old in data
    return data.replace(old, new, 1)


@pytest.mark.parametrize(
    ("data", "pixels"),
    [
        pytest.param(png_bomb(), 100_000**2, id="png"),
        pytest.param(claiming("jpeg", (65_000, 65_000)), 65_000**2, id="jpeg"),
        pytest.param(claiming("gif", (65_000, 65_000)), 65_000**2, id="gif"),
        pytest.param(claiming("bmp", (65_000, 65_000)), 65_000**2, id="bmp"),
        pytest.param(claiming("webp lossy", (16_000, 16_000)), 16_000**2, id="webp lossy"),
        pytest.param(claiming("webp lossless", (16_000, 16_001)), 16_000 * 16_001, id="webp lossless"),
        pytest.param(claiming("webp extended", (16_000, 16_000)), 16_000**2, id="webp extended"),
        pytest.param(
            b"II*\0"
            + struct.pack("<IH", 8, 2)
            + struct.pack("<HHII", 256, 4, 1, 10**5)
            + struct.pack("<HHII", 257, 4, 1, 10**5),
            10**10,
            id="tiff",
        ),
    ],
)
def test_bombs_are_refused(data: bytes, pixels: int) -> None:
    with pytest.raises(BrokenImageError) as caught:
        decode(data)
    assert str(caught.value) == f"{pixels} pixels are more than the {MAX_PIXELS} allowed"


@given(st.sampled_from(sorted(FILES)), st.integers(0, 400), st.binary(max_size=12))
def test_damaged_headers_never_break_it(name: str, at: int, junk: bytes) -> None:
    data = FILES[name]
    for damaged in (data[:at], data[:at] + junk + data[at + len(junk) :]):
        width, height = claimed_size(damaged)
        assert width >= 0
        assert height >= 0
