"""JSON as the COCO-Text API has it, which TextOCR shares: tables of photos and of words."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from curation.importers.annotations import OWN, get
from curation.importers.json_entries import JsonEntries

Words = list[tuple[str, dict[str, Any]]]  # number and record of each


def photos_and_words(path: Path) -> Iterator[tuple[str, dict[str, Any], Words]]:
    """Yield number, record and words of each photo that has words, in the order of the file's ``imgs``.

    The file is held as text, and of its words only where each begins.

    Raises:
        UserError: it is not JSON, or not of this format.
    """
    entries = JsonEntries(path.read_bytes(), str(path))
    photos: dict[str, dict[str, Any]] = {}
    words: dict[str, array[int]] = {}
    for table, number, place, record in entries:
        where = f"{path}, {table} {number}"
        if table == "imgs":
            get(record, "file_name", str, where)
            if number in photos:
                raise UserError(f"{where} comes twice. {OWN}")
            photos[str(number)] = record
        elif table == "anns":
            words.setdefault(str(get(record, "image_id", (int, str), where)), array("Q")).append(place)
    entries.check("imgs", dict)
    entries.check("anns", dict)
    for photo, places in words.items():
        if photo not in photos:
            where = f"{path}, anns {entries.entry(places[0])[0]}"
            raise UserError(f"{where} is of the photo {photo!r}, which is not among the imgs. {OWN}")
    for number, record in photos.items():
        if number in words:
            yield number, record, [entries.entry(place) for place in words[number]]
