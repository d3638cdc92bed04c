"""What a user reads when an import cannot be done, compared whole."""

from __future__ import annotations

from pathlib import Path

import lmdb
import numpy as np
import pytest
from published_sets import failure, picture, run, write_iiit5k, write_lmdb, write_svt, write_tsv
from scipy.io import savemat

from curation.core.images import encode_png
from curation.importers import importers


def imported(kind: str, src: Path, *options: object) -> str:
    """The error of an import, after which nothing must be left."""
    out = src.parent / "out"
    text = failure("import", kind, src, "-o", out, *options)
    assert not out.exists()
    return text


def tsv(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "labels.tsv"
    path.write_bytes(content)
    return path


def test_unknown_format(tmp_path: Path) -> None:
    assert imported("iiit5", tmp_path / "x") == "unknown format 'iiit5'. Did you mean 'iiit5k'?"
    assert imported("qqq", tmp_path / "x") == f"unknown format 'qqq'. Known: {', '.join(importers)}."


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("iiit5k", "folder {} does not exist. Give the folder of IIIT 5K-word as its publisher packs it."),
        (
            "icdar2015",
            "folder {} does not exist. Give the folder of ICDAR 2015 task 4.3 as its publisher packs it.",
        ),
        ("svt", "folder {} does not exist. Give the folder of Street View Text as its publisher packs it."),
        ("tsv", "label file {} does not exist. Give the file of lines: path, TAB, label."),
        ("lmdb", "folder {} does not exist. Give the folder that holds data.mdb, or one above it."),
    ],
)
def test_missing_source(kind: str, message: str, tmp_path: Path) -> None:
    assert imported(kind, tmp_path / "gone") == message.format(tmp_path / "gone")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (
            "iiit5k",
            "{} holds no trainCharBound.mat or traindata.mat. "
            "Give the folder of IIIT 5K-word as its publisher packs it.",
        ),
        (
            "icdar2015",
            "{} holds no train/gt.txt or gt.txt. "
            "Give the folder of ICDAR 2015 task 4.3 as its publisher packs it.",
        ),
        ("svt", "{} holds no train.xml. Give the folder of Street View Text as its publisher packs it."),
        ("tsv", "label file {} is a folder. Give the file of lines: path, TAB, label."),
        ("lmdb", "{} holds no data.mdb. Give the folder of an LMDB, or one above several."),
    ],
)
def test_folder_of_something_else(kind: str, message: str, tmp_path: Path) -> None:
    src = tmp_path / "src"
    src.mkdir()
    assert imported(kind, src) == message.format(src)


@pytest.mark.parametrize("kind", ["iiit5k", "icdar2015", "svt", "lmdb"])
def test_file_for_a_folder(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "archive.zip"
    file.write_bytes(b"PK")
    assert imported(kind, file).startswith(f"folder {file} is a file, not a folder. Give the folder ")


def test_empty_label_file(tmp_path: Path) -> None:
    file = tsv(tmp_path, b"\n\n")
    assert imported("tsv", file) == f"{file} holds no word at all. Check that it is the set's annotation."


def test_label_file_without_tabs(tmp_path: Path) -> None:
    file = tsv(tmp_path, b"a.png one\n")
    assert imported("tsv", file) == (
        f"{file}, line 1 has no TAB between path and label, but a space: 'a.png one'. "
        "Give --option separator=space, or mend the file."
    )


def test_label_file_with_three_columns(tmp_path: Path) -> None:
    file = tsv(tmp_path, b"a.png\tone\nb.png\ttwo\t2\n")
    assert imported("tsv", file) == (
        f"{file}, line 2 has 2 TABs, expected 1 between path and label: 'b.png\\ttwo\\t2'. Mend the file."
    )


def test_label_file_in_another_encoding(tmp_path: Path) -> None:
    file = tsv(tmp_path, b"a.png\tone\nb.png\tna\xefve\n")
    assert imported("tsv", file) == (
        f"{file}, line 2 is not UTF-8 (byte 0xef at column 9); it looks like cp1252. "
        "Give --encoding cp1252, or convert the file to UTF-8."
    )
    file = tsv(tmp_path, "a.png\tone\n".encode("utf-16"))
    assert imported("tsv", file) == (
        f"{file}, line 1 is not UTF-8 (byte 0xff at column 1); it looks like utf-16. "
        "Give --encoding utf-16, or convert the file to UTF-8."
    )


@pytest.mark.parametrize("name", ["/etc/passwd", "../1.png", "a/../../1.png", "..", "", "a\0b.png"])
def test_paths_that_lead_out(name: str, tmp_path: Path) -> None:
    file = tsv(tmp_path, f"{name}\tone\n".encode())
    assert imported("tsv", file) == (
        f"{file}, line 1 names the image {name!r}, which is not inside {tmp_path}. "
        "Make the paths in that file relative to that folder."
    )


def test_root_for_another_format(tmp_path: Path) -> None:
    assert imported("svt", tmp_path, "--root", tmp_path) == (
        "--root is for the formats csv, jsonl, mmocr, paddle, tsv, not for svt. Leave it out."
    )


def test_missing_root(tmp_path: Path) -> None:
    file = write_tsv(tmp_path, {"a.png": "a"})
    assert imported("tsv", file, "--root", tmp_path / "gone") == (
        f"folder {tmp_path / 'gone'} does not exist. Check the path given with --root."
    )


def test_icdar2015_line_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "gt.txt").write_text('word_1.png, "one"\n38,43,920,215,JOINT\n')
    assert imported("icdar2015", tmp_path / "src") == (
        f"{tmp_path / 'src' / 'gt.txt'}, line 2 is not like word_1.png, \"label\": '38,43,920,215,JOINT'. "
        "Give the publisher's own file."
    )


def test_split_that_was_never_published(tmp_path: Path) -> None:
    assert imported("svt", tmp_path, "--split", "val") == (
        "svt has no split 'val'. Give --split train or test."
    )


def test_name_with_a_colon(tmp_path: Path) -> None:
    file = write_tsv(tmp_path, {"a.png": "a"})
    assert imported("tsv", file, "--name", "a:b") == (
        "the name 'a:b' is no good for a set. Use letters, digits, - and _."
    )


def test_damaged_matlab_files(tmp_path: Path) -> None:
    src = write_iiit5k(tmp_path / "src", {f"train/{i}.png": "word" for i in range(50)})
    path = src / "trainCharBound.mat"
    message = f"{path} cannot be read as a Matlab file. Unpack the publisher's archive again."
    whole = path.read_bytes()
    for data in (whole[:1000], whole[: len(whole) // 2], b"", b"<html>not found</html>" * 20):
        path.write_bytes(data)
        assert imported("iiit5k", src) == message


def test_matlab_file_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    path = tmp_path / "src" / "trainCharBound.mat"
    for content in ({"other": np.ones(3)}, {"trainCharBound": np.ones(3)}):
        savemat(path, content)
        assert imported("iiit5k", tmp_path / "src") == (
            f"{path} has no table trainCharBound with ImgName and chars. Give the publisher's own file."
        )


def test_xml_of_another_kind(tmp_path: Path) -> None:
    src = write_svt(tmp_path / "src", {"img/1.jpg": [("A", (0, 0, 9, 9))]})
    path = src / "train.xml"
    path.write_text("<annotation><object/></annotation>")
    assert imported("svt", src) == (
        f"{path} is XML of another kind: its root is 'annotation', not 'tagset'. "
        "Give the publisher's own file."
    )
    path.write_text("<tagset><image>")
    assert imported("svt", src) == (
        f"{path} is not valid XML: no element found: line 1, column 15. Unpack the publisher's archive again."
    )
    path.write_text(
        "<tagset><image><imageName>1.jpg</imageName><taggedRectangles>"
        '<taggedRectangle x="1" y="two" width="3"/></taggedRectangles></image></tagset>'
    )
    assert imported("svt", src) == (
        f"{path}, image 1, rectangle 1 has no box: "
        "got {'x': '1', 'y': 'two', 'width': '3', 'height': ''}. Give the publisher's own file."
    )


def test_no_lmdb(tmp_path: Path) -> None:
    src = tmp_path / "src"
    src.mkdir()
    (src / "data.mdb").write_bytes(b"some other data base" * 1000)
    assert imported("lmdb", src) == (
        f"{src / 'data.mdb'} cannot be read as LMDB (File is not an LMDB file). Copy it anew from its source."
    )


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (0, "{} is empty. Copy it anew from its source."),
        (1, "{} cannot be read as LMDB (File is not an LMDB file). Copy it anew from its source."),
        (4096, "{} cannot be read as LMDB (File is not an LMDB file). Copy it anew from its source."),
        (8192, "{} is cut short: 8,192 bytes of {:,}. Copy it anew from its source."),
    ],
)
def test_head_of_an_lmdb(size: int, message: str, tmp_path: Path) -> None:
    path = write_lmdb(tmp_path / "src", [(encode_png(picture("a")), "a")] * 100) / "data.mdb"
    whole = path.read_bytes()
    path.write_bytes(whole[:size])
    assert imported("lmdb", tmp_path / "src") == message.format(path, len(whole))


def test_damaged_lmdb(tmp_path: Path) -> None:
    path = write_lmdb(tmp_path / "src", [(encode_png(picture("a")), "a")] * 100) / "data.mdb"
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + bytes(len(whole) - 8192))
    assert imported("lmdb", tmp_path / "src") == (
        f"{path} cannot be read as LMDB (Located page was wrong type). Copy it anew from its source."
    )


def test_truncated_lmdb(tmp_path: Path) -> None:
    image = encode_png(picture("a"))
    path = write_lmdb(tmp_path / "src", [(image, "a")] * 100) / "data.mdb"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert imported("lmdb", tmp_path / "src") == (
        f"{path} is cut short: {len(whole) // 2:,} bytes of {len(whole):,}. Copy it anew from its source."
    )


def test_lmdb_of_another_kind(tmp_path: Path) -> None:
    with lmdb.open(str(tmp_path / "src")) as env, env.begin(write=True) as txn:
        txn.put(b"key", b"value")
    assert imported("lmdb", tmp_path / "src") == (
        f"{tmp_path / 'src'} has no key num-samples: another kind of LMDB, or its writer was interrupted. "
        "Give one with PARSeq's keys, or write it anew."
    )
    with lmdb.open(str(tmp_path / "src")) as env, env.begin(write=True) as txn:
        txn.put(b"num-samples", b"many")
    assert imported("lmdb", tmp_path / "src") == (
        f"{tmp_path / 'src'} has num-samples 'many', not a number. Write it anew."
    )


def test_existing_output(tmp_path: Path) -> None:
    file = write_tsv(tmp_path / "set", {"a.png": "a"})
    run("import", "tsv", file, "-o", tmp_path / "out")
    for options in ([], ["--dry-run"]):
        assert failure("import", "tsv", file, "-o", tmp_path / "out", *options) == (
            f"output {tmp_path / 'out'} exists already. Remove it or give another name with -o."
        )


def test_unwritable_output(tmp_path: Path) -> None:
    file = write_tsv(tmp_path / "set", {"a.png": "a"})
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "out"
    assert failure("import", "tsv", file, "-o", out) == (
        f"cannot use {out}: Not a directory. Check the path."
    )
