"""Promises that every effect, background, layout and source of words keeps; new ones are found unasked."""

from __future__ import annotations

import inspect
import json
import re
import typing
from typing import Any

import numpy as np
import pytest

from curation.core import recipe
from curation.core.errors import UserError
from curation.core.labels import CHARSET_94
from curation.core.registry import Registry
from curation.core.rng import stream
from synthgen.backgrounds import backgrounds
from synthgen.effects import effects
from synthgen.effects.motion_blur import line_kernel
from synthgen.layouts import layouts
from synthgen.pools import HEIGHT, WIDTH, cut, offset
from synthgen.words import Limits, word_sources
from synthgen.words.word_list import WordList

LIST = WordList(file="names.txt")
NEEDS: dict[str, dict[str, Any]] = {  # what has no default
    "word_list": {"file": "names.txt"},
    "albumentations": {"transform": "RandomGamma"},
    "cut_words": {"source": LIST},
    "dealt_characters": {"source": LIST},
    "multi_word": {"source": LIST},
}
SHAPES = ((32, 96), (9, 40), (300, 60), (48, 1200))


def make(registry: Registry[Any], name: str) -> Any:
    return registry.get(name)(**NEEDS.get(name, {}))


def cases(*registries: Registry[Any]) -> list[Any]:
    return [pytest.param(registry, name, id=name) for registry in registries for name in registry]


def rows(component: Any, n: int = 12) -> list[dict[str, Any]]:
    columns = component.plan(stream(0, "test", component.kind), n)
    assert all(column.shape == (n,) for column in columns.values())
    values = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in values] or [{}] * n


def card(height: int, width: int) -> np.ndarray:
    """A grey card with a dark bar and a light one, unlike noise an effect cannot hide in."""
    image = np.full((height, width, 3), (120, 110, 100), np.uint8)
    image[height // 4 : height // 2, width // 3 : width // 2] = 10
    image[height // 2 :, width // 2 : width // 2 + 4] = 240
    return image


@pytest.mark.parametrize(("registry", "name"), cases(effects, backgrounds))
class TestEveryChangeOfAnImage:
    def test_is_a_pure_function_of_its_parameters(self, registry: Registry[Any], name: str) -> None:
        component = make(registry, name)
        image = card(48, 160)
        before = image.copy()
        for row in rows(component):
            first, second = component.apply(image, **row), component.apply(image, **row)
            np.testing.assert_array_equal(first, second)
            np.testing.assert_array_equal(image, before, err_msg="the input was changed in place")
            assert not np.shares_memory(first, image)

    def test_keeps_shape_and_dtype(self, registry: Registry[Any], name: str) -> None:
        component = make(registry, name)
        for height, width in SHAPES:
            for row in rows(component):
                out = component.apply(card(height, width), **row)
                assert (out.shape, out.dtype) == ((height, width, 3), np.uint8)


@pytest.mark.parametrize(("registry", "name"), cases(effects, backgrounds, layouts))
def test_every_plan_depends_on_its_stream_alone(registry: Registry[Any], name: str) -> None:
    first, second = rows(make(registry, name)), rows(make(registry, name))
    assert first == second
    assert json.loads(json.dumps(first)) == first


@pytest.mark.parametrize(("registry", "name"), cases(effects, backgrounds, layouts, word_sources))
def test_every_component_says_where_it_comes_from(registry: Registry[Any], name: str) -> None:
    assert "Source:" in (inspect.getdoc(registry.get(name)) or "")


@pytest.mark.parametrize(("registry", "name"), cases(effects, backgrounds, layouts))
@pytest.mark.parametrize("value", [-5.0, 0.0, 1.0, 1000.0])
def test_every_absurd_range_is_refused_or_does_no_harm(
    registry: Registry[Any], name: str, value: float
) -> None:
    complaints: list[str] = []
    for key, hint in typing.get_type_hints(registry.get(name)).items():
        kind = int if int in (hint, *typing.get_args(hint)) else float
        if hint in (float, int, tuple[float, float], tuple[int, int]):
            table = {key: kind(value) if hint is kind else [kind(value)] * 2}
            try:
                component = recipe.build(registry.get(name), table, where="test")
            except UserError as error:
                complaints.append(f"{key}: {error}")
                continue
            for row in rows(component, 3):
                subject = {"half_width": 2.0} if registry is layouts else {}
                component.apply(np.ones((5, 2)) if registry is layouts else card(32, 96), **row, **subject)
    assert all(re.fullmatch(r"(\w+): test: \1 must be .+", line) for line in complaints), complaints


@pytest.mark.parametrize("name", list(backgrounds))
def test_every_background_keeps_the_mean_near_the_card(name: str) -> None:
    background = make(backgrounds, name)
    flat = np.full((48, 160, 3), (120, 130, 140), np.uint8)
    drawn = [background.apply(flat, **row) for row in rows(background, 40)]
    away = [abs(image.astype(float).mean((0, 1)) - flat[0, 0]).max() for image in drawn]
    assert np.median(away) < 20


@pytest.mark.parametrize("name", list(layouts))
def test_every_layout_moves_points_smoothly(name: str) -> None:
    layout = make(layouts, name)
    line = np.stack([np.linspace(-2, 2, 401), np.zeros(401)], axis=-1)
    for row in rows(layout):
        moved = layout.apply(line.copy(), half_width=2.0, **row)
        assert moved.shape == line.shape
        steps = np.hypot(*np.diff(moved, axis=0).T)
        assert steps.max() < 0.05, "a step of 0.01 em became a jump"
        np.testing.assert_array_equal(moved, layout.apply(line.copy(), half_width=2.0, **row))


def test_an_arc_keeps_the_length_of_the_line() -> None:
    line = np.stack([np.linspace(-2, 2, 2001), np.zeros(2001)], axis=-1)
    bent = layouts.get("arc")().apply(line, half_width=2.0, bend_deg=90.0)
    assert np.hypot(*np.diff(bent, axis=0).T).sum() == pytest.approx(4.0, abs=1e-4)
    assert bent[0, 1] == pytest.approx(bent[-1, 1]), "its two ends are equally low"
    assert bent[0, 1] < bent[1000, 1], "a positive bend arches upwards"


@pytest.mark.parametrize("name", list(word_sources))
class TestEverySourceOfWords:
    def test_draws_within_the_limits_and_as_many_as_asked(self, name: str) -> None:
        source, limits = make(word_sources, name), Limits(CHARSET_94, 12)
        for n in (0, 1, 500):
            words = source.draw(stream(0, "test", name), n, limits)
            assert len(words) == n
            assert [word for word in words if limits.reject(word)] == []

    def test_depends_on_its_stream_alone(self, name: str) -> None:
        source, limits = make(word_sources, name), Limits(CHARSET_94, 25)
        first = source.draw(stream(7, "test", name), 50, limits)
        assert first == source.draw(stream(7, "test", name), 50, limits)
        assert len(set(first)) > 25, "draws hardly vary"

    def test_names_its_inputs(self, name: str) -> None:
        facts = make(word_sources, name).inputs(Limits(CHARSET_94, 25))
        assert json.loads(json.dumps(facts)) == facts


def test_line_kernel_is_even_along_its_line() -> None:
    np.testing.assert_allclose(line_kernel(5, 0)[2], 0.2)
    np.testing.assert_allclose(line_kernel(5, 90)[:, 2], 0.2)


def test_line_kernel_turns_anticlockwise() -> None:
    kernel = line_kernel(5, 45)
    assert kernel[0, 4] > 0, "top right should be on the line"
    assert kernel[0, 0] == 0, "top left should not"


def test_line_kernel_of_length_one_does_nothing() -> None:
    image = card(32, 96)
    np.testing.assert_array_equal(effects.get("motion_blur")().apply(image, length_px=1, angle_deg=30), image)


def test_line_kernel_rejects_a_length_below_one() -> None:
    with pytest.raises(ValueError, match=r"length_px must be at least 1, got 0\.5"):
        line_kernel(0.5, 0)


def test_a_draw_rounded_up_to_one_still_cuts_a_whole_piece() -> None:
    assert float(np.float32(np.nextafter(1.0, 0.0))) == 1.0  # plans are stored as float32
    pool = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
    piece = cut(pool, 1.0, 1.0, 4, 3)
    assert piece.shape == (3, 4)
    assert piece[-1, -1] == HEIGHT * WIDTH - 1
    assert [offset(share, 2) for share in (0.0, 0.33, 0.34, 0.67, 0.999, 1.0)] == [0, 0, 1, 2, 2, 2]
