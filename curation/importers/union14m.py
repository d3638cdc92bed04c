"""Union14M: fourteen real sets cropped and graded by difficulty, and its benchmark of hard words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from curation.core.errors import UserError
from curation.core.files import not_a_folder
from curation.core.fingerprint import sha256_file
from curation.importers.base import Unusable, Word, importers, inside, only_file, text_lines
from curation.importers.jsonl import json_object, text_of
from curation.importers.mmocr import pairs
from curation.importers.photos import first_file

Difficulty = Literal["easy", "medium", "hard", "normal", "challenging"]
Kind = Literal[
    "artistic",
    "contextless",
    "curve",
    "multi_oriented",
    "multi_words",
    "salient",
    "general",
    "incomplete",
    "incomplete_ori",
]
CITATION = "Jiang, Wang, Peng, Liu, Jin: Revisiting Scene Text Recognition: A Data Perspective. ICCV 2023"
URL = "https://github.com/Mountchicken/Union14M"
N_WORDS = {"easy": 2_076_161, "medium": 145_525, "hard": 308_025, "normal": 218_154, "challenging": 482_877}
N_TEST = {
    "artistic": 900,
    "contextless": 779,
    "curve": 2_426,
    "multi_oriented": 1_369,
    "multi_words": 829,
    "salient": 1_585,
    "general": 400_000,
}


@importers.add("union14m_l")
@dataclass(frozen=True, kw_only=True, slots=True)
class Union14mL:
    """Read ``train_annos/mmocr-0.x/train_easy.jsonl`` and its like, or the JSON files of MMOCR 1.x.

    A word's id begins with its difficulty: ``hard/full_images/art_curve/1.jpg``. The split ``val`` is
    ``val_annos``, which is not graded.

    Attributes:
        difficulty: Which of the five grades to read, in this order.
    """

    title: ClassVar[str] = "Union14M-L"
    source_is: ClassVar[str] = "folder with full_images and train_annos"
    url: ClassVar[str] = URL
    licence: ClassVar[str] = "its 14 sources' own: CC-BY-4.0, non-commercial, unknown"
    terms: ClassVar[str] = "The source sets' licences are listed in docs/source_dataset.md at the address."
    citation: ClassVar[str] = CITATION
    expected: ClassVar[Mapping[str, int | None]] = {"train": 3_230_742, "val": None}

    difficulty: tuple[Difficulty, ...] = ("easy", "medium", "hard", "normal", "challenging")

    def __post_init__(self) -> None:
        _check_distinct("difficulty", self.difficulty)

    def expected_of(self, split: str) -> int | None:
        """The words of the grades that are read, as published."""
        return sum(N_WORDS[grade] for grade in self.difficulty) if split == "train" else None

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the annotation files."""
        files = self._files(src, split).values()
        return {path.relative_to(src).as_posix(): sha256_file(path) for path in files}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words grade by grade, in the order of the files."""
        for grade, path in self._files(src, split).items():
            for name, label, where in _pairs(path):
                yield Word(id=f"{grade}/{name}", label=label, read=inside(src, name, where).read_bytes)

    def _files(self, src: Path, split: str) -> dict[str, Path]:
        stems = {"val": "val_annos"} if split == "val" else {g: f"train_{g}" for g in self.difficulty}
        return {grade: only_file(src, _candidates(stem), "Union14M-L") for grade, stem in stems.items()}


def _candidates(stem: str) -> list[str]:
    """Where annotations lie; lines of JSON are found first, for they are read a little faster."""
    folder = "train_annos"
    return [
        f"{folder}/mmocr-0.x/{stem}.jsonl",
        f"{folder}/mmocr1.0/{stem}.json",
        f"{folder}/mmocr1.0.x/{stem}.json",
        f"{stem}.jsonl",
    ]


@importers.add("union14m_benchmark")
@dataclass(frozen=True, kw_only=True, slots=True)
class Union14mBenchmark:
    """Read the folders ``artistic``, ``curve``, ... with ``annotation.jsonl`` or ``annotation.json`` each.

    A word's id begins with its folder. The pictures of ``general`` lie among those of Union14M-L, one folder
    above, so give the benchmark's folder where it was unpacked.

    Attributes:
        subset: Which folders to read, in this order; by default the seven whose counts are published.
    """

    title: ClassVar[str] = "Union14M-Benchmark"
    source_is: ClassVar[str] = "folder Union14M-Benchmarks inside that of Union14M-L"
    url: ClassVar[str] = URL
    licence: ClassVar[str] = "its sources' own"
    terms: ClassVar[str] = "The source sets' licences are listed in docs/source_dataset.md at the address."
    citation: ClassVar[str] = CITATION
    expected: ClassVar[Mapping[str, int | None]] = {"test": sum(N_TEST.values())}

    subset: tuple[Kind, ...] = (
        "artistic",
        "contextless",
        "curve",
        "multi_oriented",
        "multi_words",
        "salient",
        "general",
    )

    def __post_init__(self) -> None:
        _check_distinct("subset", self.subset)

    def expected_of(self, split: str) -> int | None:
        """The words of the folders that are read, as published; None if one has no published count."""
        counts = [N_TEST.get(kind) for kind in self.subset]
        return None if None in counts else sum(n for n in counts if n is not None)

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the annotation files."""
        return {file: sha256_file(src / file) for file in self._files(src)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words folder by folder, in the order of the files."""
        for kind, file in zip(self.subset, self._files(src), strict=True):
            root: Path | None = None
            for name, label, where in _pairs(src / file):
                if root is None:
                    root = _root(src, kind, name, where)
                yield Word(id=f"{kind}/{name}", label=label, read=inside(root, name, where).read_bytes)

    def _files(self, src: Path) -> list[str]:
        if not src.is_dir():
            problem = not_a_folder(src)
            raise UserError(f"folder {src} {problem}. Give the folder Union14M-Benchmarks.")
        names = [[f"{kind}/annotation.jsonl", f"{kind}/annotation.json"] for kind in self.subset]
        return [only_file(src, pair, "Union14M-Benchmark").relative_to(src).as_posix() for pair in names]


def _root(src: Path, kind: str, name: str, where: str) -> Path:
    """Where the pictures of a folder lie: in it, or, where paths begin at Union14M-L, above SOURCE."""
    roots = (src / kind, src.resolve().parent, src)
    places = [inside(root, name, where) for root in roots]
    return roots[places.index(first_file(places))]


def _pairs(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield path, label and position of each word of an annotation file of either kind."""
    if path.suffix == ".json":
        for number, (name, label) in enumerate(pairs(path), 1):
            yield name, label, f"{path}, item {number}"
        return
    for number, line in text_lines(path):
        where = f"{path}, line {number}"
        record = json_object(line, where)
        yield text_of(record, "filename", where), text_of(record, "text", where), where


def _check_distinct(name: str, values: tuple[str, ...]) -> None:
    if not values or len({*values}) < len(values):
        raise ValueError(f"{name} is {', '.join(values)!r}; it must name each part once, and one at least")
