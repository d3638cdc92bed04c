"""What every importer promises, and what reading publishers' files has in common."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from curation.core.errors import UserError
from curation.core.files import not_a_folder
from curation.core.registry import Registry
from curation.importers.encodings import known, looks_like

importers: Registry[Any] = Registry("format")

# Words that annotators marked, or that a set's published keep rules leave out, are no sign of damage: they
# are counted and kept as rejects like all others, but do not add to the share of unusable words.
RULED_OUT = frozenset(
    {
        "illegible",
        "other_set",
        "ignored",
        "difficult",
        "not_english",
        "not_latin",
        "not_machine_printed",
        "doubtful_label",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """A word as it was cut out of its photo.

    Attributes:
        image: The encoded crop.
        photo_size: Width and height of the photo.
    """

    image: bytes
    photo_size: tuple[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """One annotated word, before its picture is read.

    Attributes:
        id: Names the word within the published set, the same on every machine: ``train/1009_2.png``.
        label: The transcription, as published if ``label_published`` is None.
        read: Returns the encoded picture, or what was cut out of a photo. May raise FileNotFoundError,
            ``curation.core.images.BrokenImageError``, ``curation.cropping.OutsideError`` or
            ``curation.cropping.OutlineError``, which make a reject, not an error.
        origin_image: The photo that the word is cut from, if it is known.
        origin_box: Left, top, width, height in that photo, in pixels: as published, or around the outline.
        origin_polygon: The word's outline in that photo as published, x and y in turn.
        label_published: The transcription as published, where ``label`` is a repaired one.
        size: Width and height in pixels as the source states them, which the picture must have.
        kept: What the word was in a dataset of ours before it was exported, by the names of ``Sample``, its
            whole uid included: it becomes that again.
    """

    id: str
    label: str
    read: Callable[[], bytes | Cut]
    origin_image: str | None = None
    origin_box: tuple[float, float, float, float] | None = None
    origin_polygon: Sequence[float] | None = None
    label_published: str | None = None
    size: tuple[int, int] | None = None
    kept: Mapping[str, Any] | None = None

    def uid(self, source: str) -> str:
        """What the word is called in a dataset of the set called ``source``."""
        return f"{source}:{self.id}" if self.kept is None else str(self.kept["uid"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Unusable:
    """An annotated word that cannot be one.

    Attributes:
        id: As in ``Word``.
        reason: Short and fixed: ``illegible``. Those in ``RULED_OUT`` are no sign of damage.
        detail: What was found.
    """

    id: str
    reason: str
    detail: str = ""


class Importer(Protocol):
    """Reads one published format. Implementations are frozen dataclasses; their fields are options.

    What ``glyphmix import --list`` and ``--help`` say comes from the attributes. The four without which an
    importer still works (``title``, ``source_is``, ``terms``, ``checksums``) have defaults in
    ``curation.catalogue``.

    An importer may also have ``expected_of(split)``, where options choose a part of the set: the words of
    that part as published, or None; and ``kept(src)``, where words were ours before (see ``Word.kept``):
    what an export says of their ``sources``, ``boxes`` and type of ``render``. An option called
    ``unlabelled`` lets words without labels in.

    Attributes:
        title: The set's own name, in a few words: ``Street View Text``.
        source_is: What SOURCE is, in a few words: ``folder with train.xml and the photos``.
        url: Where the publisher describes or offers the set; empty for a general format.
        licence: SPDX identifier, or the terms in a few words.
        terms: What else the publisher asks for, in a sentence; empty if nothing is known.
        citation: Whom to cite; empty for a general format.
        expected: Annotated words in each split, as published, None where no number is known; empty for a
            general format.
        checksums: ``md5:`` or ``sha256:`` and digits, of the publisher's files by name, where published.
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    source_is: ClassVar[str]
    terms: ClassVar[str]
    checksums: ClassVar[Mapping[str, str]]
    url: ClassVar[str]
    licence: ClassVar[str]
    citation: ClassVar[str]
    expected: ClassVar[Mapping[str, int | None]]

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the annotations, by their names relative to ``src``.

        Raises:
            UserError: the annotations are not there; the message says what belongs there.
        """
        ...

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield every annotated word of ``split`` in the order of the annotations, streaming.

        Pictures are not touched: they are read by ``Word.read``, so that words can be counted and
        skipped at little cost.

        Raises:
            UserError: the annotations are not in the publisher's format.
        """
        ...


def only_file(src: Path, candidates: list[str], what: str) -> Path:
    """Find the first of ``candidates``, paths relative to the folder ``src``, that is a file.

    Raises:
        UserError: no folder ``src``, or none of them in it; ``what`` names the set in the message.
    """
    if not src.is_dir():
        problem = not_a_folder(src)
        raise UserError(f"folder {src} {problem}. Give the folder of {what} as its publisher packs it.")
    for name in candidates:
        if (src / name).is_file():
            return src / name
    raise UserError(
        f"{src} holds no {_either(candidates)}. Give the folder of {what} as its publisher packs it."
    )


def _either(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def text_lines(
    path: Path, encoding: str | None = None, *, option: bool = False, blank: bool = False
) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line of a text file, with or without a byte order mark.

    Lines end at a line feed only: ``str.splitlines`` would also split at rarer characters, which occur
    in labels.

    Args:
        path: The file.
        encoding: Its encoding; None for UTF-8.
        option: Whether the message may name ``--encoding`` as the way out.
        blank: Whether to yield lines of nothing or spaces only.

    Raises:
        UserError: a line is not in that encoding, or there is none of that name.
    """
    name = "utf-8" if encoding is None else known(encoding)
    if name.startswith(("utf-16", "utf-32", "utf-7")):  # their line feeds are not single bytes
        yield from ((n, text) for n, text in _wide_lines(path, name) if blank or text.strip(" "))
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            first = number == 1 and name == "utf-8"
            try:
                text = line.decode("utf-8-sig" if first else name).rstrip("\r\n")
            except UnicodeDecodeError as error:
                at = f"(byte 0x{line[error.start]:02x} at column {error.start + 1})"
                raise UserError(
                    f"{path}, line {number} is not {name.upper()} {at}{_way_out(path, option, name)}"
                ) from None
            if blank or text.strip(" "):
                yield number, text


def _wide_lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        with path.open(encoding=encoding, newline="\n") as file:
            for number, line in enumerate(file, 1):
                text = line.rstrip("\r\n")
                yield number, text.removeprefix("\ufeff") if number == 1 else text
    except UnicodeError as error:
        raise UserError(
            f"{path} is not {encoding.upper()} somewhere after line {number} ({error}). "
            "Give another --encoding."
        ) from None


def _way_out(path: Path, option: bool, failed: str) -> str:
    """How the message about a wrong encoding goes on: what it looks like, and what to do."""
    guess = looks_like(path)
    seems = f"; it looks like {guess}" if guess and guess != failed else ""
    if not option:
        return f"{seems}. Convert the file to UTF-8, for example with iconv."
    give = f"--encoding {guess}" if seems else "its --encoding"
    return f"{seems}. Give {give}, or convert the file to UTF-8."


def inside(root: Path, name: str, where: str) -> Path:
    """Join ``name``, as an annotation file writes it, to ``root``, from which it must not lead out.

    Raises:
        UserError: it is absolute or leads out; ``where`` is its position for the message.
    """
    clean = posixpath.normpath(name)
    if not name or "\0" in name or clean == ".." or clean.startswith(("/", "../")):
        raise UserError(
            f"{where} names the image {name!r}, which is not inside {root}. "
            "Make the paths in that file relative to that folder."
        )
    return root / clean
