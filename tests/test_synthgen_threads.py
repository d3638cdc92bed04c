"""The bytes of an image do not depend on how many threads OpenCV has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from small_recipe import write_recipe
from test_synthgen_components import make, rows

from curation.core.registry import Registry
from curation.core.rng import stream
from synthgen import render
from synthgen.backgrounds import backgrounds
from synthgen.blends import blends
from synthgen.choices import Bound
from synthgen.decorations import decorations
from synthgen.effects import effects

TEXT = (220, 40, 60)
SIZES = ((48, 160), (130, 700))
DECORATED = """
[ink]
shadow = 0.5
outline = 0.3
decorations = [
    { share = 1.0, decoration = { kind = "emboss" } },
    { share = 1.0, decoration = { kind = "glow" } },
]
"""


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = cv2.getNumThreads()
    yield
    cv2.setNumThreads(before)


def subject(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """A grained ground and the coverage of a word as high as the image."""
    noise = stream(0, "test", "threads").integers(60, 200, (height // 3, width // 3, 3)).astype(np.uint8)
    mask = np.zeros((height, width), np.uint8)
    at, size = (width // 12, int(0.8 * height)), height / 40
    mask = cv2.putText(mask, "Ham", at, cv2.FONT_HERSHEY_DUPLEX, size, 255, height // 10, cv2.LINE_AA)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), mask


def drawn(registry: Registry[Any], component: Any, row: dict[str, Any], shape: tuple[int, int]) -> np.ndarray:
    image, mask = subject(*shape)
    if registry is decorations:
        return component.apply(image, mask=mask, text=TEXT, letter_px=0.7 * shape[0], **row)
    if registry is blends:
        paint = np.full_like(image, TEXT)
        return component.apply(image, paint=paint, mask=mask, opacity=0.9, **row)
    return component.apply(image, **Bound.of(component, "test").seeing(letters=mask, ink=TEXT), **row)


def at_threads(draw: Callable[[], np.ndarray]) -> list[np.ndarray]:
    images = []
    for n in (1, 2, 4):
        cv2.setNumThreads(n)
        images.append(draw())
    return images


@pytest.mark.parametrize(
    ("registry", "name"),
    [
        pytest.param(registry, name, id=name)
        for registry in (effects, backgrounds, decorations, blends)
        for name in registry
    ],
)
def test_every_component_draws_the_same_with_any_number(registry: Registry[Any], name: str) -> None:
    component = make(registry, name)
    for shape in SIZES:
        for row in rows(component, 3):
            first, *others = at_threads(lambda row=row, shape=shape: drawn(registry, component, row, shape))
            for other in others:
                np.testing.assert_array_equal(first, other)


def test_jobs_and_threads_make_no_difference_to_a_run(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    path.write_text(path.read_text(encoding="utf-8") + DECORATED, encoding="utf-8")
    images = []
    for jobs, n_threads in ((1, 2), (2, 1)):
        cv2.setNumThreads(n_threads)
        out = tmp_path / f"out{jobs}"
        render.render(render.load(str(path)), out, n=40, seed=2, jobs=jobs, shard_rows=20)
        files = sorted((out / "data").glob("*.parquet"))
        images.append([pq.read_table(file)["image"].to_pylist() for file in files])
        assert cv2.getNumThreads() == n_threads, "what was set is set again"
    assert images[0] == images[1]
