"""One labelled word image, as every part of the toolkit passes it on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A cropped word, its transcription and where it comes from.

    Attributes:
        uid: Stable across runs and versions, ``<source>:<id at the source>``.
        image: The encoded file (PNG or JPEG), kept as it came so that nothing is lost twice.
        label: The transcription as published; normalising is the reader's business (``labels``).
        size: Width and height in pixels.
        source: Name of the set the word belongs to, such as ``iiit5k``.
        split: ``train``, ``val`` or ``test`` at the publisher.
        licence: SPDX identifier or the publisher's own terms in a few words.
        dhash128: Perceptual hash of the pixels, 32 hexadecimal digits (``fingerprint.dhash128``).
        origin_image: Identifier of the photo that the crop was cut from, if any. Photos that several sets
            share carry their collection's name, ``openimages:0001c8fbfb30d3a6`` or ``coco:000000217925``, so
            that words of several sets can be told to come from one place; others are names within a set.
        origin_box: Left, top, width, height of the crop in that photo, in pixels.
        origin_polygon: The word's outline in that photo as published, x and y in turn, in pixels.
        origin_size: Width and height of that photo: sets publish the same one at several resolutions.
        label_published: The transcription as published where ``label`` was repaired since; else None.
        word_boxes: Of each word in the label, the corners of a quadrilateral around it, as x and y in pixels,
            clockwise from the text's upper left; None if unknown.
        character_boxes: Likewise of each character with its combining marks; empty for a space.
        render: The planned decisions of a rendered word, one entry a column; None for a real one.
    """

    uid: str
    image: bytes
    label: str
    size: tuple[int, int]
    source: str
    split: str = "train"
    licence: str = "unknown"
    dhash128: str | None = None
    origin_image: str | None = None
    origin_box: tuple[float, float, float, float] | None = None
    origin_polygon: Sequence[float] | None = None
    origin_size: tuple[int, int] | None = None
    label_published: str | None = None
    word_boxes: Sequence[Sequence[float]] | None = None
    character_boxes: Sequence[Sequence[float]] | None = None
    render: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reject:
    """A word that was left out, and why.

    Attributes:
        uid: As in ``Sample``.
        reason: Short and fixed, so that counts by reason mean something: ``broken_image``.
        detail: What was found, for the person who looks into it.
        duplicate_of: For a copy, the uid of the word that stays in its stead.
    """

    uid: str
    reason: str
    detail: str = ""
    duplicate_of: str | None = None
