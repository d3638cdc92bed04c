"""Copies among frequent labels, columns with nulls, levels that are only told, and two runs at once."""

from __future__ import annotations

import dataclasses
import fcntl
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from planted_copies import picture, sample
from word_sets import write_words

import glyphmix
from curation import bursts, clusters, near
from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.sample import Sample
from curation.crop_hashes import Block, Limits, _search
from curation.decontaminate import decontaminate
from curation.dedupe import DedupeRecipe, dedupe
from curation.evidence import gather
from curation.lookalikes import Look


def stay(tmp_path: Path, words: list[Sample], spec: DedupeRecipe | None = None) -> list[str]:
    dedupe([write_words(tmp_path / "in", words)], tmp_path / "out", spec)
    return Dataset.open(tmp_path / "out").table(["uid"])["uid"].to_pylist()


def test_of_many_frames_of_one_word_one_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "TILED", 100)  # a label of ten words is a frequent one
    large = cv2.resize(picture(1), (240, 80), interpolation=cv2.INTER_CUBIC)
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(24):
        left, right, top, bottom = rng.integers(0, (12, 12, 4, 4))
        frames.append(large[top : 80 - bottom, left : 240 - right] + rng.integers(0, 3, dtype=np.uint8))
    words = [sample(f"a:{i}", frame) for i, frame in enumerate(frames)]
    words += [sample(f"b:{i}", picture(i)) for i in range(2, 8)]
    left = stay(tmp_path, words, DedupeRecipe(look=Look(neighbours=2)))
    assert len([uid for uid in left if uid.startswith("a:")]) == 1
    assert [uid for uid in left if uid.startswith("b:")] == [f"b:{i}" for i in range(2, 8)]


def test_rows_of_a_chain_are_paired_with_the_best_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bursts, "MOST", 2)
    monkeypatch.setattr(bursts, "CHUNK", 4)
    left, right = np.array([0, 1, 2, 6]), np.array([1, 2, 3, 7])
    links = near.Pairs(left, right, np.zeros(4, np.float32))
    rank = np.array([5, 6, 7, 0, 1, 2, 3, 4])  # 3 stays rather than 0, and 0 rather than 1 and 2
    parts = list(bursts.linked(links, links, rank))
    assert len(parts) > 1
    found = near.joined(parts)
    assert list(zip(found.left.tolist(), found.right.tolist(), strict=True)) == [(0, 3), (1, 3), (0, 2)]
    nothing = links.select(np.zeros(4, bool))
    assert list(bursts.linked(nothing, nothing, rank)) == []


def test_a_label_of_words_that_are_all_alike_takes_no_more_memory(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    base = rng.integers(0, 250, (16, 48))
    sketches = (base + rng.integers(0, 5, (3_000, 16, 48))).astype(np.uint8)
    sketches.tofile(tmp_path / "sketches")
    whole = Block(file=tmp_path / "sketches", n=3_000, places=np.arange(3_000), aspects=np.full(3_000, 3.0))
    some = dataclasses.replace(whole, places=np.arange(200), aspects=np.full(200, 3.0), whole=whole)
    tracemalloc.start()
    limits = Limits(most_bits=28, neighbours=3, most_stretch=1.45)
    _, i, j, bits = _search(0, some, None, limits, lambda n: None)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
    hashes = whole.hashes()
    least = np.bitwise_count(hashes[:200, None, :1] ^ hashes[None]).sum(axis=3).min(axis=2).astype(int)
    least[np.arange(200), np.arange(200)] = 999
    order = np.argsort(least, axis=1, kind="stable")[:, :3]
    assert i.tolist() == np.repeat(np.arange(200), 3).tolist()
    assert j.tolist() == order.ravel().tolist()
    assert bits.tolist() == np.take_along_axis(least, order, axis=1).ravel().tolist()


def test_a_file_without_a_hash_is_a_copy_all_the_same(tmp_path: Path) -> None:
    data = cv2.imencode(".png", picture(0)[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 0])[1].tobytes()
    words = [dataclasses.replace(sample("a:0", picture(0)), dhash128=None), sample("a:1", picture(0))]
    spec = DedupeRecipe(delete=("bytes", "pixels"))
    assert stay(tmp_path, [*words, sample("a:2", data)], spec) == ["a:0"]


def test_rows_without_label_or_source_are_compared_and_drawn(tmp_path: Path) -> None:
    words = [dataclasses.replace(sample(f"a:{i}", picture(0)), label=None, source=None) for i in (0, 1)]
    rows = write_words(tmp_path / "in", words)
    found = dedupe([rows], tmp_path / "out", pairs=tmp_path / "p.png")
    assert found["duplicates"]["dropped"] == [{"level": "bytes", "source": "", "copy_of": "", "rows": 1}]
    assert (tmp_path / "p.png").exists()


def test_levels_that_delete_nothing_are_told(tmp_path: Path) -> None:
    data = cv2.imencode(".png", picture(0)[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 0])[1].tobytes()
    place = {"origin_image": "coco:000000000001", "origin_size": (640, 480), "origin_box": (10, 10, 100, 40)}
    words = [sample("a:0", picture(0)), sample("a:1", picture(0)), sample("a:2", data)]
    words += [sample("a:3", picture(1), "x", **place), sample("a:4", picture(2), "x", **place)]
    rows = write_words(tmp_path / "in", words)
    found = dedupe([rows], tmp_path / "out", DedupeRecipe(delete=()), dry_run=True)
    assert found["n_rejected"] == 0
    assert {entry["level"]: entry["pairs"] for entry in found["duplicates"]["told"]} == {
        "origin": 1,
        "bytes": 1,
        "pixels": 1,
    }


def test_two_runs_into_one_folder_are_kept_apart_from_the_first_sketch_on(tmp_path: Path) -> None:
    train = write_words(tmp_path / "train", [sample("a:0", picture(0)), sample("a:1", picture(1))])
    test = write_words(tmp_path / "test", [sample("b:0", picture(2), split="test")])
    out = tmp_path / "out"
    busy = f"another process is writing to {out}. Wait for it, or stop it."
    (tmp_path / ".out.sketches").mkdir()
    (tmp_path / ".out.sketches" / "left").touch()
    with (tmp_path / ".out.lock").open("w") as lock:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX)
        for run in (
            lambda: dedupe([train], out),
            lambda: decontaminate([train], [test], out, jobs=1),
        ):
            with pytest.raises(UserError) as error:
                run()
            assert str(error.value) == busy
        assert (tmp_path / ".out.sketches" / "left").exists()  # which is the other run's
    assert dedupe([train], out)["n_rows"] == 2
    assert not list(tmp_path.glob(".*"))


def test_an_interrupted_run_draws_its_pairs_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [sample("a:0", picture(1)), sample("a:1", picture(1)), sample("a:2", picture(2))]
    write_words(tmp_path / "in", words)
    call = ["dedupe", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "-j1"]
    call += ["--pairs", str(tmp_path / "p.png")]

    def interrupted(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(shards, "finish", interrupted)
        assert str(CliRunner().invoke(glyphmix.main, call).exception) == "killed"
    drawn = (tmp_path / "p.png").read_bytes()
    (tmp_path / "p.png").write_bytes(b"what a killed run has left")
    result = CliRunner().invoke(glyphmix.main, call)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "p.png").read_bytes() == drawn


def test_of_identical_words_that_stay_only_the_best_is_compared_with(tmp_path: Path) -> None:
    words = [sample(f"a:{i}", picture(0), split="test") for i in range(4)] + [sample("a:4", picture(0))]
    rows = gather([write_words(tmp_path / "in", words)])
    none = near.joined([])
    group = clusters.narrowed(clusters.groups(rows, np.zeros(5, np.uint64)), rows.label)
    known = clusters.Known.of(rows, group, none, {"certain": none})
    for level in ("bytes", "pixels"):
        assert known.at(level, 4, {0: [0, 1, 2, 3]}) == [(0, 0.0)]
    pair = near.Pairs(np.array([0]), np.array([4]), np.array([0.5], np.float32))
    known = clusters.Known.of(rows, np.array([0, 0, 0, 0, 4]), none, {"certain": pair})
    assert known.at("certain", 4, {0: [0, 1, 2, 3]}) == [(0, 0.5)]
