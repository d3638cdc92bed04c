from __future__ import annotations

import math
import re
from typing import Any

import pytest

from train.study.page.accuracy import Mark, against_number, by_category
from train.study.page.agreement import observed_against_predicted, outcome_against_forecast
from train.study.page.axes import Percent, Stretch, labelled, short_number, shortened, wrapped
from train.study.page.figures import Figures, rate
from train.study.page.rate_map import field_map


def mark(label: str, x: float | None, estimate: float, **options: Any) -> Mark:
    ends = {
        "low95": estimate - 0.02,
        "low80": estimate - 0.01,
        "high80": estimate + 0.01,
        "high95": estimate + 0.02,
    }
    return Mark(label=label, x=x, estimate=estimate, **{**ends, **options})


def circles(drawn: str) -> list[tuple[float, float]]:
    found = re.findall(r'class="dot" cx="([\d.]+)" cy="([\d.]+)"', drawn)
    return [(float(x), float(y)) for x, y in found]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (7, "7"),
        (0.5, "0.5"),
        (250, "250"),
        (999.9, "1k"),
        (1_500, "1.5k"),
        (16_000, "16k"),
        (2e6, "2M"),
    ],
)
def test_numbers_of_words_are_short(value: float, shown: str) -> None:
    assert short_number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (8.333, "8.33"),
        (-0.3271, "−0.327"),
        (0.00001, "0.00001"),
        (0.0004, "0.0004"),
        (3e-9, "3.0e−09"),
        (5_512_345, "5,510,000"),
        (4.5e9, "4.50e+09"),
    ],
)
def test_rates_have_three_digits(value: float, shown: str) -> None:
    assert rate(value) == shown


def test_a_percent_axis_holds_its_values_between_whole_steps() -> None:
    axis = Percent.around([0.612, 0.689], 244, 22)
    assert (axis.low, axis.high, axis.step) == pytest.approx((0.6, 0.7, 0.02))
    assert [label for _, label in axis.ticks()] == ["60", "62", "64", "66", "68", "70"]
    assert (axis.at(0.6), axis.at(0.7)) == pytest.approx((244, 22))


def test_a_narrow_axis_has_ticks_that_differ() -> None:
    labels = [label for _, label in Percent.around([0.9655, 0.9685], 244, 22).ticks()]
    assert labels == ["96.5", "96.6", "96.7", "96.8", "96.9"]


def test_equal_values_still_give_an_axis() -> None:
    assert len(Percent.around([0.0, 0.0], 244, 22).ticks()) > 1
    assert Stretch(plus=0, low=5, high=5, start=0, end=10).at(5) == 5


def test_equal_factors_are_equally_far_apart() -> None:
    axis = Stretch(plus=0, low=1_000, high=8_000, start=0, end=30)
    assert [axis.at(n) for n in (1_000, 2_000, 4_000, 8_000)] == pytest.approx([0, 10, 20, 30])


def test_labels_that_would_touch_are_left_out_and_the_ends_stay() -> None:
    kept = labelled([(0, "0"), (10, "0.25"), (25, "0.5"), (100, "3"), (110, "3.5")])
    assert [label for _, label in kept] == ["0", "0.5", "3.5"]


def test_long_names_break_at_spaces_and_hyphens() -> None:
    assert wrapped("photos8000-rendered24000", 16 * 7) == ["photos8000-", "rendered24000"]
    assert wrapped("synthetic then real", 70) == ["synthetic", "then real"]
    assert shortened("abcdefghij", 7) == "abc…hij"
    assert all(len(line) <= 10 for line in wrapped("a" * 40 + " and " + "b" * 40, 70, most=2))


def test_higher_accuracy_stands_higher_and_larger_volumes_further_right() -> None:
    marks = [mark(f"{n:,}", n, 0.3 + 0.1 * i) for i, n in enumerate((1_000.0, 2_000.0, 4_000.0))]
    drawn = against_number(marks[::-1], scale="log", title="words", test="a")
    (x1, y1), (x2, y2), (x3, y3) = circles(drawn)
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert y1 > y2 > y3
    assert y1 - y2 == pytest.approx(y2 - y3, abs=0.2)


def test_ratios_begin_at_zero_and_a_cell_without_one_stands_apart() -> None:
    marks = [mark("0", 0.0, 0.4), mark("3", 3.0, 0.5), mark("rendered only", None, 0.2)]
    drawn = against_number(marks, scale="ratio", title="rendered per real", test="a<b")
    places = circles(drawn)
    assert places[0][0] < places[1][0] < places[2][0]
    assert drawn.count('class="alone"') == 1
    assert re.search(r">rendered</text>.*>only</text>", drawn)
    assert 'aria-label="a&lt;b. 0: 40.0 [38.0, 42.0] %; 3: 50.0 [48.0, 52.0] %' in drawn


def test_a_law_is_drawn_through_its_own_values() -> None:
    marks = [mark(str(n), float(n), 0.5 - 1 / n) for n in (10, 20, 40)]
    xs = [10.0, 20.0, 40.0]
    curve = {"x": xs, "estimate": [0.5 - 1 / x for x in xs]}
    for name, shift in (("low95", -0.02), ("low80", -0.01), ("high80", 0.01), ("high95", 0.02)):
        curve[name] = [value + shift for value in curve["estimate"]]
    drawn = against_number(marks, scale="log", title="words", test="a", curve=curve)
    line = re.search(r'class="curve" points="([^"]+)"', drawn)
    assert line is not None
    points = [tuple(map(float, pair.split(","))) for pair in line[1].split()]
    assert points == circles(drawn)
    assert "joined" not in drawn
    assert drawn.count("<polygon") == 2


def test_a_published_ratio_is_marked_where_the_axis_has_it() -> None:
    marks = [mark(f"{r:g}", r, 0.4) for r in (0.0, 1.0, 3.0, 5.0)]
    published = {"x": 3, "label": "published 1:3"}
    drawn = against_number(marks, scale="ratio", title="ratio", test="a", published=published)
    found = re.search(r'<line class="published" x1="([\d.]+)"', drawn)
    assert found is not None
    assert float(found[1]) == circles(drawn)[2][0]
    assert ">published 1:3<" in drawn


def test_seeds_and_cells_held_out_can_be_told() -> None:
    marks = [mark("a", 1.0, 0.4, seeds=(0.39, 0.41)), mark("b", 2.0, 0.5, held_out=True)]
    drawn = against_number(marks, scale="log", title="words", test="t")
    assert drawn.count('class="seed"') == 2
    assert drawn.count("heldout") == 1


def test_categories_stand_in_their_order_from_the_top() -> None:
    marks = [mark("together", None, 0.5), mark("synthetic then real", None, 0.6), mark("real", None, 0.4)]
    drawn = by_category(marks, title="word accuracy, %", test="t")
    (x1, y1), (x2, y2), (x3, y3) = circles(drawn)
    assert y1 < y2 < y3
    assert x3 < x1 < x2
    assert [label for label in re.findall(r">([\d.]+)</text></g>", drawn)] == ["50.0", "60.0", "40.0"]


def test_what_was_predicted_right_stands_on_the_line_of_equal_values() -> None:
    fitted = [{"cell": f"c{i}", "observed": v, "predicted": v} for i, v in enumerate((0.3, 0.45, 0.6))]
    drawn = observed_against_predicted(fitted, {}, ["c2"], test="t")
    line = re.search(r'class="identity" x1="([\d.]+)" x2="([\d.]+)" y1="([\d.]+)" y2="([\d.]+)"', drawn)
    assert line is not None
    x1, x2, y1, y2 = map(float, line.groups())
    for x, y in circles(drawn):
        assert (y - y1) / (y2 - y1) == pytest.approx((x - x1) / (x2 - x1), abs=0.001)
    assert drawn.count("heldout") == 1


def test_an_outcome_beside_its_forecast() -> None:
    interval = {"estimate": 0.7, "low95": 0.66, "low80": 0.68, "high80": 0.72, "high95": 0.74}
    forecast = [
        {"cell": "large", "by": "joint", "predicted": interval, "observed": 0.75},
        {"cell": "x", "by": "volume", "predicted": interval, "observed": None},
    ]
    drawn = outcome_against_forecast(forecast, test="t")
    bands = re.findall(r'class="band(\d+)" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawn)
    wide, narrow = ((float(x), float(x) + float(w)) for _, x, w in bands[:2])
    came = float(re.findall(r'heldout" d="M([\d.]+)', drawn)[0])
    assert wide[0] < narrow[0] < narrow[1] < wide[1] < came
    assert drawn.count("heldout") == 1
    assert "large: predicted 70.0 %, came out 75.0 %; x: predicted 70.0 %, not read yet" in drawn


def test_fields_of_a_map_stand_where_their_values_do() -> None:
    across, up = [1_000, 2_000, 8_000], [500, 4_000]
    values = [[6.0, 7.0, 8.0], [9.0, 10.0, None]]
    drawn = field_map(
        across, up, values, titles=("synthetic", "real"), show=lambda v: f"{v:g}",
        marks=[(2_000, 500), (50, 500), (0, 500)], logarithmic=True, said="t",
    )  # fmt: skip
    boxes = re.findall(
        r'class="field (\w+)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', drawn
    )
    shades = [kind for kind, *_ in boxes]
    assert shades[0] == "shade0"
    assert shades[4:] == ["shade6", "none"]
    edges = [float(x) for _, x, *_ in boxes[:3]]
    log = [math.log(v) for v in across]
    assert (edges[2] - edges[1]) / (edges[1] - edges[0]) == pytest.approx(
        ((log[2] - log[0]) / 2) / (log[1] - log[0]), abs=0.01
    )
    assert float(boxes[0][2]) > float(boxes[3][2])  # fewer real words are lower
    assert drawn.count('class="ring"') == 1  # of the three cells one lies within
    ring = re.search(r'class="ring" cx="([\d.]+)"', drawn)
    tick = re.search(r'x="([\d.]+)" y="[\d.]+" text-anchor="middle">2k<', drawn)
    assert ring is not None
    assert tick is not None
    assert ring[1] == tick[1]


def test_a_figure_names_its_place_and_is_the_value_there() -> None:
    figures = Figures("laws.json", {"cells": {"a/b~c<": {"estimate": 0.1234, "low95": None}}})
    assert figures("percent", ("cells", "a/b~c<"), "estimate") == (
        '<data data-from="laws.json#/cells/a~1b~0c&lt;/estimate" data-form="percent">12.3</data>'
    )
    assert figures("percent", "cells", "a/b~c<", "low95") == "–"
    with pytest.raises(KeyError):
        figures("percent", "cells", "other")
