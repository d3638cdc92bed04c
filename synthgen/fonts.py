"""The font index: which fonts there are, what each can really draw, and how often it is drawn."""

from __future__ import annotations

import csv
import dataclasses
import functools
import unicodedata
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from curation.core.errors import UserError
from synthgen.capitals import in_capitals
from synthgen.font_cache import FontCache
from synthgen.font_choice import FontChoice, matches
from synthgen.font_files import Axis, FaceFacts
from synthgen.materials import FONT_ENDINGS, listing
from synthgen.shaping import Face

CLASSES = "classes.tsv"  # in a folder of fonts: file, and as far as known class, characters, licence
AXIS_STEPS = 16  # a variable font stands at one of 17 places on an axis, so that what is cached is met again
_AXES = 16  # of a font that are varied
_NAMED = 20  # characters in a message
_EDGES_BYTES = 64 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class FontFile:
    """One font that can be drawn.

    Attributes:
        name: Path below the fonts folder, with ``/``; for a font of a collection with ``#`` and its number.
        file: The path alone.
        number: Which font of the file, from 0.
        family: As its name table says, or the file's name.
        style: Likewise: ``Bold Italic``.
        weight: From 1 to 1000; 400 is regular, 700 bold.
        width: From 1, ultra-condensed, over 5, normal, to 9, ultra-expanded.
        italic: Whether it is slanted.
        licence: SPDX name, or ``unknown``.
        font_class: Such as ``serif``: from ``classes.tsv``, else the first folder; may be empty.
        axes: Along which a variable font varies.
        scripts: ISO 15924 names of the scripts it has letters of, the fullest first.
        characters: Those of the asked charset that it draws; white space needs no ink.
        factor: How much more often than by default it is drawn.
        capitals: Whether words of several letters are set in it wholly in capitals.
    """

    name: str
    file: str
    number: int
    family: str
    style: str
    weight: int
    width: int
    italic: bool
    licence: str
    font_class: str
    axes: tuple[Axis, ...]
    scripts: tuple[str, ...]
    characters: frozenset[str]
    factor: float = 1.0
    capitals: bool = True


@dataclass(frozen=True)
class FontIndex:
    """The fonts of one folder.

    Attributes:
        folder: Where they lie.
        fonts: Those that draw at least one character of the charset, sorted by name.
        skipped: Name and reason of the others; see ``font_files.REASONS``.
    """

    folder: Path
    fonts: tuple[FontFile, ...]
    skipped: tuple[tuple[str, str], ...]

    def load(self, font: FontFile, axes: str = "") -> Face:
        """The face of ``font``, at the place on its axes that ``axes`` says, as ``FontPicker.axes`` does."""
        return Face.load(self.folder / font.file, font.number, dict(_parse(axes)))


def index_fonts(folder: Path, charset: str, choice: FontChoice | None = None) -> FontIndex:
    """Look into every font below ``folder``.

    Raises:
        UserError: the folder is missing or has no usable font, ``choice`` names none of them, or a
            character of ``charset`` is in none.
    """
    index = look_into(folder, charset)
    if choice is not None and choice != FontChoice():
        index = _chosen(index, choice)
    covered = frozenset().union(*(font.characters for font in index.fonts))
    if missing := [c for c in charset if c not in covered]:
        raise UserError(
            f"no font in {folder} draws {_few(missing)}. Add a font that does, "
            "or take the characters out of the recipe's charset."
        )
    return index


def look_into(folder: Path, charset: str) -> FontIndex:
    """The same, whatever of ``charset`` is covered; a font may be there for another recipe.

    Raises:
        UserError: the folder is missing or has no usable font.
    """
    cache, classes = FontCache(folder, charset), _read_classes(folder)
    sets: dict[str, frozenset[str]] = {}  # many fonts draw the same characters
    fonts, skipped, contents = [], [], set[str]()
    for path in listing(folder, FONT_ENDINGS, "fonts"):
        file = path.relative_to(folder).as_posix()
        digest, faces = cache.look(path)
        if digest in contents:
            skipped.append((file, "duplicate"))
            continue
        contents.add(digest)
        for found in faces:
            if isinstance(found, str):
                skipped.append((file, found))
                continue
            font = _font(file, found, classes.get(file, {}), sets)
            fonts.append(font) if font.characters else skipped.append((font.name, "no_character"))
    cache.save()
    if not fonts:
        raise UserError(f"folder {folder} holds no usable font ({_reasons(skipped)}). Give other fonts.")
    return FontIndex(folder, tuple(fonts), tuple(skipped))


class FontPicker:
    """Draws fonts for texts, so that every character of a text is covered.

    A family of k files gets the weight of the square root of k: large families do not drown the
    single display faces, and their many weights still count. A font's ``factor`` multiplies its own. Fonts
    without ``capitals`` set a word wholly in capitals only where no other font has all its characters.

    Args:
        index: What to draw from.
    """

    def __init__(self, index: FontIndex) -> None:
        self.names = np.array([font.name for font in index.fonts], object)
        sizes = Counter(font.family for font in index.fonts)
        self._weights = np.array([font.factor * sizes[font.family] ** -0.5 for font in index.fonts])
        self._axes = {font.name: font.axes[:_AXES] for font in index.fonts if font.axes}
        self._no_capitals = sum(1 << bit for bit, font in enumerate(index.fonts) if not font.capitals)
        self._fonts_of: dict[str, int] = {}  # character -> bit set of the fonts that draw it
        drawing: dict[frozenset[str], int] = {}
        for bit, font in enumerate(index.fonts):
            drawing[font.characters] = drawing.get(font.characters, 0) | 1 << bit
        for characters, bits in drawing.items():
            for character in characters:
                self._fonts_of[character] = self._fonts_of.get(character, 0) | bits
        kept = min(4096, max(64, _EDGES_BYTES // (16 * len(index.fonts))))
        self._edges = functools.lru_cache(maxsize=kept)(self._edges_of)

    def pick(self, texts: np.ndarray, dice: np.ndarray) -> np.ndarray:
        """Pick a font for each text.

        Args:
            texts: Shape (n,), object (str).
            dice: Uniform draws in [0, 1), shape (n,).

        Returns:
            Font names, shape (n,), object (str); empty where no font covers the whole text.
        """
        return np.array([self._one(t, d) for t, d in zip(texts.tolist(), dice.tolist(), strict=True)], object)

    def axes(self, names: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Place each font on its axes, evenly from end to end.

        Returns:
            Column ``font_axes`` of shape (n,), object (str), such as ``wght=612.5,wdth=87.5``, empty for
            a font that does not vary; no column at all where none does.
        """
        if not self._axes:
            return {}
        dice = rng.integers(0, AXIS_STEPS + 1, (len(names), _AXES))
        rows = zip(names.tolist(), dice.tolist(), strict=True)
        places = [_place(self._axes.get(name, ()), steps) for name, steps in rows]
        return {"font_axes": np.array(places, object)}

    def _one(self, text: str, dice: float) -> str:
        fonts = -1
        for character in text:
            fonts &= self._fonts_of.get(character, 0)
        if fonts <= 0:
            return ""
        if self._no_capitals and len(text) > 1 and in_capitals(text):
            fonts = fonts & ~self._no_capitals or fonts
        allowed, edges = self._edges(fonts)
        name: str = self.names[allowed[min(bisect_right(edges, dice), len(allowed) - 1)]]
        return name

    def _edges_of(self, fonts: int) -> tuple[array[int], array[float]]:
        """The fonts of a bit set, and where the part of each ends between 0 and 1."""
        allowed = array("l", _bits(fonts))
        edges = np.cumsum(self._weights[allowed])
        return allowed, array("d", edges / edges[-1])  # bisect takes a third of NumPy's time on one number


def _font(
    file: str, facts: FaceFacts, listed: Mapping[str, str], sets: dict[str, frozenset[str]]
) -> FontFile:
    characters = facts.characters
    if only := listed.get("characters"):
        characters = "".join(c for c in characters if c in only)
    return FontFile(
        name=file if facts.number is None else f"{file}#{facts.number}",
        file=file,
        number=facts.number or 0,
        family=facts.family or Path(file).stem,
        style=facts.style,
        weight=facts.weight,
        width=facts.width,
        italic=facts.italic,
        licence=listed.get("licence") or facts.licence,
        font_class=listed.get("class") or (file.split("/")[0] if "/" in file else ""),
        axes=facts.axes,
        scripts=facts.scripts,
        characters=sets.setdefault(characters, frozenset(characters)),
    )


def _read_classes(folder: Path) -> dict[str, dict[str, str]]:
    """The rows of the folder's ``classes.tsv`` by file; none where there is no such list."""
    path = folder / CLASSES
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            table = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, restval="")
            if "file" in (table.fieldnames or ()):
                return {row["file"]: row for row in table}
    except (UnicodeDecodeError, csv.Error):
        pass
    raise UserError(
        f"{path} is no list of fonts. Begin it with a line of the names file, class, characters, "
        "licence, set apart by tabs, or remove it."
    )


def _chosen(index: FontIndex, choice: FontChoice) -> FontIndex:
    if idle := choice.idle(index.fonts):
        raise UserError(
            f"font_choice, {idle} fits no font in {index.folder}. See their names with glyphmix fonts."
        )
    rated = [
        dataclasses.replace(font, factor=choice.factor(font), capitals=not matches(font, choice.no_capitals))
        for font in index.fonts
    ]
    kept = tuple(font for font in rated if font.factor)
    if not kept:
        raise UserError(f"font_choice leaves no font of {index.folder}. Widen it.")
    out = tuple((font.name, "excluded") for font in rated if not font.factor)
    return FontIndex(index.folder, kept, (*index.skipped, *out))


def _place(axes: Sequence[Axis], steps: Sequence[int]) -> str:
    places = (
        f"{a.tag}={a.low + (a.high - a.low) * k / AXIS_STEPS:g}" for a, k in zip(axes, steps, strict=False)
    )
    return ",".join(places)


def _parse(axes: str) -> Iterator[tuple[str, float]]:
    for part in axes.split(",") if axes else ():
        tag, value = part.rsplit("=", 1)
        yield tag, float(value)


def _bits(number: int) -> Iterator[int]:
    while number:
        low = number & -number
        yield low.bit_length() - 1
        number ^= low


def _few(characters: Sequence[str]) -> str:
    shown = " ".join(map(_visible, characters[:_NAMED]))
    return shown + (f" and {len(characters) - _NAMED} more" if len(characters) > _NAMED else "")


def _visible(character: str) -> str:
    """The character itself, or its number where it could not be read alone."""
    return f"U+{ord(character):04X}" if unicodedata.category(character)[0] in "MCZ" else character


def _reasons(skipped: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{n} {reason}" for reason, n in sorted(Counter(r for _, r in skipped).items()))
