"""IIIT-ILST, Indian scripts: photos with an XML file each, in folders by script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.core.errors import UserError
from curation.importers.annotations import OWN, coordinates, other_script, read_xml
from curation.importers.base import importers
from curation.importers.photo_files import Mark, PhotoFiles, Place, xml_files

SIDES = ("xmin", "ymin", "xmax", "ymax")


@importers.add("iiit_ilst")
@dataclass(frozen=True, kw_only=True, slots=True)
class IiitIlst(PhotoFiles):
    """Read XML files of Pascal VOC: the name of an ``object`` is its text, ``bndbox`` its box.

    The photos lie beside them, or in a folder ``imgs`` as MMOCR has it. The set is of Devanagari, Telugu and
    Malayalam: by default words with a letter of another script than Latin are left out.

    Source: open-mmlab/mmocr tools/dataset_converters/textrecog/ilst_converter.py.

    Attributes:
        all_scripts: Keep every script, as is the use of this set.
    """

    title: ClassVar[str] = "IIIT-ILST, Devanagari, Telugu and Malayalam"
    source_is: ClassVar[str] = "folder with the XML files beside their photos, or with annotations and imgs"
    url: ClassVar[str] = "https://cvit.iiit.ac.in/research/projects/cvit-projects/iiit-ilst"
    licence: ClassVar[str] = "CC-BY-4.0"
    terms: ClassVar[str] = "licence as Mountchicken/Union14M states it"
    citation: ClassVar[str] = (
        "Mathew, Jain, Jawahar: Benchmarking Scene Text Recognition in Devanagari, Telugu and Malayalam. "
        "ICDAR 2017"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": None}
    places: ClassVar[Mapping[str, Place]] = {"train": xml_files("XML file")}

    all_scripts: bool = False

    def marks(self, path: Path) -> Iterator[Mark]:
        """Yield the marks of one file."""
        for number, word in enumerate(read_xml(path).iter("object"), 1):
            values = {side: (word.findtext(f"bndbox/{side}") or "").strip() for side in SIDES}
            sides = coordinates(values.values())
            if sides is None:
                raise UserError(f"{path}, object {number} has no box: got {values}. {OWN}")
            left, right = sorted(sides[::2])  # some corners are written the other way round
            top, bottom = sorted(sides[1::2])
            label = (word.findtext("name") or "").strip()
            reason = None if self.all_scripts else other_script(label)
            yield Mark(label=label, box=(left, top, right - left, bottom - top), reason=reason)
