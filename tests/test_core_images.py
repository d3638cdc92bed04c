"""Every stage sees the same pixels, and broken files are told apart."""

from __future__ import annotations

import resource
import struct

import cv2
import numpy as np
import pytest

from curation.core.fingerprint import dhash128
from curation.core.images import BrokenImageError, decode, encode_jpeg, encode_png
from curation.core.rng import stream


@pytest.fixture
def noise() -> np.ndarray:
    return stream(0, "noise").integers(0, 256, (24, 40, 3), np.uint8)


def opencv_png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """Insert an Exif header that tells a viewer to turn the picture."""
    tiff = b"II*\0\x08\0\0\0" + struct.pack("<HHHIHH", 1, 0x0112, 3, 1, orientation, 0) + bytes(4)
    exif = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


def test_png_round_trip_is_exact(noise: np.ndarray) -> None:
    np.testing.assert_array_equal(decode(encode_png(noise)), noise)


def test_jpeg_round_trip_is_close() -> None:
    card = np.full((24, 40, 3), (200, 40, 90), np.uint8)
    assert abs(decode(encode_jpeg(card, 95)).astype(int) - card).max() <= 3


def test_grey_is_repeated_over_the_channels() -> None:
    grey = np.arange(24 * 40, dtype=np.uint16).reshape(24, 40).astype(np.uint8)
    np.testing.assert_array_equal(decode(opencv_png(grey)), np.repeat(grey[:, :, None], 3, axis=2))


def test_sixteen_bits_become_eight() -> None:
    decoded = decode(opencv_png(np.full((4, 4), 0x8000, np.uint16)))
    assert decoded.dtype == np.uint8
    assert (decoded == 128).all()


def test_transparency_is_dropped(noise: np.ndarray) -> None:
    alpha = np.dstack([noise[:, :, ::-1], np.zeros(noise.shape[:2], np.uint8)])  # OpenCV's BGR
    np.testing.assert_array_equal(decode(opencv_png(alpha)), noise)


@pytest.mark.parametrize("orientation", [3, 6])
def test_orientation_tag_is_ignored(orientation: int, noise: np.ndarray) -> None:
    jpeg = encode_jpeg(noise)
    turned = with_orientation(jpeg, orientation)
    assert not np.array_equal(
        cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1], decode(jpeg)
    )
    np.testing.assert_array_equal(decode(turned), decode(jpeg))


@pytest.mark.parametrize("extension", [".webp", ".bmp", ".tiff"])
def test_other_formats(extension: str) -> None:
    card = np.full((24, 40, 3), 90, np.uint8)
    decoded = decode(cv2.imencode(extension, card)[1].tobytes())
    assert abs(decoded.astype(int) - 90).max() <= 2


def broken(data: bytes) -> str:
    with pytest.raises(BrokenImageError) as caught:
        decode(data)
    return str(caught.value)


def test_empty() -> None:
    assert broken(b"") == "the file is empty"


def test_no_image() -> None:
    assert broken(b"<html>404</html>") == "16 bytes that are no readable image"


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.99])
def test_jpeg_cut_short(kept: float, noise: np.ndarray) -> None:
    data = encode_jpeg(noise)
    assert broken(data[: int(len(data) * kept)]) == "the JPEG file is cut short"


def test_png_cut_short(noise: np.ndarray) -> None:
    assert broken(encode_png(noise)[:-100]) == "the PNG file is cut short"


def test_a_part_of_a_png_that_claims_gigabytes(noise: np.ndarray) -> None:
    png, peak = encode_png(noise), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    claims = png[:33] + struct.pack(">I4s", 0x70000000, b"tEXt") + png[33:]  # behind the first, of 25 bytes
    assert broken(claims) == "the PNG file is cut short"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < peak + 500_000  # kilobytes
    np.testing.assert_array_equal(decode(png + b"more"), noise)


def test_jpeg_with_bytes_appended_by_a_camera_is_whole(noise: np.ndarray) -> None:
    data = encode_jpeg(noise)
    np.testing.assert_array_equal(decode(data + bytes(500)), decode(data))


@pytest.mark.parametrize("extension", [".bmp", ".tiff"])
def test_opencv_writes_nothing_of_its_own(
    extension: str, noise: np.ndarray, capfd: pytest.CaptureFixture[str]
) -> None:
    data = cv2.imencode(extension, noise)[1].tobytes()[:200]
    with pytest.raises(BrokenImageError, match=r"^200 bytes that are no readable image$"):
        decode(data)
    assert capfd.readouterr() == ("", "")


def test_unknown_kinds_are_not_decoded() -> None:
    """OpenCV reads a few more, whose sizes nobody checks beforehand."""
    assert broken(b"P6 2 2 255\n" + bytes(12)) == "23 bytes that are no readable image"


def test_encode_refuses_what_is_no_picture() -> None:
    with pytest.raises((ValueError, cv2.error)):
        encode_png(np.empty((0, 5, 3), np.uint8))


class TestDhash128:
    def test_one_colour_has_no_falls(self) -> None:
        assert dhash128(np.full((32, 96, 3), 77, np.uint8)) == "0" * 32

    def test_brightness_falling_to_the_right_sets_every_bit(self) -> None:
        ramp = np.linspace(250, 0, 170).astype(np.uint8)
        falling = np.repeat(np.tile(ramp, (32, 1))[:, :, None], 3, axis=2)
        assert dhash128(falling) == "f" * 32
        assert dhash128(np.ascontiguousarray(falling[:, ::-1])) == "0" * 32

    def test_bits_go_row_by_row_from_the_left(self) -> None:
        cells = np.zeros((8, 17), np.uint8)
        cells[0, 0] = 255  # falls to its right, at the first place
        cells[7, 15] = 255  # and at the last place
        image = np.repeat(np.kron(cells, np.ones((4, 6), np.uint8))[:, :, None], 3, axis=2)
        assert dhash128(image) == "8" + "0" * 30 + "1"

    def test_survives_scaling_and_jpeg(self) -> None:
        smooth = cv2.resize(
            stream(1, "x").integers(0, 256, (4, 9, 3), np.uint8), (144, 64), interpolation=cv2.INTER_CUBIC
        )
        first = int(dhash128(smooth), 16)
        copy = decode(encode_jpeg(cv2.resize(smooth, (101, 37), interpolation=cv2.INTER_AREA), 80))
        assert (first ^ int(dhash128(copy), 16)).bit_count() < 23
        other = cv2.resize(stream(2, "x").integers(0, 256, (4, 9, 3), np.uint8), (144, 64))
        assert (first ^ int(dhash128(other), 16)).bit_count() > 40
