"""The promises of a rendering run: same bytes whatever happens, exact counts, no word lost in silence."""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from small_recipe import write_recipe

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.fingerprint import dhash128, sha256
from curation.core.images import decode
from synthgen import render as rendering
from synthgen.engines.base import BLOCK, Drawn, UnfitError
from synthgen.tally import HopelessError, Tally

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def recipe_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recipe(tmp_path_factory.mktemp("recipe"))


@pytest.fixture(scope="module")
def undisturbed(recipe_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "undisturbed"
    rendering.render(rendering.load(str(recipe_path)), out, n=2500, seed=3)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_two_jobs_make_the_same_bytes_as_one(recipe_path: Path, undisturbed: Path, tmp_path: Path) -> None:
    rendering.render(rendering.load(str(recipe_path)), tmp_path / "two", n=2500, seed=3, jobs=2)
    assert contents(tmp_path / "two") == contents(undisturbed)


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(
    recipe_path: Path, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    command = [sys.executable, "-c", "import glyphmix; glyphmix.main()", "render", str(recipe_path)]
    command += ["-o", str(out), "-n", "2500", "--seed", "3", "-j", "1"]
    run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (out / ".build" / "00000.json").exists():
        assert run.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    assert run.returncode == -signal.SIGKILL
    first = (out / "data" / "shard-00000.parquet").stat().st_mtime_ns
    rendered = rendering.render(rendering.load(str(recipe_path)), out, n=2500, seed=3)
    assert contents(out) == contents(undisturbed)
    assert rendered.n_drawn in (500, 1500), "a finished shard was drawn again"
    assert (out / "data" / "shard-00000.parquet").stat().st_mtime_ns == first


def test_a_smaller_run_is_the_beginning_of_a_larger_one(
    recipe_path: Path, undisturbed: Path, tmp_path: Path
) -> None:
    rendering.render(rendering.load(str(recipe_path)), tmp_path / "few", n=130, seed=3)
    columns = ["image", "label", "uid", "render"]
    few, many = Dataset.open(tmp_path / "few"), Dataset.open(undisturbed)
    assert few.take(range(130), columns) == many.take(range(130), columns)


def test_another_seed_makes_other_words(recipe_path: Path, undisturbed: Path, tmp_path: Path) -> None:
    rendering.render(rendering.load(str(recipe_path)), tmp_path / "other", n=50, seed=4)
    ours = Dataset.open(tmp_path / "other").take(range(50), ["image"])
    assert not {row["image"]["bytes"] for row in ours} & {
        row["image"]["bytes"] for row in Dataset.open(undisturbed).take(range(50), ["image"])
    }


def test_every_image_can_be_drawn_again_from_its_row(recipe_path: Path, undisturbed: Path) -> None:
    engine = rendering.load(str(recipe_path)).engine
    for row in Dataset.open(undisturbed).take(range(0, 2500, 250), ["image", "label", "render", "dhash128"]):
        drawn = engine.draw(row["render"])
        stored = decode(row["image"]["bytes"]).astype(int)
        assert drawn.label == row["label"]
        assert dhash128(drawn.image) == row["dhash128"]
        assert abs(stored - drawn.image).mean() < 12, "only JPEG lies between them"


def test_rows_and_manifest_say_where_they_come_from(undisturbed: Path) -> None:
    data = Dataset.open(undisturbed)
    assert len(data) == 2500
    row = data.take([2400], ["image", "uid", "source", "sha256", "width", "height", "render", "label"])[0]
    assert row["source"] == "small"
    assert re.fullmatch(r"small-[0-9a-f]{8}-3:2400", row["uid"]), row["uid"]
    assert row["sha256"] == sha256(row["image"]["bytes"])
    assert decode(row["image"]["bytes"]).shape == (row["height"], row["width"], 3)
    assert row["render"]["index"] == 2400
    assert row["render"]["text"] == row["label"]
    manifest = data.manifest
    assert (manifest["n"], manifest["seed"], manifest["recipe_name"]) == (2500, 3, "small")
    assert manifest["recipe"]["effects"][0]["effect"]["sigma"] == [1.0, 10.0], "defaults are written out"
    assert manifest["inputs"]["fonts"]["count"] == 1
    assert manifest["n_redrawn"] == sum(manifest["redrawn_by_reason"].values())
    attempts = pq.read_table(undisturbed / "data").column("render").combine_chunks().field("attempt")
    assert manifest["n_redrawn"] == np.count_nonzero(attempts.to_numpy())


def test_the_shard_size_depends_on_the_number_of_words_alone() -> None:
    sizes = {n: rendering.rows_per_shard(n) for n in (1, 64_000, 64_001, 1_000_000, 3_200_000, 60_000_000)}
    assert sizes == {
        1: 1000,
        64_000: 1000,
        64_001: 2000,
        1_000_000: 16_000,
        3_200_000: 50_000,
        60_000_000: 50_000,
    }


def test_a_recipe_travels_to_worker_processes_after_use(recipe_path: Path) -> None:
    recipe = rendering.load(str(recipe_path))
    recipe.engine.check()
    copy = pickle.loads(pickle.dumps(recipe))
    assert copy == recipe
    assert rendering.draw(copy.engine, 3, 7)[1] == rendering.draw(recipe.engine, 3, 7)[1]


@dataclass(frozen=True)
class Fussy:
    """An engine whose words below ``fails`` of 1,000 cannot be drawn in the first ``times`` attempts."""

    fails: int
    times: int

    def check(self) -> None: ...

    def inputs(self) -> dict[str, Any]:
        return {}

    def plan(self, seed: int, block: int, attempt: int = 0) -> dict[str, np.ndarray]:
        return {"place": np.arange(BLOCK), "try": np.full(BLOCK, attempt)}

    def draw(self, row: Mapping[str, Any]) -> Drawn:
        if row["place"] < self.fails and row["try"] < self.times:
            raise UnfitError("fussy")
        return Drawn(image=np.full((8, 8, 3), 128, np.uint8), label=str(row["try"]), jpeg_quality=None)


def test_a_word_that_cannot_be_drawn_comes_from_the_next_attempt(tmp_path: Path) -> None:
    recipe = rendering.Recipe(name="fussy", engine=Fussy(fails=3, times=2))
    rendering.render(recipe, tmp_path / "out", n=1000)
    data = Dataset.open(tmp_path / "out")
    assert (len(data), data.manifest["n_rejected"]) == (1000, 0)
    assert data.manifest["redrawn_by_reason"] == {"fussy": 3}
    rows = data.take([2, 3], ["label", "render"])
    assert [row["label"] for row in rows] == ["2", "0"]
    assert [row["render"]["redrawn_because"] for row in rows] == ["fussy", ""]


def test_a_word_that_never_can_be_drawn_is_a_reject(tmp_path: Path) -> None:
    recipe = rendering.Recipe(name="fussy", engine=Fussy(fails=10, times=99))
    manifest = rendering.render(recipe, tmp_path / "out", n=1000).manifest
    assert (manifest["n_rows"], manifest["rejected_by_reason"]) == (990, {"fussy": 10})


def test_too_many_rejects_stop_the_run(tmp_path: Path) -> None:
    recipe = rendering.Recipe(name="fussy", engine=Fussy(fails=11, times=99))
    with pytest.raises(UserError) as error:
        rendering.render(recipe, tmp_path / "out", n=1000)
    assert str(error.value) == (
        "more than 1% of the words of recipe fussy cannot be drawn (11 fussy). "
        "Look at its preview and mend it."
    )


def test_a_run_that_stops_says_what_most_words_lack() -> None:
    with pytest.raises(HopelessError) as error:
        Tally("huge", 100).add(5, ["faint", "too_large", "too_large"])
    assert str(error.value) == (
        "more than 1% of the words of recipe huge cannot be drawn (1 faint, 2 too_large). "
        "Look at its preview and mend it: an image may have 400,000 pixels, "
        "so lower framing.height_px, framing.letter_px or margins."
    )


def test_a_run_of_many_shards_is_judged_as_a_whole(tmp_path: Path) -> None:
    """Of 5,000 words 55 fail, which is more than 1 %, but not yet much more."""
    recipe = rendering.Recipe(name="fussy", engine=Fussy(fails=11, times=99))
    with pytest.raises(UserError) as error:
        rendering.render(recipe, tmp_path / "out", n=5000)
    assert str(error.value).startswith("more than 1% of the words of recipe fussy cannot be drawn (55 fussy)")
    assert not (tmp_path / "out").exists()
