"""Transforms of the albumentations package, by name."""

from __future__ import annotations

import difflib
import functools
import inspect
import json
import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from synthgen.effects.albumentations import albumentations, complaint, is_transform, numbers
from train.augments.base import augments, to_float


@augments.add("albumentations")
@dataclass(frozen=True, kw_only=True)
class Albumentations:
    """Apply transforms of albumentations to each word, on the processor, one after the other.

    Each word has a seed of its own, so that it does not depend on its batch. Far slower than ``mild``.

    Source: albumentations 2.0.8 (Buslaev et al., 2020, doi:10.3390/info11020125).

    Attributes:
        transforms: Tables with a ``name``, such as ``MotionBlur``, the probability ``p`` if it is not the
            package's 0.5, and the transform's own parameters. None may change a word's size.
    """

    transforms: tuple[dict[str, Any], ...] = (
        {"name": "MotionBlur", "p": 0.3},
        {"name": "RandomBrightnessContrast", "p": 0.5},
    )

    def __post_init__(self) -> None:
        for i, table in enumerate(self.transforms):
            try:
                _check(table)
            except ValueError as error:
                raise ValueError(f"transforms[{i}]: {error}") from None

    def __call__(self, images: Tensor, rng: np.random.Generator) -> Tensor:
        seeds = rng.integers(0, 2**31, (len(images), len(self.transforms))).tolist()
        words = images.cpu().numpy().copy()
        built = [_built(json.dumps(table, sort_keys=True)) for table in self.transforms]
        for i, word_seeds in enumerate(seeds):
            for transform, seed in zip(built, word_seeds, strict=True):
                transform.set_random_seed(seed)
                words[i] = transform(image=words[i])["image"]
        return to_float(torch.from_numpy(words).to(images.device))


@functools.lru_cache(maxsize=64)
def _built(key: str) -> Any:
    """The transform that ``key`` holds as JSON; one object, so reseed it."""
    parameters = {option: _tuples(value) for option, value in json.loads(key).items()}
    return getattr(albumentations(), parameters.pop("name"))(**parameters)


def _check(table: dict[str, Any]) -> None:
    name = table.get("name")
    if not isinstance(name, str):
        raise ValueError("it lacks the key 'name' with the name of a transform")
    package = albumentations()
    known = sorted(key for key, value in vars(package).items() if is_transform(value, package))
    if name not in known:
        raise ValueError(f"albumentations has no transform {name!r}{_nearest(name, known)}")
    options = list(inspect.signature(getattr(package, name)).parameters)
    for key in table:
        if key not in (*options, "name"):
            raise ValueError(f"{name} has no parameter {key!r}{_nearest(key, options)}")
    for value in numbers(table):
        if not math.isfinite(value):
            raise ValueError(f"{name} has the parameter {value}, which is no finite number")
    _try_out(name, table)


def _try_out(name: str, table: dict[str, Any]) -> None:
    """Better known before the first word: parameters that do not fit, and what makes other images."""
    image = (np.arange(32 * 128 * 3) % 251).astype(np.uint8).reshape(32, 128, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            _built(json.dumps(table, sort_keys=True))
            surely = _built(json.dumps(table | {"p": 1.0}, sort_keys=True))
            surely.set_random_seed(0)
        except (ValueError, TypeError, UserWarning) as error:
            raise ValueError(f"{name} refuses its parameters: {complaint(error)}") from None
        try:
            out = surely(image=image.copy())["image"]
        except Exception as error:  # whatever a transform of another package raises
            raise ValueError(f"{name} cannot be applied to a word: {complaint(error)}") from None
    if out.shape != image.shape or out.dtype != np.uint8:
        raise ValueError(f"{name} makes {out.dtype} of shape {out.shape} of a uint8 word of {image.shape}")


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=3)
    return f"; did you mean {' or '.join(map(repr, near))}" if near else f"; it has {', '.join(known)}"


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
