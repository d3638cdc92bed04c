"""trdg 1.8 on today's Pillow, with its randomness in our hands; nothing of it is imported before it is used.

Only ``trdg.data_generator`` is imported: ``trdg.generators`` would bring in wikipedia, requests and
arabic-reshaper, whose older releases need ``pkg_resources``, and none of them draws anything.

Source: https://github.com/Belval/TextRecognitionDataGenerator, version 1.8.0 (MIT).
"""

from __future__ import annotations

import functools
import importlib.util
import io
import random
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from curation.core.errors import UserError
from curation.core.images import BrokenImageError

BACKGROUNDS = {"noise": 0, "white": 1, "quasicrystal": 2, "photo": 3}  # trdg's numbers
DISTORTIONS = {"none": 0, "sine": 1, "cosine": 2, "random": 3}
AXES = {"": 0, "vertical": 0, "horizontal": 1, "both": 2}  # none where nothing is distorted
HANDWRITING = "trdg.handwritten_text_generator"


@functools.cache
def package_folder() -> Path:
    """The folder that trdg is installed in, found without importing it.

    Raises:
        UserError: trdg is not installed.
    """
    spec = importlib.util.find_spec("trdg")
    if spec is None or spec.origin is None:
        raise UserError(
            "the engine 'trdg' needs the package trdg, which is not installed. "
            "Run: pip install --no-deps trdg==1.8.0"
        )
    return Path(spec.origin).parent


@functools.cache
def generator() -> Any:
    """Import trdg once, mend it for this environment, and return its ``FakeTextDataGenerator``.

    The mends are seen by anybody who uses trdg in this process: text heights that Pillow 10 and later no
    longer tell through ``getsize``, no printing, noise that follows ``random``, and a background
    picture that may be named as a file.

    Raises:
        UserError: trdg is not installed.
    """
    package_folder()
    with redirect_stdout(io.StringIO()), _without(HANDWRITING):
        from trdg import background_generator, computer_text_generator, data_generator
    computer_text_generator.get_text_height = _text_height
    background_generator.cv2 = SimpleNamespace(randn=_randn)
    background_generator.image = functools.partial(_photo_crop, background_generator.image)
    data_generator.print = lambda *values: None
    return data_generator.FakeTextDataGenerator


def command_line(arguments: list[str]) -> None:
    """Run trdg's own command line in this process, mended for this Pillow and in nothing else.

    Raises:
        UserError: trdg is not installed.
    """
    package_folder()
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), _without(HANDWRITING):
        warnings.simplefilter("ignore")  # what its dependencies say of each other
        from trdg import computer_text_generator, run
    computer_text_generator.get_text_height = _text_height
    sys.argv = ["trdg", *arguments]
    run.main()


def generate(row: Mapping[str, Any], font: Path, photo: Path | None) -> tuple[Any, Any] | None:
    """Let trdg draw one planned word.

    Args:
        row: The columns of ``Trdg.plan``.
        font: The font file.
        photo: The background picture, if the row's background is one.

    Returns:
        The picture and its mask, both Pillow images of mode RGB and one size; the mask is black where
        there is no text. None if trdg finds text and background too similar.

    Raises:
        BrokenImageError: the background picture cannot be read.
    """
    draw = generator().generate
    with seeded(int(row["trdg_seed"])):
        drawn: tuple[Any, Any] | None = draw(
            index=0,
            text=row["text"],
            font=str(font),
            out_dir=None,
            size=int(row["size_px"]),
            extension=None,
            skewing_angle=int(row["skew_deg"]) % 360,  # trdg refuses negative angles unless it draws them
            random_skew=False,
            blur=0,
            random_blur=False,
            background_type=BACKGROUNDS[row["background"]],
            distorsion_type=DISTORTIONS[row["distortion"]],
            distorsion_orientation=AXES[row["distortion_axes"]],
            is_handwritten=False,
            name_format=0,
            width=-1,
            alignment=1,
            text_color=row["colour"],
            orientation=0,
            space_width=1.0,
            character_spacing=int(row["spacing_px"]),
            margins=(int(row["margin_px"]),) * 4,
            fit=bool(row["fit"]),
            output_mask=1,
            word_split=False,
            image_dir=photo,
        )
    if drawn is None:
        return None
    return _blurred(drawn[0], float(row["blur_px"])), drawn[1]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the global ``random`` and put its state back afterwards.

    It is the only global source that trdg's drawing reads once its noise follows it too: ``np.random``
    is imported there and never used.
    """
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


def _blurred(picture: Any, radius_px: float) -> Any:
    """What trdg does last, done by us: it would blur the mask too, and thin letters would vanish from it."""
    from PIL import ImageFilter

    return picture.filter(ImageFilter.GaussianBlur(radius_px)) if radius_px else picture


@contextmanager
def _without(module: str) -> Iterator[None]:
    """Make ``module`` fail to import: trdg does without it, and with it would load TensorFlow."""
    before = sys.modules.get(module)
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]
        if before is not None:
            sys.modules[module] = before


def _text_height(font: Any, text: str) -> int:
    """What ``getsize(text)[1]`` was before Pillow 10: the lower edge of the ink below the top of the line."""
    return int(font.getbbox(text)[3])


def _randn(image: np.ndarray, mean: float, sd: float) -> None:
    """Fill ``image`` with noise as ``cv2.randn`` does, whose own state could be set but never put back."""
    image[:] = np.random.default_rng(random.getrandbits(64)).normal(mean, sd, image.shape)


def _photo_crop(original: Any, height: int, width: int, source: str | Path) -> Any:
    """Cut a background out of the picture ``source`` as trdg does; a folder goes to trdg itself."""
    if Path(source).is_dir():
        return original(height, width, source)
    photo = _photo(source)
    if photo.width < width:
        photo = photo.resize((width, max(1, photo.height * width // photo.width)))
    if photo.height < height:
        photo = photo.resize((max(width, photo.width * height // photo.height), height))
    left, top = random.randint(0, photo.width - width), random.randint(0, photo.height - height)
    return photo.crop((left, top, left + width, top + height))


@functools.lru_cache(maxsize=64)  # 64 photos of 2 megapixels are 400 MB
def _photo(path: str | Path) -> Any:
    from PIL import Image

    try:
        with Image.open(path) as photo:
            return photo.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:  # Pillow has no single error for a damaged file
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BrokenImageError(f"Pillow refuses it: {error}") from error
