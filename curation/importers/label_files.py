"""What importers have in common whose SOURCE is one file of paths and labels."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.core.errors import UserError
from curation.core.files import not_a_folder
from curation.core.fingerprint import sha256_file
from curation.importers.base import Word, inside, text_lines

PATHS = ("filename", "file_name", "file", "path", "image_path", "img_path", "image", "img", "name")
LABELS = ("label", "text", "transcription", "word", "words", "gt", "ground_truth")


@dataclass(frozen=True, kw_only=True)  # without slots, so that a format can derive from Photos as well
class LabelFile:
    """The options of an importer of one label file; such importers derive from it.

    Attributes:
        root: Folder that the paths are relative to; None for the folder of the file itself.
        encoding: How the file is encoded, by a name that Python knows; None for UTF-8.
    """

    url: ClassVar[str] = ""
    licence: ClassVar[str] = "unknown"
    citation: ClassVar[str] = ""
    expected: ClassVar[Mapping[str, int]] = {}
    lines_are: ClassVar[str] = "lines: path, TAB, label"

    root: Path | None = None
    encoding: str | None = None

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the label file."""
        self.check(src)
        return {src.name: sha256_file(src)}

    def check(self, src: Path) -> None:
        """Raise a UserError unless ``src`` is a file, and ``root`` a folder."""
        if not src.is_file():
            raise UserError(f"label file {src} {_not_a_file(src)}. Give the file of {self.lines_are}.")
        if self.root is not None and not self.root.is_dir():
            raise UserError(
                f"folder {self.root} {not_a_folder(self.root)}. Check the path given with --root."
            )

    def lines(self, src: Path, *, blank: bool = False) -> Iterator[tuple[int, str]]:
        """Number and text of each line; blank ones only with ``blank``."""
        self.check(src)
        return text_lines(src, self.encoding, option=True, blank=blank)

    def picture(self, src: Path, name: str, where: str) -> Path:
        """The file that the label file calls ``name``; ``where`` is its position for the message."""
        return inside(src.parent if self.root is None else self.root, name, where)

    def listed_word(self, src: Path, name: str, label: str, where: str) -> Word:
        """A word whose picture is the whole file ``name``."""
        return Word(id=name, label=label, read=self.picture(src, name, where).read_bytes)


def choose(given: str | None, found: Sequence[str], usual: Collection[str], option: str, where: str) -> str:
    """Choose the column or key that holds the path or the label.

    Args:
        given: The option's value, if any.
        found: What there is.
        usual: Names that are taken if no option says otherwise, in lower case.
        option: The option's name, which says what is looked for: ``path``, ``label``.
        where: The position, for messages.

    Raises:
        UserError: it is not there, or more than one could be meant.
    """
    if given is not None:
        if given not in found:
            raise UserError(f"{where} has no {given!r}, only {_listed(found)}. Mend --option {option}.")
        return given
    fitting = [name for name in found if name.strip().lower() in usual]
    if len(fitting) == 1:
        return fitting[0]
    which = f"none of {_listed(found)} is known to be" if not fitting else f"{_listed(fitting)} may be"
    raise UserError(f"{where}: {which} the {option}. Say which with --option {option}=NAME.")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names) or "nothing"


def _not_a_file(path: Path) -> str:
    if path.is_dir():
        return "is a folder"
    if path.is_symlink():
        return "is a symbolic link that leads nowhere or in a circle"
    return "is no file" if path.exists() else "does not exist"
