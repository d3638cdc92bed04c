"""``glyphmix palette``: colours planted in crops are found again, kept, read and drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from word_sets import word, write_words

from curation.core.dataset import Dataset
from curation.core.images import Pixels, encode_png
from curation.core.rng import stream
from glyphmix import main
from synthgen.colour_space import LUMA
from synthgen.colours import Colours
from synthgen.pair_summary import summarise
from synthgen.pairs import Pair, pair_of
from synthgen.palette import Palette, learn, read

WHITE_ON_RED = ((250, 250, 245), (180, 20, 30))
BLACK_ON_YELLOW = ((20, 15, 10), (240, 210, 40))
GREY_ON_GREY = ((90, 90, 90), (150, 150, 150))


def crop(colours: Any, text: str = "HELLO", *, noise: float = 6.0, blur: float = 0.7) -> Pixels:
    """A word as a camera sees it: tight, soft and noisy."""
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 1.2, 3)
    image = np.empty((height + 10, width + 10, 3), np.uint8)
    image[:] = colours[1]
    cv2.putText(image, text, (5, height + 4), cv2.FONT_HERSHEY_DUPLEX, 1.2, colours[0], 4, cv2.LINE_AA)
    image = cv2.GaussianBlur(image, (0, 0), blur)
    grain = stream(0, "test", text).normal(0, noise, image.shape)
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def dataset(out: Path, crops: list[Pixels]) -> Dataset:
    return write_words(out, [word(f"{out.name}:{i}", image=encode_png(c)) for i, c in enumerate(crops)])


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args], prog_name="glyphmix")


@pytest.mark.parametrize("colours", [WHITE_ON_RED, BLACK_ON_YELLOW, GREY_ON_GREY])
@pytest.mark.parametrize("text", ["HELLO", "to", "Wm", "15.99", "i"])
def test_the_pair_of_a_crop_is_found_and_letters_told_from_ground(colours: Any, text: str) -> None:
    pair = pair_of(crop(colours, text))
    assert isinstance(pair, Pair), pair
    np.testing.assert_allclose((pair.text, pair.background), colours, atol=30 if text == "i" else 15)


def test_crops_without_a_pair_say_why() -> None:
    plain = np.full((32, 90, 3), 128, np.uint8)
    rng = stream(0, "test")
    assert pair_of(plain) == "one_colour"
    assert pair_of(plain[:7]) == "too_small"
    assert pair_of(np.where(rng.random((32, 90, 1)) < 0.001, 255, plain).astype(np.uint8)) == "one_colour"
    assert pair_of(rng.integers(0, 256, (32, 90, 3)).astype(np.uint8)) == "many_colours"
    halves = np.zeros((32, 90, 3), np.uint8)
    halves[16:] = 200
    assert pair_of(halves) == "undecided", "neither colour holds the border"


def test_planted_shares_are_found_and_datasets_count_alike(tmp_path: Path) -> None:
    many = dataset(tmp_path / "many", [crop(WHITE_ON_RED, f"AB{i}") for i in range(12)])
    few = dataset(
        tmp_path / "few", [crop(WHITE_ON_RED), crop(BLACK_ON_YELLOW), np.full((9, 9, 3), 7, np.uint8)]
    )
    learnt = learn([many, few], crops=1000, colours=2)
    assert [facts["n_used"] for facts in learnt["datasets"]] == [12, 2]
    assert learnt["datasets"][1]["unused_by_reason"] == {"one_colour": 1}
    assert [entry["share"] for entry in learnt["colours"]] == [0.75, 0.25]
    for entry, planted in zip(learnt["colours"], (WHITE_ON_RED, BLACK_ON_YELLOW), strict=True):
        np.testing.assert_allclose((entry["text"], entry["background"]), planted, atol=12)
        assert entry["spread"] < 8
    assert learnt["summary"]["light_text"] == 0.75
    assert learnt["datasets"][0]["fingerprint"] == many.fingerprint


def test_crops_are_taken_evenly(tmp_path: Path) -> None:
    pairs = [WHITE_ON_RED] * 10 + [BLACK_ON_YELLOW] * 10
    made = dataset(tmp_path / "set", [crop(pair) for pair in pairs])
    learnt = learn([made], crops=4, colours=10)
    assert (learnt["datasets"][0]["n_looked_at"], learnt["summary"]["light_text"]) == (4, 0.5)


def test_the_summary_of_known_pairs() -> None:
    pairs = np.array([[255, 255, 255, 0, 0, 0], [0, 0, 0, 0, 0, 255], [200, 0, 0, 100, 0, 0]], float)
    summary = summarise(pairs, np.array([2.0, 1.0, 1.0]))
    assert summary["light_text"] == 0.75
    assert summary["contrast"][2] > 30
    assert summary["same_hue"] == 1.0
    assert summary["background_hues"] == [0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.5]
    assert summary["light_text_by_background_hue"][2] == 1.0
    assert summary["light_text_by_background_hue"][7] == 0.0
    assert summary["light_text_by_background_hue"][0] is None
    assert summary["luma"][4][0] == 0.5, "white on black"
    assert np.sum(summary["luma"]) == pytest.approx(1, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 255), min_size=6, max_size=6), min_size=1, max_size=4),
    st.floats(0, 60),
    st.floats(0, 128),
)
def test_pairs_drawn_never_fall_below_the_contrast(
    colours: list[list[int]], spread: float, least: float
) -> None:
    n = len(colours)
    palette = Palette(np.array(colours, float), np.full(n, spread), np.ones(n))
    drawn = palette.draw(stream(0, "test"), 200, jitter=1.0, least=least)
    assert np.array_equal(drawn, np.clip(np.rint(drawn), 0, 255))
    assert np.abs((drawn[:, :3] - drawn[:, 3:]) @ LUMA).min() >= least - 1.1, "but for rounding"


def test_a_palette_without_jitter_gives_its_pairs_in_their_shares() -> None:
    colours = np.array([WHITE_ON_RED, BLACK_ON_YELLOW], float).reshape(2, 6)
    palette = Palette(colours, np.array([20.0, 20.0]), np.array([3.0, 1.0]))
    drawn = palette.draw(stream(0, "test"), 8000, jitter=0.0, least=20.0)
    assert (drawn == colours[0]).all(axis=1).mean() == pytest.approx(0.75, abs=0.02)
    assert (drawn == colours[1]).all(axis=1).mean() == pytest.approx(0.25, abs=0.02)


def test_a_recipe_draws_from_a_palette(tmp_path: Path) -> None:
    made = dataset(tmp_path / "set", [crop(WHITE_ON_RED), crop(WHITE_ON_RED, "abc")])
    result = run("palette", made.path, "-o", tmp_path / "new" / "p.json")
    assert result.exit_code == 0, result.output
    columns = Colours(palette=tmp_path / "new" / "p.json").plan(lambda *key: stream(0, *key), 500)
    assert list(columns) == [f"{name}_{c}" for name in ("text", "background") for c in "rgb"]
    for name, planted in zip(("text", "background"), WHITE_ON_RED, strict=True):
        means = [columns[f"{name}_{c}"].mean() for c in "rgb"]
        np.testing.assert_allclose(means, planted, atol=15)
    facts = Colours(palette=tmp_path / "new" / "p.json").inputs()
    assert facts["colours"] == len(read(tmp_path / "new" / "p.json").shares) == 2
    assert Colours().inputs() == {}


def test_the_command_prints_what_it_found(tmp_path: Path) -> None:
    made = dataset(tmp_path / "set", [crop(WHITE_ON_RED, noise=0)] * 3 + [np.zeros((4, 9, 3), np.uint8)])
    out = tmp_path / "p.json"
    result = run("palette", made.path, "-o", out, "--colours", 1)
    lines = result.stdout.splitlines()
    assert lines[:3] == [
        "set: 3 of 4 crops used, 1 not (1 too_small)",
        f"{out}: 1 colour pairs",
        "at 5, 25, 50, 75, 95 % of the crops:",
    ]
    assert [line.partition(":")[0] for line in lines[3:]] == [
        "  contrast",
        "  text chroma",
        "  background chroma",
        "text lighter than its background",
        "text of nearly its background's hue",
    ]
    again = run("palette", made.path, "-o", tmp_path / "q.json", "--json")
    numbers = json.loads(again.stdout)
    assert list(numbers) == ["datasets", "summary"]
    assert numbers["summary"] == json.loads(out.read_text(encoding="utf-8"))["summary"]


def test_the_same_crops_give_the_same_file(tmp_path: Path) -> None:
    made = dataset(tmp_path / "set", [crop(WHITE_ON_RED, f"x{i}") for i in range(9)])
    for name in ("a.json", "b.json"):
        assert run("palette", made.path, "-o", tmp_path / name, "--colours", 3).exit_code == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_complaints_about_datasets(tmp_path: Path) -> None:
    useless = dataset(tmp_path / "useless", [np.zeros((4, 9, 3), np.uint8), np.zeros((9, 9, 3), np.uint8)])
    broken = write_words(tmp_path / "broken", [word("broken:0")])
    for made, reasons in ((useless, "1 one_colour, 1 too_small"), (broken, "1 broken_image")):
        result = run("palette", made.path, "-o", tmp_path / "p.json")
        assert (result.exit_code, result.stderr.splitlines()[-1]) == (
            1,
            f"Error: dataset {made.path} has no crop that shows two colours ({reasons}). "
            "Give one of word crops.",
        )
        assert not (tmp_path / "p.json").exists()
    (tmp_path / "p.json").touch()
    assert run("palette", useless.path, "-o", tmp_path / "p.json").stderr == (
        f"Error: output {tmp_path / 'p.json'} exists already. Remove it or give another name with -o.\n"
    )


ENTRY = {"text": [255, 255, 255], "background": [0, 0, 0], "spread": 1.0, "share": 1.0}
ANEW = "Make it anew with 'glyphmix palette'."
NUMBERS = (
    "text, background, spread, share are not two colours from 0 to 255, a spread from 0 and a share above 0."
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", f"palette p.json is no JSON: Expecting property name enclosed in double quotes: "
              f"line 1 column 2 (char 1). {ANEW}"),
        ('{"kind": "dataset"}', f"p.json holds no palette. {ANEW}"),
        ("[]", f"p.json holds no palette. {ANEW}"),
        ('{"kind": "palette", "format": 9}',
         "p.json has format 9; this glyphmix reads up to 1. Update it."),
        ('{"kind": "palette", "format": 1, "colours": []}', f"palette p.json holds no colours. {ANEW}"),
        *(
            (json.dumps({"kind": "palette", "format": 1, "colours": [ENTRY, ENTRY | change]}),
             f"palette p.json, colours[1]: {NUMBERS} {ANEW}")
            for change in (
                {"share": float("nan")}, {"share": 0}, {"spread": -1}, {"text": [1, 2]},
                {"text": [0, 0, 256]}, {"text": None}, {"background": [0, 0, "x"]},
            )
        ),
    ],
)  # fmt: skip
def test_complaints_about_palette_files(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "words.txt").write_text("alpha\n", encoding="utf-8")
    (tmp_path / "p.json").write_text(content, encoding="utf-8")
    (tmp_path / "r.toml").write_text(
        f'engine = "native"\ncolours = {{ palette = "{tmp_path / "p.json"}" }}\n'
        f'words = [{{ share = 1, source = {{ kind = "word_list", file = "{tmp_path / "words.txt"}" }} }}]\n',
        encoding="utf-8",
    )
    result = run("render", tmp_path / "r.toml", "-o", tmp_path / "out", "-n", 5)
    assert (result.exit_code, result.stderr) == (1, f"Error: {message}\n")
    assert not (tmp_path / "out").exists()


def test_a_palette_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("alpha\n", encoding="utf-8")
    (tmp_path / "r.toml").write_text(
        'engine = "native"\ncolours = { palette = "gone.json" }\n'
        f'words = [{{ share = 1, source = {{ kind = "word_list", file = "{tmp_path / "words.txt"}" }} }}]\n',
        encoding="utf-8",
    )
    result = run("render", tmp_path / "r.toml", "-o", tmp_path / "out", "-n", 5)
    assert result.stderr == "Error: palette gone.json does not exist. Make one with 'glyphmix palette'.\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contrast": (0.0,)}, "contrast must be 7 values from 0 up, none less than the last"),
        (
            {"text_chroma": (0.0, 0.0, 1.0, 2.0, float("nan"), 4.0, 5.0)},
            "text_chroma must be 7 values from 0 up, none less than the last",
        ),
        ({"contrast": (1.0,) * 6 + (256.0,)}, "contrast ends at 256, above 255"),
        ({"hues": (1.0,)}, "hues must be 8 weights, got 1"),
        ({"hues": (0.0,) * 8}, "hues are all 0, so no colour has a hue"),
        ({"light_reach": (0.0, 1.0)}, "each of light_reach must be from 0.05 to 100, got [0.0, 0.0]"),
        ({"jitter": float("nan")}, "jitter must be from 0 to 10, got [nan, nan]"),
        ({"light_text": float("nan")}, "light_text must be from 0 to 1, got nan"),
    ],
)
def test_ranges_of_the_model(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - compared whole below
        Colours(**change)
    assert str(caught.value) == message
