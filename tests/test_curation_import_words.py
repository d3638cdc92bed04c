"""Published sets of word crops, each as its publisher packs it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from published_sets import Labels, failure, run, write_png

from curation.core.dataset import Dataset

Records = Sequence[tuple[str, str]]  # path and label


def rows(out: Path, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in Dataset.open(out).table(columns).to_pylist()]


def write_lines(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_mmocr0(path: Path, records: Records) -> None:
    write_lines(path, [json.dumps({"filename": name, "text": label}) for name, label in records])


def write_mmocr1(path: Path, records: Records) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    items = [{"img_path": name, "instances": [{"text": label}]} for name, label in records]
    meta = {"dataset_type": "TextRecogDataset", "task_name": "textrecog"}
    path.write_text(json.dumps({"metainfo": meta, "data_list": items}), encoding="utf-8")


GRADES = ("easy", "medium", "hard", "normal", "challenging")


def write_union14m(src: Path, grades: Mapping[str, Records], version: str = "mmocr-0.x") -> Path:
    """``train_annos`` of Union14M-L in one of its two versions, and its pictures."""
    for grade, records in grades.items():
        stem = src / "train_annos" / version / (grade if grade == "val_annos" else f"train_{grade}")
        if version == "mmocr-0.x":
            write_mmocr0(stem.with_suffix(".jsonl"), records)
        else:
            write_mmocr1(stem.with_suffix(".json"), records)
        for name, _ in records:
            write_png(src / name)
    return src


@pytest.mark.parametrize("version", ["mmocr-0.x", "mmocr1.0"])
def test_union14m_keeps_the_difficulty(version: str, tmp_path: Path) -> None:
    grades = {grade: [(f"full_images/art_curve/{grade}.jpg", f"né {grade}")] for grade in GRADES}
    src = write_union14m(tmp_path / "Union14M-L", grades, version)
    run("import", "union14m_l", src, "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "label") == [
        (f"union14m_l:{grade}/full_images/art_curve/{grade}.jpg", f"né {grade}") for grade in GRADES
    ]
    assert Dataset.open(tmp_path / "out").manifest["expected"] == 3_230_742


def test_union14m_of_chosen_difficulties(tmp_path: Path) -> None:
    src = write_union14m(tmp_path / "u", {g: [(f"full_images/{g}.jpg", g)] for g in ("hard", "easy")})
    chosen = ("--option", "difficulty=hard,easy")
    run("import", "union14m_l", src, "-o", tmp_path / "out", *chosen)
    assert rows(tmp_path / "out", "label") == [("hard",), ("easy",)]
    assert Dataset.open(tmp_path / "out").manifest["expected"] == 308_025 + 2_076_161
    assert failure("import", "union14m_l", src, "-o", tmp_path / "b", "--option", "difficulty=hard,hell") == (
        "unknown value 'hell' in options of union14m_l, difficulty[1]. "
        "Known: challenging, easy, hard, medium, normal."
    )
    assert failure("import", "union14m_l", src, "-o", tmp_path / "b", "--option", "difficulty=hard,hard") == (
        "options of union14m_l: difficulty is 'hard, hard'; it must name each part once, and one at least."
    )
    assert failure("import", "union14m_l", src, "-o", tmp_path / "b") == (
        f"{src} holds no train_annos/mmocr-0.x/train_medium.jsonl, train_annos/mmocr1.0/train_medium.json, "
        "train_annos/mmocr1.0.x/train_medium.json or train_medium.jsonl. "
        "Give the folder of Union14M-L as its publisher packs it."
    )


def test_union14m_validation(tmp_path: Path) -> None:
    src = write_union14m(tmp_path / "u", {"val_annos": [("full_images/1.jpg", "one")]})
    run("import", "union14m_l", src, "--split", "val", "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "split") == [("union14m_l:val/full_images/1.jpg", "val")]
    assert Dataset.open(tmp_path / "out").manifest["expected"] is None


def test_union14m_benchmark(tmp_path: Path) -> None:
    src = tmp_path / "Union14M-L" / "Union14M-Benchmarks"
    kinds = ["artistic", "contextless", "curve", "multi_oriented", "multi_words", "salient"]
    for i, kind in enumerate(kinds):
        write = write_mmocr0 if i % 2 else write_mmocr1
        write(src / kind / f"annotation.json{'l' if i % 2 else ''}", [("imgs/1.jpg", kind)])
        write_png(src / kind / "imgs" / "1.jpg")
    write_mmocr0(src / "general" / "annotation.jsonl", [("full_images/general.jpg", "general")])
    write_png(src.parent / "full_images" / "general.jpg")
    run("import", "union14m_benchmark", src, "--split", "test", "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "label") == [
        *((f"union14m_benchmark:{kind}/imgs/1.jpg", kind) for kind in kinds),
        ("union14m_benchmark:general/full_images/general.jpg", "general"),
    ]
    assert Dataset.open(tmp_path / "out").manifest["expected"] == 407_888
    write_mmocr1(src / "incomplete" / "annotation.json", [("imgs/1.jpg", "ncomplet")])
    write_png(src / "incomplete" / "imgs" / "1.jpg")
    chosen = ("--split", "test", "--option", "subset=incomplete")
    run("import", "union14m_benchmark", src, "-o", tmp_path / "other", *chosen)
    assert rows(tmp_path / "other", "uid") == [("union14m_benchmark:incomplete/imgs/1.jpg",)]
    assert Dataset.open(tmp_path / "other").manifest["expected"] is None


@pytest.mark.parametrize("folder", ["", "par1"])
def test_svtp(folder: str, tmp_path: Path) -> None:
    labels: Labels = {"13_15_0_par.jpg": "WYNDHAM", "13_15_1_par.jpg": "HOTEL"}
    src = tmp_path / "svtp"
    write_lines(src / "gt.txt", [f"{name} {label}" for name, label in labels.items()])
    for name in labels:
        write_png(src / folder / name)
    run("import", "svtp", src, "--split", "test", "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "label") == [(f"svtp:{n}", label) for n, label in labels.items()]
    write_lines(src / "gt.txt", ["13_15_0_par.jpg,WYNDHAM"])
    assert failure("import", "svtp", src, "--split", "test", "-o", tmp_path / "b") == (
        f"{src / 'gt.txt'}, line 1 is not like 13_15_0_par.jpg WYNDHAM: '13_15_0_par.jpg,WYNDHAM'. "
        "Give the publisher's own file."
    )


def test_cute80_labels_stay_as_published(tmp_path: Path) -> None:
    src = tmp_path / "ct80"
    lines = ["timage/001.jpg RONALDO 1 RONALDO", "timage/002.jpg 7 1 7", "timage/003.jpg BAECH 1 BAECH"]
    write_lines(src / "test_label.txt", lines)
    for i in (1, 2, 3):
        write_png(src / "timage" / f"00{i}.jpg")
    run("import", "cute80", src, "--split", "test", "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "label", "label_published") == [
        ("cute80:timage/001.jpg", "RONALDO", None),
        ("cute80:timage/002.jpg", "7", None),
        ("cute80:timage/003.jpg", "BAECH", None),
    ]
    write_lines(src / "test_label.txt", ["timage/001.jpg RONALDO"])
    assert failure("import", "cute80", src, "--split", "test", "-o", tmp_path / "b") == (
        f"{src / 'test_label.txt'}, line 1 is not like timage/001.jpg RONALDO 1 RONALDO: "
        "'timage/001.jpg RONALDO'. Give the publisher's own file."
    )
