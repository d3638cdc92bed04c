"""Copies are left out, each for a word that stays, and everything else stays as it was."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from planted_copies import picture, sample
from word_sets import write_words

import glyphmix
from curation import clusters
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.images import decode, encode_jpeg
from curation.core.recipe import build
from curation.core.sample import Sample
from curation.dedupe import DedupeRecipe, dedupe
from curation.evidence import gather
from curation.near import Pairs

ROOT = Path(__file__).parents[1]


def run(
    tmp_path: Path, *sets: list[Sample], spec: DedupeRecipe | None = None, jobs: int = 1
) -> dict[str, str]:
    """Dedupe these sets; the uids that went, each with the reason, the detail and the uid it went for."""
    datasets = [write_words(tmp_path / f"in{i}", words, shard_rows=4) for i, words in enumerate(sets)]
    out = tmp_path / "out"
    manifest = dedupe(datasets, out, spec, jobs=jobs)
    gone = pq.read_table(out / "rejects.parquet").to_pylist()
    stay = Dataset.open(out).table(["uid"])["uid"].to_pylist()
    everything = [word.uid for words in sets for word in words]
    assert stay == [uid for uid in everything if uid not in {reject["uid"] for reject in gone}]
    assert manifest["rejected_by_reason"] == {
        reason: sum(reject["reason"] == reason for reject in gone) for reason in {r["reason"] for r in gone}
    }
    return {r["uid"]: f"{r['reason']}: {r['detail']}: {r['duplicate_of']}" for r in gone}


def test_every_kind_of_copy_goes_for_the_better_word(tmp_path: Path) -> None:
    word, other, third = picture(1), picture(2), picture(3)
    place = {"origin_image": "coco:000000000001", "origin_size": (640, 480)}
    smaller = cv2.resize(word, (70, 24), interpolation=cv2.INTER_AREA)
    first = [
        sample("a:small", smaller),
        sample("a:word", word),
        sample("a:jpeg", encode_jpeg(np.clip(word * 0.9 + 20, 0, 255).astype(np.uint8), 70)),
        sample("a:cut", word[1:-2, 4:-5]),
        sample("a:same", word),
        sample("a:png", cv2.imencode(".png", word[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 0])[1].tobytes()),
        sample("a:distinct", other),
    ]
    second = [
        sample("b:photo", third, "x", origin_box=(10, 10, 100, 40), **place),
        sample("c:photo", picture(4, size=(100, 40)), "X", origin_box=(12, 12, 100, 40), **place),
        sample("c:nested", picture(5), "y", origin_box=(12, 12, 100, 40), **place),
        sample("b:test", word, split="test"),
        sample("b:test2", word, split="test"),
        sample("b:broken", b"no picture"),
        sample("b:broken2", b"no picture", "other"),
        sample("b:broken3", b"no pictures"),
    ]
    gone = run(tmp_path, first, second)
    looks = {uid: gone.pop(uid) for uid in ("a:small", "a:jpeg", "a:cut")}
    assert gone == {
        "a:word": "duplicate: bytes: b:test",
        "a:same": "duplicate: bytes: b:test",
        "a:png": "duplicate: pixels: b:test",
        "b:photo": "duplicate: origin, IoU 0.87: c:photo",
    }
    for told in looks.values():
        assert told.startswith(("duplicate: certain, agreement 0.9", "duplicate: certain, agreement 1."))
        assert told.endswith(": b:test")
    found = Dataset.open(tmp_path / "out").manifest["duplicates"]
    assert found["dropped"] == [
        {"level": "origin", "source": "b", "copy_of": "c", "rows": 1},
        {"level": "bytes", "source": "a", "copy_of": "b", "rows": 2},
        {"level": "pixels", "source": "a", "copy_of": "b", "rows": 1},
        {"level": "certain", "source": "a", "copy_of": "b", "rows": 3},
    ]
    assert found["overlapping_other_label"] == 2
    assert found["conflicting_label"] == {"pictures": 1, "rows": 2, "dropped": 0}


def test_the_split_then_the_place_then_the_size_then_the_order_decides(tmp_path: Path) -> None:
    word = picture(1)
    large = cv2.resize(word, (120, 40), interpolation=cv2.INTER_CUBIC)
    words = [
        sample("a:0", word),
        sample("a:1", large),
        sample("a:2", word, origin_image="1.jpg"),
        sample("a:3", word, split="val"),
        sample("a:4", word, split="val"),
    ]
    dataset = write_words(tmp_path / "a", words)
    assert np.argsort(clusters.ranks(gather([dataset]))).tolist() == [3, 4, 2, 1, 0]
    assert set(run(tmp_path, words)) == {"a:0", "a:1", "a:2", "a:4"}


def test_a_chain_is_not_pulled_together(tmp_path: Path) -> None:
    rows = gather([write_words(tmp_path / "a", [sample(f"a:{i}", picture(i)) for i in range(4)])])
    chain = Pairs(np.array([0, 1, 2]), np.array([1, 2, 3]), np.array([0.01, 0.02, 0.03], np.float32))
    nothing = chain.select(np.zeros(3, bool))
    known = clusters.Known.of(rows, np.arange(4), nothing, {"certain": chain})
    copies = clusters.settle(known, np.arange(4), delete=["certain"], keep=np.zeros(4, bool))
    assert {row: copy.of for row, copy in copies.items()} == {1: 0, 3: 2}


@pytest.mark.parametrize(
    ("policy", "gone"),
    [
        ("keep", {"a:2": "duplicate: bytes: a:0"}),
        (
            "keep_first",
            {
                "a:1": "conflicting_label: its picture has the label 'Word' as well: a:0",
                "a:2": "duplicate: bytes: a:0",
            },
        ),
        (
            "drop_all",
            {
                "a:0": "conflicting_label: its picture has the label 'Word' as well: a:0",
                "a:1": "conflicting_label: its picture has the label 'Word' as well: a:0",
                "a:2": "conflicting_label: its picture has the label 'Word' as well: a:0",
            },
        ),
    ],
)
def test_one_picture_with_two_labels(tmp_path: Path, policy: str, gone: dict[str, str]) -> None:
    words = [
        sample("a:0", picture(1), "Word"),
        sample("a:1", picture(1), "Ward"),
        sample("a:2", picture(1), "word!"),
    ]
    words += [sample("a:3", picture(2), "Word"), sample("a:4", picture(1), "Ward", split="test")][:1]
    assert run(tmp_path, words, spec=DedupeRecipe(conflicts=policy)) == gone  # type: ignore[arg-type]


def test_probable_copies_go_only_when_asked(tmp_path: Path) -> None:
    words = [sample("a:0", picture(1)), sample("a:1", cv2.resize(picture(1), (60, 20)))]
    told = DedupeRecipe(certain=1.0, probable=0.9)
    assert run(tmp_path / "1", words, spec=told) == {}
    found = Dataset.open(tmp_path / "1" / "out").manifest["duplicates"]
    assert found["told"] == [{"level": "probable", "source": "a", "other_source": "a", "pairs": 1}]
    assert found["examples"][0]["uid"] == "a:0"
    asked = DedupeRecipe(certain=1.0, probable=0.9, delete=("probable",))
    assert list(run(tmp_path / "2", words, spec=asked)) == ["a:1"]


def test_nothing_depends_on_workers_or_on_the_order_of_rows_but_ties(tmp_path: Path) -> None:
    base = [picture(i) for i in range(6)]
    words = [sample(f"a:{i}", base[i % 6][i // 6 :, : 96 - 2 * (i // 6)]) for i in range(18)]
    one, two = (run(tmp_path / str(jobs), words, jobs=jobs) for jobs in (1, 2))
    assert one == two
    assert sorted(one) == sorted(f"a:{i}" for i in range(6, 18))  # the larger ones stay
    files = [
        {p.relative_to(tmp_path / j): p.read_bytes() for p in (tmp_path / j / "out" / "data").iterdir()}
        for j in "12"
    ]
    assert list(files[0].values()) == list(files[1].values())
    assert sorted(run(tmp_path / "back", words[::-1])) == sorted(one)


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = [sample(f"a:{i}", picture(int(rng.integers(0, 40))), str(i % 3)) for i in range(120)]
    write_words(tmp_path / "in", words, shard_rows=3)
    command = [
        sys.executable,
        "-c",
        "import glyphmix; glyphmix.main()",
        "dedupe",
        str(tmp_path / "in"),
        "-j1",
        "-o",
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True, env=environment)
    for shards_done in (0, 5):
        out = tmp_path / f"killed{shards_done}"
        process = subprocess.Popen(
            [*command, str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
        begun = tmp_path / f".{out.name}.sketches" if not shards_done else out / ".build" / "00004.json"
        while not begun.exists() and process.poll() is None:
            time.sleep(0.0005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not (out / "manifest.json").exists()
        subprocess.run([*command, str(out)], check=True, capture_output=True, env=environment)
        for path in (tmp_path / "whole").rglob("*"):
            if path.is_file():
                assert (out / path.relative_to(tmp_path / "whole")).read_bytes() == path.read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_the_command_prints_a_table_and_draws_pairs(tmp_path: Path) -> None:
    words = [sample("a:0", picture(1)), sample("b:1", picture(1)), sample("b:2", picture(2))]
    write_words(tmp_path / "in", words)
    call = [
        "dedupe",
        str(tmp_path / "in"),
        "-o",
        str(tmp_path / "out"),
        "-j1",
        "--pairs",
        str(tmp_path / "p.png"),
    ]
    result = CliRunner().invoke(glyphmix.main, [*call, "--dry-run"])
    assert result.output.replace(str(tmp_path), ".") == (
        "wrote ./p.png\n"
        "          level  of  like one of  words\n"
        "left out  bytes  b   a                1\n"
        "  bytes: b:1 and a:0 (word)\n"
        "would write 2 words to ./out, left out 1\n"
    )
    assert not (tmp_path / "out").exists()
    assert decode((tmp_path / "p.png").read_bytes()).shape[1] == 8 * 168 + 8
    result = CliRunner().invoke(glyphmix.main, [*call[:-2], "--json"])
    assert json.loads(result.output)["duplicates"]["dropped"][0]["rows"] == 1
    result = CliRunner().invoke(glyphmix.main, call)
    assert result.output.replace(str(tmp_path), ".") == (
        "Error: output ./p.png exists already. Remove it or give another name with -o.\n"
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"certain": 0.8}, "probable and certain must rise from above 0 up to 1, got 0.93 and 0.8"),
        ({"least_iou": 0.0}, "least_iou must be above 0 and up to 1, got 0.0"),
        (
            {"protocol": "parsec36"},
            "unknown protocol 'parsec36'. Did you mean 'parseq36' or 'parseq62' or 'parseq94'?",
        ),
        ({"look": {"neighbours": 0}}, "neighbours must be 1 or more, got 0"),
    ],
)
def test_recipes_that_do_not_fit_are_refused(table: dict[str, object], message: str) -> None:
    where = "r.toml, look" if "look" in table else "r.toml"
    with pytest.raises(UserError) as error:
        build(DedupeRecipe, table, where="r.toml")
    assert str(error.value) == f"{where}: {message}."


def test_levels_are_tried_cheapest_first() -> None:
    assert all(a in clusters.LEVELS for a in DedupeRecipe().delete)
    assert [*itertools.chain(DedupeRecipe().delete, ["probable"])] == list(clusters.LEVELS)
