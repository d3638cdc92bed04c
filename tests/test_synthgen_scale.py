"""Large runs: splits, locks, names that do not collide, and knowing when to stop."""

from __future__ import annotations

import resource
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from small_recipe import write_recipe

from curation.core.errors import UserError
from curation.core.lock import alone_at
from synthgen import render as rendering
from synthgen.engines import BLOCK
from synthgen.tally import HopelessError, Tally


@pytest.fixture(scope="module")
def recipe_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recipe(tmp_path_factory.mktemp("recipe"))


@pytest.fixture(scope="module")
def undisturbed(recipe_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "undisturbed"
    rendering.render(rendering.load(str(recipe_path)), out, n=2500, seed=3)
    return out


def test_two_recipes_of_one_name_share_no_uid(recipe_path: Path, tmp_path: Path) -> None:
    text = recipe_path.read_text(encoding="utf-8")
    (tmp_path / "small.toml").write_text(text.replace("[16, 20]", "[16, 21]"), encoding="utf-8")
    recipe, edited = rendering.load(str(recipe_path)), rendering.load(str(tmp_path / "small.toml"))
    assert recipe.name == edited.name

    def prefix(recipe: rendering.Recipe, seed: int, n: int = 10) -> str:
        return rendering.uid_prefix(rendering.job(recipe, n, seed))

    assert prefix(recipe, 3) == prefix(rendering.load(str(recipe_path)), 3, n=20)
    assert len({prefix(recipe, 3), prefix(edited, 3), prefix(recipe, 4)}) == 3


@pytest.mark.parametrize("shard_rows", [500, 1700])
def test_the_split_over_files_changes_no_word(
    recipe_path: Path, undisturbed: Path, tmp_path: Path, shard_rows: int
) -> None:
    out = tmp_path / "split"
    rendering.render(rendering.load(str(recipe_path)), out, n=2500, seed=3, shard_rows=shard_rows)
    files = sorted((out / "data").iterdir())
    assert [pq.read_metadata(file).num_rows for file in files[:-1]] == [shard_rows] * (len(files) - 1)
    ours, theirs = (pq.read_table(folder / "data") for folder in (out, undisturbed))
    assert ours.equals(theirs, check_metadata=True)


def test_a_font_put_in_the_place_of_another_is_drawn(tmp_path: Path) -> None:
    recipe_path = write_recipe(tmp_path)
    drawn = {}
    for name in ("a", "b"):
        out = tmp_path / name
        rendering.render(rendering.load(str(recipe_path)), out, n=20)
        drawn[name] = set(pq.read_table(out / "data")["render"].combine_chunks().field("font").to_pylist())
        if name == "a":
            (tmp_path / "fonts" / "a.ttf").rename(tmp_path / "fonts" / "b.ttf")
    assert drawn == {"a": {"a.ttf"}, "b": {"b.ttf"}}


def test_two_runs_at_once_do_not_meet(recipe_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    recipe = rendering.load(str(recipe_path))
    with alone_at(out), pytest.raises(UserError) as error:
        rendering.render(recipe, out, n=20)
    assert str(error.value) == f"another process is writing to {out}. Wait for it, or stop it."
    rendering.render(recipe, out, n=20)
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "the lock is gone with the work"


def test_unfinished_work_of_other_code_is_not_mixed_in(
    recipe_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, recipe = tmp_path / "out", rendering.load(str(recipe_path))
    with monkeypatch.context() as patch:
        patch.setattr(rendering, "_draw_shards", lambda *work: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            rendering.render(recipe, out, n=20)
    monkeypatch.setattr(rendering, "code_sha256", lambda *folders: "of other files")
    with pytest.raises(UserError) as error:
        rendering.render(recipe, out, n=20)
    assert str(error.value) == (
        f"output {out} holds unfinished work that differs in: code_sha256. "
        "Repeat the command it was begun with, or remove the folder."
    )


def test_a_worker_with_other_code_draws_nothing(
    recipe_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = rendering.Work(
        recipe=rendering.load(str(recipe_path)), out=tmp_path / "out", seed=0, n=20, uid_prefix="small"
    )
    monkeypatch.setattr(rendering, "code_sha256", lambda *folders: "of other files")
    with pytest.raises(UserError, match=r"^glyphmix or a package it draws with is another one on \S+ now"):
        rendering.render_shard(work, 0, 0, 20, lambda n: None)


def test_a_bad_shard_among_good_ones_is_no_reason_to_stop() -> None:
    tally = Tally("fussy", 100_000)
    tally.add(1000)
    tally.add(1000, ["fussy"] * 30)
    assert tally.reasons == {"fussy": 30}


def test_a_hopeless_run_stops_early() -> None:
    tally = Tally("fussy", 60_000_000)
    for _ in range(999):
        tally.add(1, ["fussy"])
    with pytest.raises(HopelessError, match=r"cannot be drawn \(1000 fussy\)"):
        tally.add(1, ["fussy"])


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells a process's memory")
def test_memory_does_not_grow_over_a_hundred_thousand_planned_words(recipe_path: Path) -> None:
    engine = rendering.load(str(recipe_path)).engine

    def resident_mb() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6

    def draw(start: int, stop: int) -> None:
        for index in range(start, stop, BLOCK // 4):
            rendering.draw(engine, 0, index)

    draw(0, 20_000)
    before = resident_mb()
    draw(20_000, 120_000)
    assert resident_mb() - before < 20, "rows that were kept would take ten times as much"
