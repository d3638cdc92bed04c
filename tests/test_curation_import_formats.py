"""Each published format, as its publisher writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lmdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from published_sets import (
    failure,
    picture,
    run,
    write_icdar2015,
    write_iiit5k,
    write_lmdb,
    write_png,
    write_svt,
    write_tsv,
)

from curation.core.dataset import Dataset
from curation.core.images import decode, encode_jpeg, encode_png
from curation.importers.lmdb import Lmdb


def rows(out: Path, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in Dataset.open(out).table(columns).to_pylist()]


@pytest.mark.parametrize("kind", ["CharBound", "data"])
def test_iiit5k(kind: str, tmp_path: Path) -> None:
    labels = {"train/1009_2.png": "You", "train/1017_1.png": "2", "train/3_1.png": "RESCUE"}
    src = write_iiit5k(tmp_path / "src", labels, kind=kind)
    write_iiit5k(src, {"test/1_1.png": "other"}, split="test", kind=kind)
    run("import", "iiit5k", src, "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "label", "licence") == [
        ("iiit5k:train/1009_2.png", "You", "no explicit licence"),
        ("iiit5k:train/1017_1.png", "2", "no explicit licence"),
        ("iiit5k:train/3_1.png", "RESCUE", "no explicit licence"),
    ]


def test_icdar2015_labels_with_quotes_commas_and_spaces(tmp_path: Path) -> None:
    labels = {
        "word_1.png": "Genaxis Theatre",
        "word_2.png": '"SCAN"',
        "word_3.png": 'lives."',
        "word_4.png": "No, 5",
        "word_5.png": "(65)",
        "word_6.png": "café´",
    }
    src = write_icdar2015(tmp_path / "src", labels)
    raw = (src / "train" / "gt.txt").read_bytes()
    assert raw.startswith(b'\xef\xbb\xbfword_1.png, "Genaxis Theatre"\r\nword_2.png, "\\"SCAN\\""')
    run("import", "icdar2015", src, "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "label") == [
        (f"icdar2015:train/{name}", label) for name, label in labels.items()
    ]


def test_icdar2015_in_the_folder_itself(tmp_path: Path) -> None:
    write_icdar2015(tmp_path / "src", {"word_1.png": "one"}, split="test")
    (tmp_path / "src" / "test" / "gt.txt").rename(tmp_path / "src" / "test" / "Challenge4_Test_Task3_GT.txt")
    run("import", "icdar2015", tmp_path / "src" / "test", "--split", "test", "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "split") == [("icdar2015:test/word_1.png", "test")]


def test_svt_words_are_cut_out_of_their_photos(tmp_path: Path) -> None:
    photos = {
        "img/14_03.jpg": [("LIVING", (10, 5, 30, 20)), ("ROOM", (100, 60, 40, 40))],
        "img/14_04.jpg": [("A&B", (-5, -5, 15, 15)), ("GONE", (130, 5, 10, 10))],
    }
    src = write_svt(tmp_path / "src", photos, size=(120, 80))
    run("import", "svt", src, "-o", tmp_path / "out", "--max-dropped", "0.25")
    assert rows(tmp_path / "out", "uid", "label", "width", "height", "origin_image", "origin_box") == [
        ("svt:img/14_03.jpg/1", "LIVING", 30, 20, "img/14_03.jpg", [10, 5, 30, 20]),
        ("svt:img/14_03.jpg/2", "ROOM", 20, 20, "img/14_03.jpg", [100, 60, 40, 40]),
        ("svt:img/14_04.jpg/1", "A&B", 10, 10, "img/14_04.jpg", [-5, -5, 15, 15]),
    ]
    assert Dataset.open(tmp_path / "out").manifest["rejected_by_reason"] == {"box_outside": 1}
    crop = decode(Dataset.open(tmp_path / "out").take([0], ["image"])[0]["image"]["bytes"])
    photo = decode((src / "img" / "14_03.jpg").read_bytes())
    assert np.array_equal(crop, photo[5:25, 10:40])


def test_svt_photo_missing_or_broken(tmp_path: Path) -> None:
    box = (0, 0, 9, 9)
    src = write_svt(tmp_path / "src", {f"img/{i}.jpg": [("A", box), ("B", box)] for i in range(3)})
    (src / "img" / "0.jpg").unlink()
    (src / "img" / "1.jpg").write_bytes(b"no photo")
    run("import", "svt", src, "-o", tmp_path / "out", "--max-dropped", "0.7")
    assert Dataset.open(tmp_path / "out").manifest["rejected_by_reason"] == {
        "broken_image": 2,
        "missing_image": 2,
    }


def test_tsv_keeps_labels_and_odd_names(tmp_path: Path) -> None:
    labels = {"a b/c, d.png": " spaced out ", "ü.png": "日本 naïve", "3.png": "a\u2028b\x0cc"}
    run("import", "tsv", write_tsv(tmp_path / "set", labels), "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "label") == [(f"set:{k}", v) for k, v in labels.items()]


def test_tsv_with_another_root_and_windows_lines(tmp_path: Path) -> None:
    write_png(tmp_path / "pictures" / "1.png")
    file = tmp_path / "lists" / "train.txt"
    file.parent.mkdir()
    file.write_bytes(b"\xef\xbb\xbf./x/../1.png\tone\r\n\r\n")
    run("import", "tsv", file, "--root", tmp_path / "pictures", "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "label", "source") == [("lists:./x/../1.png", "one", "lists")]


def test_lmdb_words_and_what_is_missing(tmp_path: Path) -> None:
    png, jpeg = encode_png(picture("a")), encode_jpeg(picture("b"))
    words = [
        (png, "naïve"),
        (None, "no picture"),
        (jpeg, "second"),
        (png, None),
        (png, b"\xff\xfe"),
        (png, ""),
    ]
    src = write_lmdb(tmp_path / "mj", words)
    run("import", "lmdb", src, "-o", tmp_path / "out", "--max-dropped", "0.7")
    assert rows(tmp_path / "out", "uid", "label") == [("mj:000000001", "naïve"), ("mj:000000003", "second")]
    assert Dataset.open(tmp_path / "out").manifest["rejected_by_reason"] == {
        "empty_label": 1,
        "missing_image": 1,
        "missing_label": 1,
        "undecodable_label": 1,
    }
    stored = Dataset.open(tmp_path / "out").take([0, 1], ["image"])
    assert [row["image"]["bytes"] for row in stored] == [png, jpeg]


def test_lmdb_of_openocr_states_sizes(tmp_path: Path) -> None:
    src = write_lmdb(tmp_path / "u14m", [(encode_png(picture(str(i), (40, 16))), f"w{i}") for i in range(4)])
    with lmdb.open(str(src), map_size=1 << 26) as env, env.begin(write=True) as txn:
        for number, stated in enumerate((b"40_16", b"16_40", b"no size"), 1):
            txn.put(b"wh-%09d" % number, stated)
    run("import", "lmdb", src, "-o", tmp_path / "out", "--max-dropped", "0.3")
    assert rows(tmp_path / "out", "label") == [("w0",), ("w2",), ("w3",)]
    rejects = pq.read_table(tmp_path / "out" / "rejects.parquet").to_pylist()
    assert [(reject["uid"], reject["reason"], reject["detail"]) for reject in rejects] == [
        ("u14m:000000002", "wrong_size", "16x40 stated, 40x16 found")
    ]


def test_lmdb_without_labels(tmp_path: Path) -> None:
    src = write_lmdb(tmp_path / "u", [(encode_png(picture(str(i))), None) for i in range(3)])
    assert failure("import", "lmdb", src, "-o", tmp_path / "out") == (
        f"{src} has pictures but no label at all, as sets for pre-training have. "
        "Give --option unlabelled=true to import them with empty labels."
    )
    run("import", "lmdb", src, "-o", tmp_path / "out", "--option", "unlabelled=true")
    assert rows(tmp_path / "out", "uid", "label") == [(f"u:{i:09d}", "") for i in (1, 2, 3)]


@pytest.mark.parametrize("n_words", [0, 1, 3, 4, 7])
def test_lmdb_is_opened_anew_now_and_then(
    n_words: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curation.importers.lmdb.REOPEN", 3)
    src = write_lmdb(tmp_path / "l", [(encode_png(picture(str(i))), f"w{i}") for i in range(n_words)])
    found = [(word.id, word.label, word.read()) for word in Lmdb().words(src, "train")]
    assert found == [(f"{i + 1:09d}", f"w{i}", encode_png(picture(str(i)))) for i in range(n_words)]


def test_lmdb_tree_is_read_in_sorted_order_and_loops_are_no_trap(tmp_path: Path) -> None:
    for name in ("MJ/MJ_valid", "MJ/MJ_train", "ST"):
        write_lmdb(tmp_path / "synth" / name, [(encode_png(picture(name)), name)])
    (tmp_path / "synth" / "MJ" / "loop").symlink_to(tmp_path / "synth")
    write_lmdb(tmp_path / "far", [(encode_png(picture("far")), "far")])
    (tmp_path / "synth" / "linked").symlink_to(tmp_path / "far")
    run("import", "lmdb", tmp_path / "synth", "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "label") == [
        ("synth:MJ/MJ_train/000000001", "MJ/MJ_train"),
        ("synth:MJ/MJ_valid/000000001", "MJ/MJ_valid"),
        ("synth:ST/000000001", "ST"),
        ("synth:linked/000000001", "far"),
    ]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters='\n\r"\\'), min_size=1))
def test_icdar2015_line_is_read_back(label: str) -> None:
    from curation.importers.annotations import QUOTED

    found = QUOTED.fullmatch(f'word_1.png, "{label}"')
    assert found is not None
    assert found.groups() == ("word_1.png", label)
