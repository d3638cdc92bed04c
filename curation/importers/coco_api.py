"""JSON as the COCO-Text API has it, which TextOCR shares: tables of photos and of words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from curation.importers.annotations import OWN, get, read_json

Words = list[tuple[str, dict[str, Any]]]  # number and record of each


def photos_and_words(path: Path) -> Iterator[tuple[str, dict[str, Any], Words]]:
    """Yield number, record and words of each photo that has words, in the order of the file's ``imgs``.

    The whole file is held in memory, some 8 bytes for one of its own.

    Raises:
        UserError: it is not JSON, or not of this format.
    """
    tables = read_json(path)
    photos = get(tables, "imgs", dict, str(path))
    words: dict[str, Words] = {}
    for number, record in get(tables, "anns", dict, str(path)).items():
        where = f"{path}, anns {number}"
        photo = str(get(record, "image_id", (int, str), where))
        if photo not in photos:
            raise UserError(f"{where} is of the photo {photo!r}, which is not among the imgs. {OWN}")
        words.setdefault(photo, []).append((number, record))
    for number, photo in photos.items():
        get(photo, "file_name", str, f"{path}, imgs {number}")
        if number in words:
            yield number, photo, words.pop(number)
