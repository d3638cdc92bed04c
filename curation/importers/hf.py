"""Any dataset of the Hugging Face library: saved to a folder, as Parquet or pictures, or on the Hub."""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from curation.core.errors import UserError
from curation.core.images import BrokenImageError
from curation.importers.base import Unusable, Word, importers
from curation.importers.label_files import LABELS, choose

HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
USUAL = {"train": ("train",), "val": ("validation", "val", "valid", "dev"), "test": ("test",)}
ROWS = 1_000  # read at a time; the table is mapped into memory, so pictures cost nothing until they are used


@importers.add("hf")
@dataclass(frozen=True, kw_only=True, slots=True)
class HuggingFace:
    """Read a column of pictures and one of labels, by the library ``datasets``.

    SOURCE is a folder as ``save_to_disk`` writes it, a folder of Parquet files or of pictures with
    ``metadata.csv``, or a name on the Hub (``user/words``). The library prepares the last three once in its
    own cache (``HF_HOME``). Words are called by the numbers of their rows, from 0.

    Attributes:
        image: The column of pictures; None for the only one.
        label: The column of labels: texts, or classes by their names. None for the one with a usual name.
        part: The split's name, if it is not the one that ``--split`` suggests.
        config: The configuration, where a dataset has several.
        revision: Branch, tag or commit on the Hub.
    """

    title: ClassVar[str] = "Hugging Face dataset, local or on the Hub"
    source_is: ClassVar[str] = "folder of save_to_disk, Parquet or pictures, or a name on the Hub"
    url: ClassVar[str] = ""
    licence: ClassVar[str] = "unknown"
    citation: ClassVar[str] = ""
    expected: ClassVar[Mapping[str, int]] = {}

    image: str | None = None
    label: str | None = None
    part: str | None = None
    config: str | None = None
    revision: str | None = None

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the labels; pictures may be hundreds of gigabytes."""
        digest = hashlib.sha256()
        rows = 0
        for label, _ in self._rows(src, split):
            digest.update(repr(label).encode("utf-8", "surrogatepass"))
            rows += 1
        return {"rows": str(rows), "labels": digest.hexdigest()}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the rows."""
        for number, (label, picture) in enumerate(self._rows(src, split)):
            id = f"{number:09d}"
            if label is None:
                yield Unusable(id=id, reason="missing_label")
            else:
                yield Word(id=id, label=label, read=functools.partial(_read, picture, src))

    def _rows(self, src: Path, split: str) -> Iterator[tuple[str | None, Any]]:
        """Yield the label of each row and its picture as Arrow holds it: bytes or a path."""
        table = _open(src, split, self)
        image, label = self._columns(src, table.features)
        names = getattr(table.features[label], "names", None)
        arrow = table.select_columns([*{image, label}]).with_format("arrow")
        for start in range(0, len(table), ROWS):
            rows = arrow[start : start + ROWS]
            labels, pictures = rows[label].to_pylist(), rows[image]
            for i, value in enumerate(labels):
                yield (value if names is None else _class(names, value)), pictures[i]

    def _columns(self, src: Path, features: Mapping[str, Any]) -> tuple[str, str]:
        from datasets import ClassLabel, Image

        images = [name for name, feature in features.items() if isinstance(feature, Image)]
        texts = [
            name
            for name, feature in features.items()
            if isinstance(feature, ClassLabel) or getattr(feature, "dtype", "") in ("string", "large_string")
        ]
        if not images:
            raise UserError(
                f"{src} has no column of pictures, only {', '.join(map(repr, features))}. "
                "Cast one with datasets.Image()."
            )
        image = choose(self.image, images, images, "image", str(src))
        label = choose(self.label, texts, texts if len(texts) == 1 else LABELS, "label", str(src))
        return image, label


def _class(names: Sequence[str], number: int | None) -> str | None:
    """The name of a class; None for -1, by which the library means that nobody has said."""
    return names[number] if number is not None and 0 <= number < len(names) else None


def _read(picture: Any, src: Path) -> bytes:
    """The bytes of a picture; those that the table only points to lie in a file below ``src`` or in a cache.

    Raises:
        BrokenImageError: the table points to a file elsewhere: it may come from anybody.
    """
    found = picture.as_py() or {}
    if found.get("bytes") is not None:
        return bytes(found["bytes"])
    if not found.get("path"):
        raise FileNotFoundError
    path = Path(os.path.normpath(Path.cwd() / src / found["path"]))
    if not any(path.is_relative_to(folder) for folder in (*_cleared(src), *_caches())):
        raise BrokenImageError(f"the path {found['path']!r} leads out of {src}")
    return path.read_bytes()


def _cleared(folder: Path) -> tuple[Path, Path]:
    """A folder as it is called, and as it is called once links are followed, both absolute."""
    return Path(os.path.normpath(Path.cwd() / folder)), Path(os.path.realpath(folder))


def _caches() -> tuple[Path, ...]:
    """Where the libraries keep what they have fetched from the Hub or unpacked."""
    import datasets
    from huggingface_hub import constants

    return *_cleared(Path(datasets.config.HF_DATASETS_CACHE)), *_cleared(Path(constants.HF_HUB_CACHE))


def _open(src: Path, split: str, options: HuggingFace) -> Any:
    """Open one split.

    Raises:
        UserError: there is none, or several and no rule for choosing.
    """
    import datasets

    datasets.disable_progress_bars()
    saved = (src / "dataset_dict.json").is_file() or (src / "state.json").is_file()
    if src.exists() and not src.is_dir():
        raise UserError(f"{src} is a file, not a folder. Give the folder of a dataset, or a name on the Hub.")
    if not src.exists() and not HUB_NAME.fullmatch(str(src)):
        raise UserError(f"folder {src} does not exist. Give the folder of a dataset, or a name on the Hub.")
    with _explained(src):
        if not saved:
            more = {"revision": options.revision} if options.revision else {}
            names = datasets.get_dataset_split_names(str(src), options.config, **more)
            split = _part(src, split, names, options.part)
            return datasets.load_dataset(str(src), options.config, split=split, **more)
        found = datasets.load_from_disk(str(src))
    if not isinstance(found, datasets.DatasetDict):
        return found
    return found[_part(src, split, [*found], options.part)]


def _part(src: Path, split: str, names: list[str], asked: str | None) -> str:
    fitting = [name for name in ([asked] if asked else USUAL[split]) if name in names]
    if not fitting:
        raise UserError(
            f"{src} has no split {asked or split!r}, only {', '.join(map(repr, names))}. "
            "Give --option part=NAME."
        )
    return fitting[0]


@contextmanager
def _explained(src: Path) -> Iterator[None]:
    """Make one sentence of the library's many ways to say that it cannot open something."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # of any class: the Hub's, the network's, those of a dozen file formats
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(
            f"{src} cannot be opened as a Hugging Face dataset: {lines[0].rstrip('.')}. "
            "Check the folder or name, and the network if it is on the Hub."
        ) from error
