"""The native engine: HarfBuzz outlines, one affine transform a glyph, OpenCV for everything after."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from curation.core.images import BrokenImageError, Pixels
from curation.core.labels import CHARSET_94
from curation.core.rng import stream
from synthgen import legibility
from synthgen.backgrounds.plain import Plain
from synthgen.boxes import Stored
from synthgen.choices import (
    Bound,
    Columns,
    Streams,
    check_range,
    distinct,
    join,
    kinds,
    plan_each,
    plan_one_of,
)
from synthgen.colours import Colours
from synthgen.effects.base import EffectError
from synthgen.engines.base import BLOCK, Drawn, UnfitError, engines
from synthgen.engines.shares import BackgroundShare, EffectShare, LayoutShare
from synthgen.font_choice import FontChoice
from synthgen.fonts import FontFile, FontIndex, FontPicker, index_fonts
from synthgen.framing import Framing
from synthgen.ink import Ink, Painter, colour, hollowed
from synthgen.jitter import Jitter
from synthgen.layers import card, cover
from synthgen.layouts.straight import Straight
from synthgen.materials import FONTS, folder_fingerprint
from synthgen.neighbours import Neighbours
from synthgen.posture import Posture
from synthgen.shaping import Face
from synthgen.texts import BlockTexts, Words, plan_texts
from synthgen.typesetting import Typesetter
from synthgen.words import Limits

MOST_CHARACTERS = 1_000  # in a word; casing draws as many numbers for each
MOST_FACES = 1_024  # kept open, each with where the ink of its glyphs is: about 30 kB


@engines.add("native")
@dataclass(frozen=True, kw_only=True)
class Native:
    """A recipe for the native engine.

    Attributes:
        words: Sources of words with their weights.
        charset: The characters that may be drawn.
        max_length: Most characters in a word, 1 to 1,000.
        fonts: Folder of fonts, with folders below; None for those that are shipped.
        font_choice: Which of them are drawn, and how often.
        posture: Spacing, slant, rotation, perspective.
        jitter: Letters that do not stand alike; None for none.
        layouts: Lines that words are set on.
        neighbours: Parts of other words around; None for none.
        framing: Size and margins.
        colours: Text and background colours.
        ink: Fill, outline, shadow, decorations, blending.
        backgrounds: What words stand on.
        effects: What happens to the image after that, in this order.
        least_contrast: Luma difference between letters and ground, in grey levels of 255, below
            which a word is drawn again with other decisions.
        least_contrast_after: Likewise between the means of both in the finished image.
        stored_quality: Least and greatest quality of the stored file.
        boxes: Which boxes are stored with the image: ``none``, ``words``, or ``characters`` and words.
    """

    words: tuple[Words, ...]
    charset: str = CHARSET_94
    max_length: int = 25
    fonts: Path | None = None
    font_choice: FontChoice = field(default_factory=FontChoice)
    posture: Posture = field(default_factory=Posture)
    jitter: Jitter | None = None
    layouts: tuple[LayoutShare, ...] = (LayoutShare(share=1.0, layout=Straight()),)
    neighbours: Neighbours | None = None
    framing: Framing = field(default_factory=Framing)
    colours: Colours = field(default_factory=Colours)
    ink: Ink = field(default_factory=Ink)
    backgrounds: tuple[BackgroundShare, ...] = (BackgroundShare(share=1.0, background=Plain()),)
    effects: tuple[EffectShare, ...] = ()
    least_contrast: float = 20.0
    least_contrast_after: float = 12.0
    stored_quality: tuple[int, int] = (70, 95)
    boxes: Stored = "none"

    def __post_init__(self) -> None:
        if not 1 <= self.max_length <= MOST_CHARACTERS:
            raise ValueError(f"max_length must be from 1 to {MOST_CHARACTERS:,}, got {self.max_length:,}")
        if not self.charset:
            raise ValueError("charset is empty, so nothing can be drawn")
        check_range("stored_quality", self.stored_quality, 1, 100)
        for name in ("least_contrast", "least_contrast_after"):
            if not 0 <= getattr(self, name) <= 255:
                raise ValueError(f"{name} must be from 0 to 255, got {getattr(self, name):g}")
        for name in ("words", "layouts", "backgrounds"):
            if not sum(entry.share for entry in getattr(self, name)):
                raise ValueError(f"{name} have no share above 0, so nothing can be drawn")
        kinds([entry.layout for entry in self.layouts])
        kinds([entry.background for entry in self.backgrounds])
        distinct([entry.called for entry in self.effects], "give one of the two a name")

    def __getstate__(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}  # fonts cannot be pickled

    def check(self) -> None:
        """Load fonts, words and photos; raise a UserError for what is missing."""
        self.inputs()

    def inputs(self) -> dict[str, Any]:
        """Fingerprints and counts of fonts, word lists and photos."""
        index = self._index
        files = [index.folder / file for file in dict.fromkeys(font.file for font in index.fonts)]
        found: dict[str, Any] = {
            "fonts": {
                "count": len(index.fonts),
                "sha256": folder_fingerprint(files, index.folder),
                "skipped": dict(index.skipped),
            },
            "words": [words.source.inputs(self._limits) for words in self.words],
        }
        if colours := self.colours.inputs():
            found["palette"] = colours
        found |= self.ink.inputs()
        for entry in self.backgrounds:
            if hasattr(entry.background, "inputs"):
                found[f"background_{entry.background.kind}"] = entry.background.inputs()
        return found

    def plan(self, seed: int, block: int, attempt: int = 0) -> Columns:
        """Decide ``BLOCK`` words; see ``Engine.plan``."""

        def rng(*key: str) -> np.random.Generator:
            return stream(seed, "render", *key, block, attempt)

        texts = self._texts.plan(seed, block, attempt)
        plain = texts["text"].tolist()
        fonts = self._picker.pick(texts["text"], rng("font").random(BLOCK))
        low, high = self.stored_quality
        return join(
            texts,
            {"font": fonts, **self._picker.axes(fonts, rng("font_axes"))},
            self.posture.plan(rng, np.array([len(text) for text in plain])),
            {} if self.jitter is None else self.jitter.plan(rng, plain),
            {} if self.neighbours is None else self._plan_neighbours(rng, plain),
            plan_one_of(
                "layout", [e.layout for e in self.layouts], [e.share for e in self.layouts], rng, BLOCK
            ),
            self.framing.plan(rng, BLOCK),
            self.colours.plan(rng, BLOCK),
            self.ink.plan(rng, BLOCK),
            plan_one_of(
                "background",
                [e.background for e in self.backgrounds],
                [e.share for e in self.backgrounds],
                rng,
                BLOCK,
            ),
            plan_each(
                [e.called for e in self.effects],
                [e.effect for e in self.effects],
                [e.share for e in self.effects],
                rng,
                BLOCK,
            ),
            {"stored_quality": rng("stored_quality").integers(low, high + 1, BLOCK)},
        )

    def _plan_neighbours(self, rng: Streams, texts: list[str]) -> Columns:
        assert self.neighbours is not None

        def draw(rng: Streams, n: int) -> list[str]:
            found: list[str] = plan_texts(self.words, self._limits, rng, n)["text"].tolist()
            return found

        colours = self.colours.plan(lambda *key: rng("neighbour", *key), BLOCK)
        columns = self.neighbours.plan(rng, texts, draw, self._picker.pick)
        other = columns["neighbour_font"] != ""
        return columns | {f"neighbour_{c}": colours[f"text_{c}"] * other for c in "rgb"}

    def draw(self, row: Mapping[str, Any]) -> Drawn:
        """Draw one planned row; see ``Engine.draw``."""
        if not row["font"]:
            raise UnfitError("no_font_has_all_characters")
        letters = self._typesetter.set(row)
        if row["hollow"]:
            letters = letters.painted_as(lambda mask: hollowed(mask, row, letters.letter_px))
        mask, letter_px = letters.word, letters.letter_px
        try:
            bound = self._bound_backgrounds[row["background"]]
            seen = bound.seeing(letters=mask, ink=colour(row, "text"))
            ground = bound.apply(card(colour(row, "background"), mask.shape), row, **seen)
            if letters.others is not None:
                ground = cover(ground, colour(row, "neighbour"), letters.others)
            image = self._painter.paint(ground, letters.ink, row, letter_px)
        except BrokenImageError:
            raise UnfitError("broken_photo") from None
        outline_px = row["outline_width"] * letter_px if row["outline"] else 0.0
        beside_px = 0.08 * letter_px if self._painter.crowded(row) else 0.0
        if reason := legibility.fault(ground, image, mask, self.least_contrast, outline_px, beside_px):
            raise UnfitError(reason)
        image = self._affected(image, mask, row)
        if legibility.contrast(image, letters.measured) < self.least_contrast_after:
            raise UnfitError("faint")
        return Drawn(image=image, label=row["text"], jpeg_quality=row["stored_quality"], boxes=letters.boxes)

    def _affected(self, image: Pixels, mask: Pixels, row: Mapping[str, Any]) -> Pixels:
        try:
            for bound in self._bound_effects:
                if row[bound.name]:
                    image = bound.apply(image, row, **bound.seeing(letters=mask))
        except EffectError:
            raise UnfitError("effect_failed") from None
        return image

    def _face(self, name: str, axes: str = "") -> Face:
        key = name, axes
        face = self._faces.pop(key, None) or self._index.load(self._fonts[name], axes)
        self._faces[key] = face  # at the end, so that the first is the one not met for longest
        if len(self._faces) > MOST_FACES:
            del self._faces[next(iter(self._faces))]
        return face

    @cached_property
    def _texts(self) -> BlockTexts:
        def covered(texts: np.ndarray) -> np.ndarray:
            return self._picker.pick(texts, np.zeros(len(texts))) != ""

        return BlockTexts(self.words, self._limits, BLOCK, covered)

    @cached_property
    def _faces(self) -> dict[tuple[str, str], Face]:
        return {}

    @cached_property
    def _fonts(self) -> dict[str, FontFile]:
        return {font.name: font for font in self._index.fonts}

    @cached_property
    def _limits(self) -> Limits:
        return Limits(self.charset, self.max_length)

    @cached_property
    def _index(self) -> FontIndex:
        return index_fonts(self.fonts or FONTS, self.charset, self.font_choice)

    @cached_property
    def _picker(self) -> FontPicker:
        return FontPicker(self._index)

    @cached_property
    def _painter(self) -> Painter:
        return Painter(self.ink)

    @cached_property
    def _typesetter(self) -> Typesetter:
        return Typesetter(
            [entry.layout for entry in self.layouts],
            self.framing.letter_px,
            lambda row: self._face(row["font"], row.get("font_axes", "")),
            self._face,
            boxed=self.boxes != "none",
        )

    @cached_property
    def _bound_backgrounds(self) -> dict[str, Bound]:
        return {
            e.background.kind: Bound.of(e.background, f"background_{e.background.kind}")
            for e in self.backgrounds
        }

    @cached_property
    def _bound_effects(self) -> list[Bound]:
        return [Bound.of(e.effect, e.called) for e in self.effects]
