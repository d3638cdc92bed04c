"""The engine ``trdg``: words drawn by TextRecognitionDataGenerator, planned and reproducible."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import numpy as np

from curation.core.errors import UserError
from curation.core.fingerprint import versions
from curation.core.images import BrokenImageError
from curation.core.labels import CHARSET_94
from curation.core.rng import stream
from synthgen.choices import check_share, pick
from synthgen.engines import trdg_compat
from synthgen.engines.base import BLOCK, Columns, Drawn, UnfitError, engines
from synthgen.materials import PHOTO_ENDINGS, PHOTOS, folder_fingerprint, listing
from synthgen.texts import Words, plan_texts
from synthgen.words import Limits

COLOUR = re.compile(r"#[0-9a-fA-F]{6}(,#[0-9a-fA-F]{6})?")
MIN_TEXT_PX = 8  # height left between the margins; below it letters run together


@dataclass(frozen=True, kw_only=True, slots=True)
class Backgrounds:
    """How often each of trdg's backgrounds is drawn, as weights."""

    noise: float = 0.0
    white: float = 0.0
    quasicrystal: float = 0.0
    photo: float = 0.0

    def __post_init__(self) -> None:
        for name, weight in zip(trdg_compat.BACKGROUNDS, self.weights(), strict=True):
            check_share(name, weight)
        if not sum(self.weights()):
            raise ValueError("every weight is 0, so no background is left")

    def weights(self) -> list[float]:
        """The weights in the order of the fields, which is that of ``trdg_compat.BACKGROUNDS``."""
        return [getattr(self, f.name) for f in fields(self)]


@engines.add("trdg")
@dataclass(frozen=True, kw_only=True)
class Trdg:
    """A recipe for words drawn by trdg 1.8; what trdg would draw at random is planned here instead.

    A folder whose name begins with ``trdg/`` lies in the installed trdg. Pairs are least and greatest, both
    included; shares are of all words, 0-1.

    Attributes:
        words: Sources of words, as for the other engines.
        charset: The characters that words may be made of.
        max_length: Most characters of a word.
        fonts: Folder of fonts. A word is drawn only with a font that has all its characters.
        skip_fonts: Patterns of font names to leave out, such as ``Lato-*``.
        size_px: Height of the image; trdg draws at this font size, then fits the text between the margins.
        margin_px: Free space on each of the four sides.
        spacing_px: Extra space between characters.
        fit_share: Words cut to their ink before they are fitted, so that they fill the height.
        colours: Text colours ``#rrggbb``, or ranges ``#rrggbb,#rrggbb`` with each channel drawn by itself.
        skew_share: Words that are rotated.
        skew_deg: Their angle, anticlockwise, whole degrees as trdg wants them.
        distortion_share: Words bent by one of ``distortions`` along one of ``distortion_axes``.
        distortions: Kinds of distortion.
        distortion_axes: Directions in which pixels move. Along both, trdg cuts some of the lowest rows off.
        blur_share: Words that are blurred.
        blur_px: Radius of the Gaussian blur.
        background: How often each background is drawn.
        photos: Folder of pictures for the background ``photo``; None for those that are shipped.
        least_contrast: Least difference between the mean grey of text and of background, 0-255. Below it, or
            below the spread of the background's grey (one standard deviation), a word is drawn again
            in another way. 0 leaves it at trdg's own test, which lets white on white pass.
        stored_quality: Quality of the stored JPEG.
    """

    words: tuple[Words, ...]
    charset: str = CHARSET_94
    max_length: int = 25
    fonts: Path = Path("trdg/fonts/latin")
    skip_fonts: tuple[str, ...] = ()
    size_px: tuple[int, int] = (32, 32)
    margin_px: tuple[int, int] = (5, 5)
    spacing_px: tuple[int, int] = (0, 0)
    fit_share: float = 0.0
    colours: tuple[str, ...] = ("#282828",)
    skew_share: float = 0.0
    skew_deg: tuple[int, int] = (-5, 5)
    distortion_share: float = 0.0
    distortions: tuple[Literal["sine", "cosine", "random"], ...] = ("sine", "cosine", "random")
    distortion_axes: tuple[Literal["vertical", "horizontal", "both"], ...] = ("vertical", "horizontal")
    blur_share: float = 0.0
    blur_px: tuple[float, float] = (0.0, 1.0)
    background: Backgrounds = field(default_factory=lambda: Backgrounds(noise=1.0))
    photos: Path | None = None
    least_contrast: float = 0.0
    stored_quality: tuple[int, int] = (75, 75)

    def __post_init__(self) -> None:
        for name in ("fit_share", "skew_share", "distortion_share", "blur_share"):
            check_share(name, getattr(self, name), at_most_one=True)
        for rule, broken in self._rules():
            if broken:
                raise ValueError(rule)

    def _rules(self) -> Iterator[tuple[str, bool]]:
        for name in ("words", "charset", "colours", "distortions", "distortion_axes"):
            yield f"{name} must not be empty", not getattr(self, name)
        room = self.size_px[0] - 2 * self.margin_px[1]
        yield f"size_px and margin_px leave {room} px for the text; leave {MIN_TEXT_PX}", room < MIN_TEXT_PX
        yield "margin_px must be 1 or more", self.margin_px[0] < 1
        yield "spacing_px must be 0 or more", self.spacing_px[0] < 0
        yield "skew_deg must lie between -45 and 45", max(map(abs, self.skew_deg)) > 45
        yield "blur_px must be 0 or more", self.blur_px[0] < 0
        least, greatest = self.stored_quality
        yield "stored_quality must lie between 1 and 100", least < 1 or greatest > 100
        for colour in self.colours:
            form = "write #rrggbb or #rrggbb,#rrggbb"
            yield f"{colour!r} is no colour; {form}", not COLOUR.fullmatch(colour)

    def check(self) -> None:
        """See ``Engine.check``.

        Raises:
            UserError: trdg, a word list, the fonts or the photos are missing.
        """
        trdg_compat.generator()
        self.plan(0, 0)

    def inputs(self) -> dict[str, Any]:
        """See ``Engine.inputs``."""
        folder = _folder(self.fonts)
        used = _fonts(folder, self.skip_fonts, self.charset).names.tolist()
        found: dict[str, Any] = {
            "trdg": versions(("trdg", "pillow")),
            "words": [words.source.inputs(self._limits) for words in self.words],
            "fonts": {"files": len(used), "sha256": folder_fingerprint([folder / f for f in used], folder)},
        }
        if self.background.photo:
            photos = listing(self._photo_folder, PHOTO_ENDINGS, "photos")
            fingerprint = folder_fingerprint(photos, self._photo_folder)
            found["photos"] = {"files": len(photos), "sha256": fingerprint}
        return found

    def plan(self, seed: int, block: int, attempt: int = 0) -> Columns:
        """Decide ``BLOCK`` words; which words does not depend on ``attempt``. See ``Engine.plan``."""

        def rng(*key: str) -> np.random.Generator:
            return stream(seed, "render", *key, block, attempt)

        def whole(name: str) -> np.ndarray:
            least, greatest = getattr(self, name)
            return rng(name).integers(least, greatest + 1, BLOCK)

        def chosen(share: float, name: str) -> np.ndarray:
            return rng(name, "share").random(BLOCK) < share

        texts = plan_texts(
            self.words, self._limits, lambda *key: stream(seed, "render", *key, block, 0), BLOCK
        )
        fonts = _fonts(_folder(self.fonts), self.skip_fonts, self.charset)
        bent = chosen(self.distortion_share, "distortion")
        blur_px = rng("blur_px").uniform(*self.blur_px, BLOCK)
        background = _one_of(rng("background"), list(trdg_compat.BACKGROUNDS), self.background.weights())
        return {
            **texts,
            "font": fonts.pick(texts["text"], rng("font").random(BLOCK)),
            "size_px": whole("size_px"),
            "margin_px": whole("margin_px"),
            "spacing_px": whole("spacing_px"),
            "fit": chosen(self.fit_share, "fit"),
            "colour": self._colours(rng("colour")),
            "skew_deg": np.where(chosen(self.skew_share, "skew"), whole("skew_deg"), 0),
            "distortion": np.where(bent, _one_of(rng("distortion"), self.distortions), "none"),
            "distortion_axes": np.where(bent, _one_of(rng("distortion_axes"), self.distortion_axes), ""),
            "blur_px": np.where(chosen(self.blur_share, "blur"), blur_px, 0.0),
            "background": background,
            "photo": np.where(background == "photo", _one_of(rng("photo"), self._photos()), ""),
            "stored_quality": whole("stored_quality"),
            "trdg_seed": rng("trdg_seed").integers(0, 2**62, BLOCK),
        }

    def draw(self, row: Mapping[str, Any]) -> Drawn:
        """Draw one planned row; see ``Engine.draw``.

        Raises:
            UnfitError: ``low_contrast``, by trdg's test or by ``least_contrast``, ``broken_photo`` or
                ``no_font_has_all_characters``.
        """
        if not row["font"]:
            raise UnfitError("no_font_has_all_characters")
        photo = self._photo_folder / row["photo"] if row["photo"] else None
        try:
            drawn = trdg_compat.generate(row, _folder(self.fonts) / row["font"], photo)
        except BrokenImageError:
            raise UnfitError("broken_photo") from None
        if drawn is None:
            raise UnfitError("low_contrast")
        picture, mask = drawn
        if self.least_contrast:
            grey = np.asarray(picture.convert("L"), np.float32)
            if not self._stands_out(grey, np.asarray(mask).any(axis=2)):
                raise UnfitError("low_contrast")
        return Drawn(image=np.array(picture), label=row["text"], jpeg_quality=int(row["stored_quality"]))

    @property
    def _limits(self) -> Limits:
        return Limits(self.charset, self.max_length)

    @property
    def _photo_folder(self) -> Path:
        return PHOTOS if self.photos is None else _folder(self.photos)

    def _photos(self) -> Sequence[str]:
        """Names of pictures below their folder; one empty name if no background is a photo."""
        if not self.background.photo:
            return [""]
        found = listing(self._photo_folder, PHOTO_ENDINGS, "photos")
        return [path.relative_to(self._photo_folder).as_posix() for path in found]

    def _colours(self, rng: np.random.Generator) -> np.ndarray:
        ends = np.array([[_rgb(end) for end in (c[:7], c[-7:])] for c in self.colours])  # (K, 2, 3)
        chosen = ends[rng.integers(len(ends), size=BLOCK)]
        drawn = rng.integers(chosen.min(axis=1), chosen.max(axis=1) + 1)
        return np.array(["#{:02x}{:02x}{:02x}".format(*rgb) for rgb in drawn], object)

    def _stands_out(self, grey: np.ndarray, ink: np.ndarray) -> bool:
        text, background = grey[ink], grey[~ink]
        if not (text.size and background.size):
            return bool(text.size)
        return bool(abs(text.mean() - background.mean()) >= max(self.least_contrast, background.std()))


def _folder(path: Path) -> Path:
    if path.parts[:1] == ("trdg",):
        return trdg_compat.package_folder().joinpath(*path.parts[1:])
    return path


@functools.lru_cache(maxsize=8)
def _fonts(folder: Path, skip: tuple[str, ...], charset: str) -> Any:
    """The fonts of ``folder`` whose names match none of the patterns ``skip``."""
    from synthgen.fonts import FontIndex, FontPicker, index_fonts

    index = index_fonts(folder, charset)
    kept = tuple(f for f in index.fonts if not any(fnmatchcase(f.name, pattern) for pattern in skip))
    if not kept:
        raise UserError(f"skip_fonts leaves none of the {len(index.fonts)} fonts in {folder}. Shorten it.")
    return FontPicker(FontIndex(folder, kept, index.skipped))


def _one_of(rng: np.random.Generator, names: Sequence[str], weights: Sequence[float] = ()) -> np.ndarray:
    """``BLOCK`` of ``names``, drawn by ``weights`` or equally; (BLOCK,) object (str)."""
    return np.array(names, object)[pick(rng, weights or [1.0] * len(names), BLOCK)]


def _rgb(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
