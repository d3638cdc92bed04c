from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from curation.core.dataset import Dataset
from train import demo
from train.study.rows import read_rows

TINY = """
steps = 6
batch = 16
threads = 1
model = { kind = "conv_ctc", channels = [8, 8, 8, 8], blocks = [0, 0, 0], tail = 16, tail_blocks = 1 }
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo with fewer words and steps; all else as shipped."""
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))
    text = demo.STUDY.read_text(encoding="utf-8").split("[train]")[0] + "[train]" + TINY
    lines = [line for line in text.splitlines() if not line.startswith(("count =", "validation ="))]
    lines.insert(0, "validation = 10")
    study = tmp_path / "study.toml"
    study.write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(demo, "STUDY", study)
    monkeypatch.setattr(demo, "N_WORDS", {"rendered": 120, "standin_train": 50, "standin_test": 30})
    return tmp_path


def test_the_demo_ends_with_table_and_page_and_says_stand_in(small: Path) -> None:
    out = small / "demo out"
    shown = CliRunner().invoke(demo.demo, ["-o", str(out), "-j", "1"], catch_exceptions=False)
    lines = shown.stdout.splitlines()
    assert lines[-1] == str(out / "study" / "report.html")
    assert lines[0].split()[:6] == ["|", "cell", "|", "stand-in", "|", "rendered"]
    assert [line.split()[1] for line in lines[2:5]] == [
        "stand-in40",
        "stand-in40-rendered40",
        "stand-in40-rendered120",
    ]
    assert "stand-in: the stand-in for real words: drawn by the engine trdg" in shown.stdout
    assert "\nOne seed a cell: the intervals cover which words are in the test sets" in shown.stdout
    page = (out / "study" / "report.html").read_text()
    assert "stand-in: the stand-in for real words: drawn by the engine trdg" in page
    assert f"glyphmix demo -o &#39;{out}&#39;" in page
    before = (out / "study" / "runs.jsonl").read_bytes()
    again = CliRunner().invoke(demo.demo, ["-o", str(out), "-j", "1"], catch_exceptions=False)
    assert again.stdout == shown.stdout
    assert (out / "study" / "runs.jsonl").read_bytes() == before
    assert [row["n_synthetic"] for row in read_rows(out / "study" / "runs.jsonl")] == [0, 40, 120]


def test_stand_in_words_for_training_and_testing_have_none_in_common(small: Path) -> None:
    train, test = demo.split_words(small / "words")
    words = [{word.lower() for word in path.read_text().splitlines()} for path in (train, test)]
    assert not words[0] & words[1]
    assert len(words[1]) == pytest.approx(demo.TEST_SHARE * len(words[0] | words[1]), abs=1)


def test_what_is_rendered_keeps_to_its_part_of_the_words(small: Path) -> None:
    demo.make_words(small / "out", jobs=1)
    for part in ("standin_train", "standin_test"):
        allowed = set((small / "out" / "words" / f"{part}.txt").read_text().split())
        labels = Dataset.open(small / "out" / part).table(["label"])["label"].to_pylist()
        assert {label.lower() for label in labels} <= allowed
        recipe = json.loads((small / "out" / part / "manifest.json").read_text())["recipe"]
        assert recipe["kind"] == "trdg"
