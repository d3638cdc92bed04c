"""What the columns of a dataset mean, for its readers elsewhere."""

from __future__ import annotations

DESCRIBED = {
    "image": "The word's picture: the encoded file, JPEG or PNG, as it was published or cut out.",
    "label": "The transcription.",
    "uid": "Names the word for ever: source, colon, id at the source.",
    "source": "The published set, or the recipe that the word was rendered with.",
    "split": "train, val or test at the publisher.",
    "licence": "SPDX identifier, or the publisher's terms in a few words.",
    "width": "Pixels.",
    "height": "Pixels.",
    "sha256": "SHA-256 of the picture's bytes, 64 hexadecimal digits.",
    "dhash128": "Difference hash of 16 x 8 bits, 32 hexadecimal digits: near pictures have near hashes.",
    "origin_image": "The photo that the word was cut out of.",
    "origin_box": "Left, top, width, height in that photo, in pixels.",
    "origin_polygon": "The word's outline in that photo, x and y in turn, in pixels.",
    "origin_size": "Width and height of that photo, in pixels.",
    "label_published": "The transcription as published, where the label was repaired since.",
    "word_boxes": "Of each word in the label, the corners of a quadrilateral, x and y in turn, in pixels.",
    "character_boxes": "Likewise of each character; empty for a space.",
    "render": "All that was decided when the word was rendered.",
}


def described(name: str) -> str:
    """What the column ``name`` holds; empty if it is none of ours."""
    return DESCRIBED.get(name, "")
