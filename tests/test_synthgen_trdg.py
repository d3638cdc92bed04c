from __future__ import annotations

import importlib.util
import json
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from curation.core.errors import UserError
from curation.core.labels import CHARSET_94
from curation.core.recipe import build
from synthgen.engines import BLOCK, UnfitError, trdg_compat
from synthgen.engines.trdg import Trdg
from synthgen.engines.trdg_compat import BACKGROUNDS, DISTORTIONS, seeded

ROOT = Path(__file__).parents[1]
BOLD = "Lato-Bold.ttf"
PLAIN = {
    "text": "pygmy",
    "font": BOLD,
    "size_px": 32,
    "margin_px": 5,
    "spacing_px": 0,
    "fit": False,
    "colour": "#000000",
    "skew_deg": 0,
    "distortion": "none",
    "distortion_axes": "vertical",
    "blur_px": 0.0,
    "background": "white",
    "photo": "",
    "stored_quality": 75,
    "trdg_seed": 1,
}


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    grey = np.random.default_rng(0).integers(90, 250, (60, 80, 3), np.uint8)
    Image.fromarray(grey).save(tmp_path / "grain.png")
    return tmp_path / "grain.png"


def recipe(folder: Path, lines: tuple[str, ...] = ("exit", "Sale", "24"), **options: Any) -> Trdg:
    """A recipe that draws ``lines``, built as from TOML."""
    (folder / "words.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    source = {"kind": "word_list", "file": str(folder / "words.txt")}
    return build(Trdg, {"words": [{"share": 1, "source": source}], **options}, where="r.toml")


def drawn(engine: Trdg, **changes: Any) -> np.ndarray:
    return engine.draw({**PLAIN, **changes}).image


def rows(engine: Trdg, n: int) -> list[dict[str, Any]]:
    columns = engine.plan(0, 0)
    return [{name: column[i] for name, column in columns.items()} for i in range(n)]


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("distortion", DISTORTIONS)
@pytest.mark.parametrize("axes", ["vertical", "horizontal", "both"])
def test_drawing_is_pure(tmp_path: Path, photo: Path, background: str, distortion: str, axes: str) -> None:
    engine = recipe(tmp_path, photos=str(tmp_path))
    row = {**PLAIN, "background": background, "distortion": distortion, "distortion_axes": axes}
    row |= {"photo": photo.name if background == "photo" else "", "skew_deg": -3, "blur_px": 0.7}
    first = engine.draw(row)
    random.seed(99)
    np.random.seed(99)  # noqa: NPY002 - the global state is what trdg might read
    states = random.getstate(), np.random.get_state()[1].tobytes()  # noqa: NPY002
    again = engine.draw(row)
    assert np.array_equal(first.image, again.image)
    assert states == (random.getstate(), np.random.get_state()[1].tobytes())  # noqa: NPY002
    assert first.image.dtype == np.uint8
    assert first.image.shape[0] == 32
    assert first.image.shape[2] == 3
    assert first.label == "pygmy"
    assert first.image.min() < 60  # black ink


def test_the_seed_moves_what_trdg_draws_at_random(tmp_path: Path) -> None:
    engine = recipe(tmp_path)
    for changes in ({"background": "noise"}, {"background": "quasicrystal"}, {"distortion": "random"}):
        assert not np.array_equal(drawn(engine, **changes), drawn(engine, **changes, trdg_seed=2))


def test_every_planned_column_reaches_the_picture(tmp_path: Path) -> None:
    engine = recipe(tmp_path)
    plain = drawn(engine)
    for changes in (
        {"text": "gypsy"},
        {"font": "Raleway-Black.ttf"},
        {"size_px": 48},
        {"margin_px": 2},
        {"spacing_px": 4},
        {"fit": True},
        {"colour": "#ff0000"},
        {"skew_deg": 4},
        {"skew_deg": -4},
        {"distortion": "sine"},
        {"distortion": "cosine"},
        {"distortion": "sine", "distortion_axes": "horizontal"},
        {"blur_px": 1.0},
        {"background": "noise"},
    ):
        assert not np.array_equal(plain, drawn(engine, **changes)), changes
    assert engine.draw({**PLAIN, "stored_quality": np.int64(40)}).jpeg_quality == 40
    red, green, blue = drawn(engine, colour="#c80000", fit=True, size_px=64).reshape(-1, 3).min(axis=0)
    assert (green, blue) == (0, 0)
    assert abs(int(red) - 200) <= 3  # resampling overshoots a little


def test_the_angle_turns_anticlockwise(tmp_path: Path) -> None:
    dark = drawn(recipe(tmp_path), text="--------", skew_deg=5).min(axis=2) < 128
    centre = [np.nonzero(dark[:, columns])[0].mean() for columns in (slice(0, 30), slice(-30, None))]
    assert centre[0] > centre[1]  # the line rises to the right


def test_photo_backgrounds_come_from_the_named_file_at_any_size(tmp_path: Path) -> None:
    engine = recipe(tmp_path, photos=str(tmp_path))
    Image.new("L", (3, 2), 180).save(tmp_path / "tiny.png")
    image = drawn(engine, background="photo", photo="tiny.png")
    assert tuple(image[0, 0]) == tuple(image[-1, -1]) == (180, 180, 180)


def test_plans_are_stable_and_complete(tmp_path: Path, photo: Path) -> None:
    options = {"background": {"noise": 1, "white": 1, "photo": 2}, "photos": str(photo.parent)}
    engine = recipe(tmp_path, skew_share=0.5, distortion_share=0.5, blur_share=0.5, fit_share=0.5, **options)
    plan, again, other = engine.plan(0, 3), engine.plan(0, 3), engine.plan(0, 4)
    assert set(plan) == {"word_source", "casing", *PLAIN}
    for name, column in plan.items():
        assert column.shape == (BLOCK,), name
        assert column.dtype == again[name].dtype == other[name].dtype
        assert column.dtype.kind in "biufO", name
        assert (column == again[name]).all(), name
    assert all(isinstance(v, str) for name, c in plan.items() if c.dtype == object for v in c)
    assert (plan["photo"] == photo.name)[plan["background"] == "photo"].all()
    assert (plan["photo"] == "")[plan["background"] != "photo"].all()
    for name, off in (("distortion", "none"), ("skew_deg", 0), ("blur_px", 0.0)):
        assert 0.4 < (plan[name] != off).mean() < 0.6, name


def test_another_effect_shifts_no_other_column_and_another_attempt_no_word(tmp_path: Path) -> None:
    plain, skewed = recipe(tmp_path).plan(5, 0), recipe(tmp_path, skew_share=1.0).plan(5, 0)
    assert [n for n in plain if (plain[n] != skewed[n]).any()] == ["skew_deg"]
    retry = recipe(tmp_path).plan(5, 0, attempt=1)
    assert (retry["text"] == plain["text"]).all()
    assert (retry["font"] != plain["font"]).any()


def test_numbers_stay_within_their_ranges_and_reach_both_ends(tmp_path: Path) -> None:
    engine = recipe(tmp_path, size_px=[30, 33], skew_share=1, skew_deg=[-2, 1], colours=["#102030,#122030"])
    plan = engine.plan(0, 0)
    assert set(plan["size_px"]) == {30, 31, 32, 33}
    assert set(plan["skew_deg"]) == {-2, -1, 0, 1}
    assert set(plan["colour"]) == {"#102030", "#112030", "#122030"}


def test_text_as_dark_as_its_background_is_unfit(tmp_path: Path) -> None:
    Image.new("RGB", (200, 60), (0, 0, 0)).save(tmp_path / "night.png")
    night = {"background": "photo", "photo": "night.png"}
    engine = recipe(tmp_path, photos=str(tmp_path))
    with pytest.raises(UnfitError, match=r"^low_contrast$"):
        drawn(engine, **night)
    assert drawn(engine, colour="#ffffff", **night).max() == 255


def test_white_on_white_needs_the_threshold_of_ours(tmp_path: Path) -> None:
    assert drawn(recipe(tmp_path), colour="#ffffff").min() == 255  # trdg itself lets it pass
    with pytest.raises(UnfitError, match=r"^low_contrast$"):
        drawn(recipe(tmp_path, least_contrast=10.0), colour="#ffffff")
    assert drawn(recipe(tmp_path, least_contrast=10.0)).min() < 60


def test_a_word_is_drawn_only_with_fonts_that_have_its_characters(tmp_path: Path) -> None:
    capitals, tildes = "BEBAS___.ttf", "Capture_it.ttf"  # no small letters; no tilde
    plan = recipe(tmp_path, ("exit", "EXIT", "~")).plan(0, 0)
    used = {word: set(plan["font"][plan["text"] == word]) for word in ("exit", "EXIT", "~")}
    assert capitals in used["EXIT"]
    assert capitals not in used["exit"]
    assert tildes in used["exit"] | used["EXIT"]
    assert tildes not in used["~"]
    assert len(used["EXIT"]) > 60


def test_every_character_is_drawn_with_ink(tmp_path: Path) -> None:
    engine = recipe(tmp_path, tuple(CHARSET_94), skip_fonts=["*Hairline*"])
    engine.check()
    seen = set()
    for row in rows(engine, 400):
        drawn = engine.draw({**row, "background": "white", "colour": "#000000"})
        assert drawn.image.min() < 220, row
        seen.add(drawn.label)
    assert len(seen) > 80


def test_a_row_without_a_font_is_unfit(tmp_path: Path) -> None:
    with pytest.raises(UnfitError, match=r"^no_font_has_all_characters$"):
        drawn(recipe(tmp_path), font="")


def test_the_manifest_names_no_place_on_this_machine(tmp_path: Path, photo: Path) -> None:
    options = {"background": {"photo": 1}, "photos": str(photo.parent), "skip_fonts": ["[!W]*"]}
    found = recipe(tmp_path, **options).inputs()
    assert found["fonts"]["files"] == 9  # the weights of Walkway
    assert found["photos"]["files"] == 1
    assert found["trdg"]["trdg"] == "1.8.0"
    assert "site-packages" not in json.dumps(found)
    before = found["photos"]["sha256"]
    Image.new("RGB", (9, 9)).save(photo)
    assert recipe(tmp_path, **options).inputs()["photos"]["sha256"] != before


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"words": []}, "r.toml: words must not be empty."),
        ({"skew_share": 1.5}, "r.toml: skew_share must be from 0 to 1, got 1.5."),
        ({"skew_deg": [-60, 0]}, "r.toml: skew_deg must lie between -45 and 45."),
        ({"margin_px": [5, 13]}, "r.toml: size_px and margin_px leave 6 px for the text; leave 8."),
        ({"colours": ["red"]}, "r.toml: 'red' is no colour; write #rrggbb or #rrggbb,#rrggbb."),
        ({"background": {}}, "r.toml, background: every weight is 0, so no background is left."),
        ({"distortions": ["x"]}, "unknown value 'x' in r.toml, distortions[0]. Known: cosine, random, sine."),
        ({"blurr_px": [0, 1]}, "unknown key 'blurr_px' in r.toml. Did you mean 'blur_px'?"),
    ],
)
def test_faults_of_a_recipe_are_told_in_a_sentence(
    tmp_path: Path, table: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError) as error:
        recipe(tmp_path, **table)
    assert str(error.value) == message


def test_missing_materials_are_told_before_the_first_image(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^skip_fonts leaves none of the 100 fonts in .*\. Shorten it\.$"):
        recipe(tmp_path, skip_fonts=["*"]).check()
    for options in ({"fonts": "gone"}, {"photos": "gone", "background": {"photo": 1}}):
        with pytest.raises(UserError, match=r"^folder gone with (fonts|photos) does not exist\."):
            recipe(tmp_path, **options).check()
    recipe(tmp_path, photos="gone").check()  # not needed: no background is a photo


def test_the_engine_goes_to_workers_whole(tmp_path: Path) -> None:
    engine = recipe(tmp_path)
    engine.check()
    copy = pickle.loads(pickle.dumps(engine))
    assert all((copy.plan(0, 0)[name] == column).all() for name, column in engine.plan(0, 0).items())


def test_trdg_draws_without_pkg_resources_and_without_what_its_generators_need(tmp_path: Path) -> None:
    absent = ("pkg_resources", "arabic_reshaper", "bidi", "wikipedia", "requests", "tensorflow")
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({absent!r}))\n"  # None: an import of it fails
        "from curation.core.recipe import build\n"
        "from synthgen.engines.trdg import Trdg\n"
        "source = {'kind': 'word_list', 'file': 'w.txt'}\n"
        "engine = build(Trdg, {'words': [{'share': 1, 'source': source}]}, where='r.toml')\n"
        "engine.check()\n"
        f"print(engine.draw({PLAIN!r}).image.shape[0])\n"
    )
    (tmp_path / "w.txt").write_text("exit\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("32\n", "")  # and trdg prints nothing of its own


def test_a_missing_trdg_is_one_sentence_and_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "trdg" else find_spec(name))
    for name in ("generator", "package_folder"):  # without the answers they remember
        monkeypatch.setattr(trdg_compat, name, getattr(trdg_compat, name).__wrapped__)
    with pytest.raises(UserError) as error:
        recipe(tmp_path).check()
    assert str(error.value) == (
        "the engine 'trdg' needs the package trdg, which is not installed. "
        "Run: pip install --no-deps trdg==1.8.0"
    )


def test_the_seeded_state_is_put_back_after_an_error() -> None:
    before = random.getstate()
    with pytest.raises(ZeroDivisionError), seeded(1):
        _ = random.random() / 0
    assert random.getstate() == before
