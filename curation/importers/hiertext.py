"""HierText: photos of Open Images with words in lines in paragraphs, one JSON file a split."""

from __future__ import annotations

import gzip
import itertools
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from curation.importers.annotations import AGAIN, get, parse_json
from curation.importers.base import Unusable, Word, importers, only_file
from curation.importers.json_entries import JsonEntries
from curation.importers.photos import Photos, first_of, numbers, open_images


@importers.add("hiertext")
@dataclass(frozen=True, kw_only=True, slots=True)
class HierText(Photos):
    """Read ``{train,validation,test}.jsonl``, or ``.jsonl.gz``, beside folders of photos of these names.

    The publisher's files are one JSON document each, whatever their ending says, and are held as text; files
    of one photo a line are read line by line. Illegible words have no text.
    """

    title: ClassVar[str] = "HierText"
    source_is: ClassVar[str] = "folder with gt/train.jsonl(.gz), ... and train, ...; words are cut out"
    url: ClassVar[str] = "https://github.com/google-research-datasets/hiertext"
    licence: ClassVar[str] = "CC-BY-SA-4.0"
    terms: ClassVar[str] = "The licence is of the annotations; the photos of Open Images are under CC BY 2.0."
    citation: ClassVar[str] = (
        "Long, Qin, Panteleev, Bissacco, Fujii, Raptis: Towards End-to-End Unified Scene Text Detection and "
        "Layout Analysis. CVPR 2022"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": None, "val": None, "test": None}

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the JSON file."""
        path = _annotations(src, split)
        return {path.name: sha256_file(path)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words photo by photo, in the order of the file."""
        path = _annotations(src, split)
        folder = _called(split)
        for number, record in enumerate(_photos(path), 1):
            name = get(record, "image_id", str, f"{path}, photo {number}")
            names = [f"{folder}/{name}.jpg", f"{name}.jpg"]
            photo = self.photo(first_of(src, names, f"{path}, photo {number}"), origin=open_images(names[1]))
            for place, fields in _words(record, f"{path}, photo {name}"):
                where = f"{path}, photo {name}, word {place}"
                label = get(fields, "text", str, where)
                if not get(fields, "legible", bool, where):
                    yield Unusable(id=f"{name}/{place}", reason="illegible", detail=label)
                    continue
                vertices = numbers(get(fields, "vertices", list, where), f"{where}, vertices")
                yield photo.word(id=f"{name}/{place}", label=label, outline=vertices)


def _words(photo: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Yield place, as paragraph.line.word counted from 1, and record of each word of a photo."""
    for p, paragraph in enumerate(get(photo, "paragraphs", list, where), 1):
        for i, line in enumerate(get(paragraph, "lines", list, f"{where}, paragraph {p}"), 1):
            for w, word in enumerate(get(line, "words", list, f"{where}, line {p}.{i}"), 1):
                yield f"{p}.{i}.{w}", word


def _photos(path: Path) -> Iterator[Any]:
    """Yield the record of each photo."""
    try:
        with _opened(path) as file:
            head = file.readline()
            one_a_line = head.rstrip().endswith(b"}") and b'"annotations"' not in head
            if not one_a_line:
                entries = JsonEntries(head + file.read(), str(path))
                yield from (record for name, _, _, record in entries if name == "annotations")
                entries.check("annotations", list)
                return
            for number, line in enumerate(itertools.chain([head], file), 1):
                if line.strip():
                    yield parse_json(line.strip(), f"{path}, photo {number}")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be unpacked: {error}. {AGAIN}") from None


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _annotations(src: Path, split: str) -> Path:
    name = f"{_called(split)}.jsonl"
    return only_file(src, [f"gt/{name}", f"gt/{name}.gz", name, f"{name}.gz"], "HierText")


def _called(split: str) -> str:
    return "validation" if split == "val" else split
