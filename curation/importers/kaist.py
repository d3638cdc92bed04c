"""KAIST Scene Text Database: photos with an XML file each, in folders by language, camera and scene."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.core.errors import UserError
from curation.importers.annotations import OWN, other_script, read_xml, rectangle
from curation.importers.base import importers
from curation.importers.photo_files import Mark, PhotoFiles, Place, xml_files


@importers.add("kaist")
@dataclass(frozen=True, kw_only=True, slots=True)
class Kaist(PhotoFiles):
    """Read ``DSC02306.xml`` beside ``DSC02306.JPG``: words with their boxes, and their characters.

    A word's label is that of its characters. By default words with a letter of another script than Latin are
    left out.

    Source: open-mmlab/mmocr tools/dataset_converters/textrecog/kaist_converter.py.

    Attributes:
        all_scripts: Keep Korean as well.
    """

    title: ClassVar[str] = "KAIST Scene Text Database"
    source_is: ClassVar[str] = "folder with the XML files beside their photos, or with annotations and imgs"
    url: ClassVar[str] = "http://www.iapr-tc11.org/mediawiki/index.php/KAIST_Scene_Text_Database"
    licence: ClassVar[str] = "CC-BY-SA-3.0"
    terms: ClassVar[str] = "licence as Mountchicken/Union14M states it"
    citation: ClassVar[str] = (
        "Jung, Lee, Cho, Kim: Touch TT: Scene Text Extractor Using Touchscreen Interface. ETRI Journal 33, "
        "2011"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": None}
    places: ClassVar[Mapping[str, Place]] = {"train": xml_files("DSC02306.xml")}

    all_scripts: bool = False

    def marks(self, path: Path) -> Iterator[Mark]:
        """Yield the marks of one file."""
        for number, word in enumerate(read_xml(path).iter("word"), 1):
            where = f"{path}, word {number}"
            characters = [character.get("char") for character in word.iter("character")]
            label = "".join(character or "" for character in characters)
            if None in characters:
                raise UserError(f"{where} has a character without char. {OWN}")
            reason = None if self.all_scripts else other_script(label)
            yield Mark(label=label, box=rectangle(word, where), reason=reason)
