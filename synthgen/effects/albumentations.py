"""Any transform of the albumentations package that leaves letters where they are."""

from __future__ import annotations

import difflib
import functools
import inspect
import json
import math
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from synthgen.effects.base import EffectError, effects

# Transforms that belong to albumentations' geometric family but move no pixel.
STILL = frozenset(
    {"CoarseDropout", "Erasing", "GridDropout", "Morphological", "NoOp", "PixelDropout", "XYMasking"}
)
_TRIALS = ((32, 96), (8, 8), (300, 12), (96, 32), (12, 300))  # heights and widths of words, odd ones too


@effects.add("albumentations")
@dataclass(frozen=True, kw_only=True, slots=True)
class Albumentations:
    """Apply one transform, with a random state of its own that starts from a planned seed.

    Several may stand in one recipe if each has a ``name`` beside its share. The share says which images it
    acts on, so the transform's own parameter ``p`` is 1.

    Source: albumentations 2.0.8 (Buslaev et al., 2020, doi:10.3390/info11020125).

    Attributes:
        transform: The transform's name, such as ``RandomFog``. It must change colours only: one that turns,
            crops or warps would move letters away from their boxes.
        parameters: What it is built with; its own defaults for the rest.
    """

    transform: str
    parameters: dict[str, Any] = field(default_factory=dict)
    key: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for value in numbers(self.parameters):
            if not math.isfinite(value):
                raise ValueError(f"parameters hold {value}, which is no finite number")
        object.__setattr__(self, "key", json.dumps(self.parameters, sort_keys=True))
        _check_name(self.transform)
        _check_parameters(self.transform, self.parameters)
        for height, width in _TRIALS:
            _try_out(self.transform, _built(self.transform, self.key), height, width)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"seed": rng.integers(0, 2**31, n)}

    def apply(self, image: np.ndarray, *, seed: int) -> np.ndarray:
        transform = _built(self.transform, self.key)
        transform.set_random_seed(int(seed))
        try:
            return np.ascontiguousarray(transform(image=image.copy())["image"])
        except Exception as error:  # whatever a transform of another package raises
            raise EffectError(f"{self.transform}: {complaint(error)}") from error


@functools.cache
def albumentations() -> ModuleType:
    """The package, imported when it is first needed."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # importing it asks the network otherwise
    import albumentations as package

    return package


@functools.lru_cache(maxsize=256)
def _built(name: str, key: str) -> Any:
    """The transform ``name`` with the parameters that ``key`` holds as JSON; one object, so reseed it."""
    parameters = {option: _tuples(value) for option, value in json.loads(key).items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            return getattr(albumentations(), name)(**parameters, p=1.0)
        except (ValueError, TypeError, UserWarning) as error:
            raise ValueError(f"{name} refuses its parameters: {complaint(error)}") from None


def _check_name(name: str) -> None:
    package = albumentations()
    known = {key: value for key, value in vars(package).items() if is_transform(value, package)}
    usable = sorted(
        key for key, value in known.items() if issubclass(value, package.ImageOnlyTransform) or key in STILL
    )
    if name in usable:
        return
    if name in known:
        raise ValueError(f"the transform {name} moves letters, away from their boxes; it cannot be used")
    near = difflib.get_close_matches(name, usable, n=3)
    hint = f"did you mean {' or '.join(map(repr, near))}" if near else f"it has {', '.join(usable)}"
    raise ValueError(f"albumentations has no transform {name!r}; {hint}")


def is_transform(value: Any, package: ModuleType) -> bool:
    """Whether a name of the package is that of a transform."""
    bases = (package.ImageOnlyTransform, package.DualTransform, package.Transform3D)
    return inspect.isclass(value) and issubclass(value, bases) and value not in bases


def _check_parameters(name: str, parameters: dict[str, Any]) -> None:
    known = [key for key in inspect.signature(getattr(albumentations(), name)).parameters if key != "p"]
    for key in parameters:
        if key == "p":
            raise ValueError("parameters.p cannot be set; the effect's share decides which images it acts on")
        if key not in known:
            near = difflib.get_close_matches(key, known, n=3)
            hint = f"did you mean {' or '.join(map(repr, near))}" if near else f"it has {', '.join(known)}"
            raise ValueError(f"{name} has no parameter {key!r}; {hint}")


def _try_out(name: str, transform: Any, height: int, width: int) -> None:
    """Some need more than an image, or make something else than one; better known before the first word."""
    image = (np.arange(height * width * 3) % 251).astype(np.uint8).reshape(height, width, 3)
    transform.set_random_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            out = transform(image=image.copy())["image"]
        except Exception as error:  # whatever a transform of another package raises
            size = f"{width} x {height} pixels"
            raise ValueError(
                f"{name} cannot be applied to a word image of {size}: {complaint(error)}"
            ) from None
    if out.shape != image.shape or out.dtype != np.uint8:
        raise ValueError(f"{name} makes {out.dtype} of shape {out.shape} of a uint8 image of {image.shape}")


def complaint(error: Exception) -> str:
    """The parameter and the complaint where pydantic complains, over several lines; else the first line."""
    lines = str(error).splitlines() or [type(error).__name__]
    if "validation error" in lines[0] and len(lines) > 2:
        found = lines[2].strip().partition(" [type=")[0].removeprefix("Value error, ")
        return f"{lines[1]}: {found}"
    return lines[0].rstrip(".")


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def numbers(value: Any) -> Iterator[float]:
    """All floats in nested tables and lists."""
    if isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from numbers(item)
    elif isinstance(value, float):
        yield value
