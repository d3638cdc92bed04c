"""Letters that stand each for itself, neighbours, turned and widely set words."""

from __future__ import annotations

import itertools
import string
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from font_factory import make_font

from curation.core import recipe
from curation.core.errors import UserError
from curation.core.rng import stream
from synthgen.engines.base import UnfitError
from synthgen.engines.native import Native
from synthgen.framing import MOST_CUT, frame
from synthgen.jitter import Jitter, loosen
from synthgen.layouts import layouts
from synthgen.neighbours import Neighbours, widest_gap
from synthgen.placement import Spot, ink_box, place, spots_of
from synthgen.posture import Posture
from synthgen.shaping import Face, Run, shape

CHARACTERS = string.ascii_letters + string.digits + "$.,"
STILL = {
    "jitter": False,
    "initial_size": 0.0,
    "raised": 0,
    "raised_sign": 0,
    "raised_size": 0.0,
}
UPRIGHT = {"stretch": 1.0, "slant_deg": 0.0, "skew_deg": 0.0, "rotation_deg": 0.0, "perspective": 0.0}
SIDES = ("left", "top", "right", "bottom")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layout")
    make_font(folder / "fonts" / "a.ttf", CHARACTERS, family="A")
    make_font(folder / "fonts" / "b.ttf", CHARACTERS, family="B")
    words = ("Alpha", "beta", "GAMMA", "delta", "2nd", "$9.99", "Zeta", "omega", "KAPPA", "x")
    (folder / "words.txt").write_text("\n".join(words), encoding="utf-8")
    return folder


def build(folder: Path, **more: Any) -> Native:
    source = {"kind": "word_list", "file": str(folder / "words.txt")}
    table = {
        "fonts": str(folder / "fonts"),
        "charset": CHARACTERS,
        "words": [{"share": 1.0, "source": source}],
        "layouts": [{"share": 0.5, "layout": {"kind": kind}} for kind in ("straight", "arc")],
    }
    return recipe.build(Native, table | more, where="test.toml")


def rows(engine: Native, n: int) -> list[dict[str, Any]]:
    columns = engine.plan(0, 0)
    values = zip(*(column[:n].tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in values]


def run_of(folder: Path, text: str, tracking: float = 0.0) -> Run:
    run = shape(Face.load(folder / "fonts" / "a.ttf"), text, tracking)
    assert run is not None
    return run


def test_features_that_are_off_leave_no_column_and_shift_none(folder: Path) -> None:
    off = build(folder).plan(0, 0)
    on = build(folder, jitter={"share": 0.5, "raised": 1.0}, neighbours={"share": 0.5}).plan(0, 0)
    for name, column in off.items():
        np.testing.assert_array_equal(column, on[name], err_msg=name)
    assert {name.split("_")[0] for name in on.keys() - off.keys()} == {
        "jitter",
        "initial",
        "raised",
        "neighbours",
        "neighbour",
    }


def test_wide_and_turned_words_leave_the_others_as_they_were(folder: Path) -> None:
    off = build(folder).plan(0, 0)
    on = build(folder, posture={"wide": 0.2, "quarter_turns": 0.1, "any_angle": 0.1}).plan(0, 0)
    assert off.keys() == on.keys()
    assert (off["tracking_em"] == on["tracking_em"]).mean() == pytest.approx(0.8, abs=0.05)
    assert on["tracking_em"][off["tracking_em"] != on["tracking_em"]].min() >= 0.25
    turned = off["rotation_deg"] != on["rotation_deg"]
    long = np.array([len(text) > 2 for text in off["text"]])
    assert not turned[~long].any(), "a turned 6 would be a 9"
    assert turned[long].mean() == pytest.approx(0.2, abs=0.05)
    usual = np.abs(on["rotation_deg"] - off["rotation_deg"])[turned]
    assert (np.abs(usual - 90) < 0.01).mean() == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize(
    ("into", "table", "message"),
    [
        (Posture, {"wide": 1.5}, "test: wide must be from 0 to 1, got 1.5."),
        (Posture, {"wide_em": [0.5, 4.0]}, "test: wide_em must be from 0 to 3, got [0.5, 4.0]."),
        (
            Posture,
            {"quarter_turns": 0.6, "any_angle": 0.6},
            "test: quarter_turns and any_angle must not exceed 1 together.",
        ),
        (Posture, {"keystone": -0.1}, "test: keystone must be 0 or more, got -0.1."),
        (Jitter, {"lift_em": 0.5}, "test: lift_em must be from 0 to 0.3, got [0, 0.5]."),
        (Jitter, {"initial_size": [0.5, 1.0]}, "test: initial_size must be from 1 to 3, got [0.5, 1.0]."),
        (Neighbours, {"line_gap": [0.0, 0.5]}, "test: line_gap must be from 0.05 to 5, got [0.0, 0.5]."),
        (Neighbours, {"share": -1.0}, "test: share must be from 0 to 1, got -1."),
    ],
)
def test_ranges_are_checked(into: Any, table: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        recipe.build(into, table, where="test")
    assert str(error.value) == message


def test_letters_of_a_word_differ_and_stay_within_two_scales(folder: Path) -> None:
    run = run_of(folder, "HIHIHIHI", 0.1)
    dance = {"jitter": True, "jitter_at": 1015, "jitter_lift_em": 0.05, "jitter_size": 0.1}
    row = STILL | dance | {"jitter_turn_deg": 10.0, "text": "HIHIHIHI"}
    before, after = spots_of(run), loosen(run, spots_of(run), row)
    lifts = [b.y - a.y for a, b in zip(before, after, strict=True)]
    assert len({round(lift, 6) for lift in lifts}) == 8
    assert max(map(abs, lifts)) <= 0.1
    assert [a.x for a in before] == pytest.approx([b.x for b in after])
    sizes = np.array([np.hypot(spot.along, spot.up) for spot in after])
    turns = np.rad2deg([np.arctan2(spot.up, spot.along) for spot in after])
    assert np.ptp(sizes) > 0.05
    assert np.abs(sizes - 1).max() <= 0.2
    assert np.ptp(turns) > 5
    assert np.abs(turns).max() <= 20
    assert after == loosen(run, spots_of(run), row)


def test_a_turned_letter_is_turned_anticlockwise_about_its_middle(folder: Path) -> None:
    run = run_of(folder, "H")
    (spot,) = spots_of(run)
    (glyph,) = place(run, UPRIGHT, spots=[Spot(spot.x, spot.y, 0.0, 1.0)]).glyphs
    assert (glyph.xx, glyph.yx) == pytest.approx((0.0, -1.0)), "its feet point up, where rows are smaller"
    assert (glyph.xy, glyph.yy) == pytest.approx((-1.0, 0.0))
    box = place(run, UPRIGHT, spots=[Spot(spot.x, spot.y, 0.0, 1.0)]).box
    assert (box[2] - box[0], box[3] - box[1]) == pytest.approx((0.7, 0.5))


def test_letters_that_hang_together_stay(folder: Path) -> None:
    dance = {"jitter": True, "jitter_at": 0, "jitter_lift_em": 0.1, "jitter_size": 0.1}
    row = STILL | dance | {"jitter_turn_deg": 9.0, "text": "HIH"}
    close = run_of(folder, "HIH", -0.2)
    assert loosen(close, spots_of(close), row) == spots_of(close), "each reaches into the next"
    apart = run_of(folder, "HIH")
    joined = Run(apart.face, apart.glyphs, apart.left, apart.right, apart.clusters, joined=True)
    assert loosen(joined, spots_of(joined), row) == spots_of(joined)


def test_a_mark_moves_with_its_letter(folder: Path) -> None:
    run = run_of(folder, "HIH")
    marked = Run(run.face, run.glyphs, run.left, run.right, [0, 0, 2])
    dance = {"jitter": True, "jitter_at": 5, "jitter_lift_em": 0.1, "jitter_size": 0.1}
    row = STILL | dance | {"jitter_turn_deg": 9.0, "text": "HIH"}
    before, after = spots_of(marked), loosen(marked, spots_of(marked), row)
    size = np.hypot(after[0].along, after[0].up)
    assert after[0][2:] == after[1][2:]
    assert after[0][2:] != after[2][2:]
    distance = np.hypot(after[1].x - after[0].x, after[1].y - after[0].y)
    assert distance == pytest.approx(size * (before[1].x - before[0].x))


def test_a_large_initial_stands_on_the_line_and_makes_room(folder: Path) -> None:
    run = run_of(folder, "HIH")
    after = loosen(run, spots_of(run), STILL | {"initial_size": 1.5, "text": "HIH"})
    first = Run(run.face, run.glyphs[:1], 0, 0, [0])
    assert ink_box(first, after[:1]) == pytest.approx((0.075, 0.0, 0.825, 1.05))
    assert [b.x - a.x for a, b in zip(spots_of(run), after, strict=True)][1:] == pytest.approx([0.3, 0.3])


@pytest.mark.parametrize(
    ("text", "raised"),
    [("$9.99", 2), ("9,5", 1), ("2nd", 2), ("9.999", 0), ("1999", 0), ("street", 0), (".99", 0)],
)
def test_cents_and_ordinals_can_be_raised(text: str, raised: int) -> None:
    planned = Jitter(raised=1.0).plan(lambda *key: stream(0, *key), [text] * 8)
    assert planned["raised"].tolist() == [raised] * 8


def test_raised_cents_are_small_and_level_with_the_tops(folder: Path) -> None:
    run = run_of(folder, "$9.99")
    row = STILL | {"raised": 2, "raised_sign": 1, "raised_size": 0.5, "text": "$9.99"}
    after = loosen(run, spots_of(run), row)
    assert [spot.along for spot in after] == [0.5, 1.0, 1.0, 0.5, 0.5]
    tops = [ink_box(Run(run.face, [g], 0, 0, [0]), [s])[3] for g, s in zip(run.glyphs, after, strict=True)]
    assert tops == pytest.approx([0.7] * 5)
    lefts = [s.x - s.along * 0.25 for s in after]
    assert np.diff(lefts) == pytest.approx([0.325, 0.6, 0.575, 0.3])


def test_cut_crops_take_no_more_than_a_quarter_of_a_letter(folder: Path) -> None:
    placed = place(run_of(folder, "HIH"), UPRIGHT)
    row = {"height_px": 40} | {f"margin_{side}": -0.6 for side in SIDES}
    cut = frame(placed, row, 14.0)
    assert cut is not None
    left, top, right, _ = placed.box
    assert cut.origin == pytest.approx((left + MOST_CUT * 0.5, top + MOST_CUT * 0.7))
    assert cut.size == (round((right - left - 0.25) * cut.scale + 0.5), 40)


def test_a_word_that_runs_upwards_is_as_wide_as_planned(folder: Path) -> None:
    placed = place(run_of(folder, "HIHIHI"), UPRIGHT | {"rotation_deg": 90.0})
    cut = frame(placed, {"height_px": 48} | {f"margin_{side}": 0.0 for side in SIDES}, 14.0, upended=True)
    assert cut is not None
    assert cut.size[0] == 48


def test_keystone_makes_the_tops_of_letters_larger(folder: Path) -> None:
    run = run_of(folder, "HIH")
    flat, tilted = place(run, UPRIGHT), place(run, UPRIGHT | {"keystone": 0.3})
    assert tilted.boxes[1][3] == pytest.approx(flat.boxes[1][3], abs=0.08)
    assert tilted.boxes[0][0] < flat.boxes[0][0], "the tops spread"
    outer, middle = tilted.glyphs[2], tilted.glyphs[1]
    assert outer.xy / -outer.yy > 0.1, "the right letter leans outwards"
    assert abs(middle.xy) < 0.01


class TestNeighbours:
    @pytest.mark.parametrize("other", [0.0, 1.0])
    def test_keep_clear_of_the_word(self, folder: Path, other: float) -> None:
        engine = build(folder, neighbours={"share": 1.0, "other": other})
        alone = build(folder)
        seen = 0
        for row in rows(engine, 120):
            try:
                letters = engine._typesetter.set(row)
                bare = alone._typesetter.set(row | {"neighbours": False})
            except UnfitError:
                continue
            beside = letters.others if other else letters.ink - letters.word
            if beside is None or not beside.any():
                continue
            seen += 1
            near = cv2.dilate(letters.word, np.ones((3, 3), np.uint8))
            assert not (near.astype(bool) & beside.astype(bool)).any()
            core = letters.word > 127
            assert core.sum() > 0
            assert 14 <= letters.letter_px + 1e-6 <= bare.letter_px + 1e-6
            np.testing.assert_array_equal(letters.measured > 127, core)
            assert not ((letters.measured == 0) & (beside > 0)).any()
        assert seen > 90

    @pytest.mark.parametrize(("text", "tracking_em"), [("Pin", 0.9), ("Pin", 0.0), ("Pin up", 0.0)])
    def test_are_further_off_than_the_words_own_letters(
        self, folder: Path, text: str, tracking_em: float
    ) -> None:
        typesetter = build(folder, neighbours={"share": 1.0})._typesetter
        face = Face.load(make_font(folder / "spaced.ttf", CHARACTERS + " "))
        run = shape(face, text, tracking_em)
        assert run is not None
        row = {"neighbour_left": "$", "neighbour_right": "to", "neighbour_top": "", "neighbour_bottom": ""}
        row |= {f"neighbour_{side}_{key}": 0.1 for side in SIDES for key in ("gap", "reach")}
        row |= {"neighbour_font": "", "neighbour_size": 1.0, "neighbour_shift": 0.0, "tracking_em": 0.0}
        beside = typesetter._beside(run, None, row)
        assert beside is not None

        def sides(run: Run, spots: list[Spot]) -> list[tuple[float, float]]:
            return sorted((s.x - g[1].half_width, s.x + g[1].half_width)
                          for s, g in zip(spots, run.glyphs, strict=True))  # fmt: skip

        own, others = sides(run, spots_of(run)), sides(beside.run, beside.spots)
        widest = max(after[0] - before[1] for before, after in itertools.pairwise(own))
        assert widest == pytest.approx(widest_gap(run, spots_of(run)))
        assert widest > 0
        away = min(own[0][0] - others[0][1], others[1][0] - own[-1][1])
        assert away == pytest.approx(max(0.1 * 0.7, 2 * widest)), "a tenth of the letters' height is planned"
        assert beside.margins["left"] >= away

    def test_are_other_words_and_the_word_is_whole(self, folder: Path) -> None:
        engine = build(folder, neighbours={"share": 1.0})
        planned = rows(engine, 300)
        assert all(any(row[f"neighbour_{side}"] for side in SIDES) for row in planned)
        lines = [row["neighbour_top"] for row in planned if row["neighbour_top"]]
        assert len(set(lines)) > len(lines) / 3
        assert all(len(line.split()) == 2 for line in lines)
        capitals = [row for row in planned if row["text"].isupper()]
        assert all(row[f"neighbour_{side}"] in ("", row[f"neighbour_{side}"].upper())
                   for row in capitals for side in SIDES)  # fmt: skip
        row = next(row for row in planned if row["neighbour_top"] and row["layout"] == "straight")
        row |= {"margin_top": -0.05}
        word = engine._typesetter.set(row).word
        assert not word[0].any(), "a cut would take from the word what the neighbour needs"

    def test_are_drawn(self, folder: Path) -> None:
        engine = build(folder, neighbours={"share": 1.0, "other": 0.5})
        row = next(row for row in rows(engine, 50) if row["neighbour_font"] and row["neighbour_top"])
        row |= {"layout": "straight", "background": "plain", "neighbour_top_reach": 0.5}
        row |= {f"neighbour_{c}": value for c, value in zip("rgb", (255, 0, 255), strict=True)}
        assert (engine.draw(row).image == (255, 0, 255)).all(-1).any()
        assert not (engine.draw(row | {"neighbours": False}).image == (255, 0, 255)).all(-1).any()


def test_vertical_words_are_columns_of_upright_letters(folder: Path) -> None:
    engine = build(folder, layouts=[{"share": 1.0, "layout": {"kind": "vertical"}}])
    row = next(row for row in rows(engine, 50) if row["text"] == "KAPPA")
    row |= UPRIGHT | {f"margin_{side}": 0.0 for side in SIDES} | {"layout_vertical_gap_em": 0.1}
    word = engine._typesetter.set(row | {"height_px": 50}).word
    assert word.shape == (round(50 * (5 * 0.7 + 4 * 0.1) / 0.5), 50), "50 px is the column's width"
    blank = ~word.any(1)
    assert np.count_nonzero(np.diff(blank.astype(int)) == 1) == 4, "four gaps part five letters"
    assert word[:, 0].any()
    assert word[:, -1].any()
    leaning = engine._typesetter.set(row | {"height_px": 50, "slant_deg": 20.0}).word
    feet = [round((0.8 * line + 0.65) / 3.9 * leaning.shape[0]) for line in (1, 4)]  # of both As
    starts = [np.flatnonzero(leaning[y]).min() for y in feet]
    assert abs(starts[0] - starts[1]) <= 1, "letters lean, the column does not"


def test_a_script_that_hangs_together_is_not_stacked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthgen.shaping.JOINED_SCRIPTS", frozenset({"Latn"}))
    engine = build(folder, layouts=[{"share": 1.0, "layout": {"kind": "vertical"}}])
    row = next(row for row in rows(engine, 50) if row["text"] == "Alpha")
    with pytest.raises(UnfitError, match=r"^joined_script$"):
        engine.draw(row)


def test_strong_arcs_reach_beyond_half_circles_and_leave_the_others(folder: Path) -> None:
    usual = layouts.get("arc")().plan(stream(0, "arc"), 4000)["bend_deg"]
    strong = layouts.get("arc")(strong=0.25).plan(stream(0, "arc"), 4000)["bend_deg"]
    assert (usual == strong).mean() == pytest.approx(0.75, abs=0.03)
    assert np.abs(strong[usual != strong]).min() >= 100
    assert np.abs(strong).max() > 230


@pytest.mark.parametrize("bend_deg", [200.0, -200.0])
def test_letters_do_not_collide_on_the_inner_side_of_an_arc(bend_deg: float) -> None:
    """The side where letters are closest keeps the straight line's spacing."""
    level = 0.0 if bend_deg > 0 else 0.7
    line = np.stack([np.linspace(-3, 3, 2001), np.full(2001, level)], axis=-1)
    bent = layouts.get("arc")().apply(line, half_width=3.0, bend_deg=bend_deg)
    assert np.hypot(*np.diff(bent, axis=0).T).sum() == pytest.approx(6.0, abs=1e-4)
