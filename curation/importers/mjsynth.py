"""MJSynth (MJ, Synth90k): nine million rendered words; the label stands in the file name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from curation.importers.base import Unusable, Word, importers, inside, only_file, text_lines

INSIDE = "mnt/ramdisk/max/90kDICT32px"  # where the publisher's archive has it


@importers.add("mjsynth")
@dataclass(frozen=True, kw_only=True, slots=True)
class MjSynth:
    """Read ``annotation_train.txt`` and its like, lines of ``./3000/7/182_slinking_71711.jpg 71711``.

    The label is what stands between the name's underscores, with its case; the number is its place in the
    lexicon, in lower case. A few pictures of the set are damaged: they become rejects.

    Attributes:
        whole: Read ``annotation.txt``, the three splits in one, whatever the split is called.
    """

    title: ClassVar[str] = "MJSynth (Synth90k)"
    source_is: ClassVar[str] = "folder 90kDICT32px with annotation_train.txt and the pictures"
    url: ClassVar[str] = "https://www.robots.ox.ac.uk/~vgg/data/text/"
    licence: ClassVar[str] = "no explicit licence"
    citation: ClassVar[str] = (
        "Jaderberg, Simonyan, Vedaldi, Zisserman: Synthetic Data and Artificial Neural Networks for Natural "
        "Scene Text Recognition. NIPS Deep Learning Workshop 2014"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": 7_224_612, "val": 802_734, "test": 891_927}
    checksums: ClassVar[Mapping[str, str]] = {"mjsynth.tar.gz": "md5:7bf2b60ad935eaf64e5b606f782d68e5"}

    whole: bool = False

    def expected_of(self, split: str) -> int | None:
        """The words of the split, or of all of them."""
        return sum(n or 0 for n in self.expected.values()) if self.whole else self.expected[split]

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the annotation file."""
        path = self._annotations(src, split)
        return {path.name: sha256_file(path)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the annotation file."""
        path = self._annotations(src, split)
        for number, line in text_lines(path):
            name = line.partition(" ")[0]
            parts = name.rpartition("/")[2].split("_")
            if len(parts) != 3 or not name.endswith(".jpg"):
                raise UserError(
                    f"{path}, line {number} is not like ./3000/7/182_slinking_71711.jpg 71711: "
                    f"{line[:60]!r}. Give the publisher's own file."
                )
            picture = inside(path.parent, name, f"{path}, line {number}")
            yield Word(id=name.removeprefix("./"), label=parts[1], read=picture.read_bytes)

    def _annotations(self, src: Path, split: str) -> Path:
        file = "annotation.txt" if self.whole else f"annotation_{split}.txt"
        return only_file(src, [file, f"{INSIDE}/{file}"], "MJSynth")
