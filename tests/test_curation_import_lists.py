"""General label files: TSV, CSV, lines of JSON, MMOCR and PaddleOCR, in any encoding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from published_sets import failure, picture, run, write_png

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.images import encode_jpeg
from curation.importers import importers
from curation.importers.encodings import looks_like
from curation.importers.json_stream import json_list


def rows(out: Path, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in Dataset.open(out).table(columns).to_pylist()]


def words(kind: str, file: Path, **options: Any) -> list[tuple[str, str]]:
    return [(word.id, word.label) for word in importers.get(kind)(**options).words(file, "train")]


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def refused(kind: str, file: Path, *options: object) -> str:
    out = file.parent / "out"
    text = failure("import", kind, file, "-o", out, *options)
    assert not out.exists()
    return text


def test_lines_with_a_space_or_a_comma(tmp_path: Path) -> None:
    file = write(tmp_path / "gt.txt", "a.png two words\nb.png 日本, 語\n")
    assert words("tsv", file, separator="space") == [("a.png", "two words"), ("b.png", "日本, 語")]
    file = write(tmp_path / "gt.txt", "a b.png,one, two\n")
    assert words("tsv", file, separator="comma") == [("a b.png", "one, two")]


@pytest.mark.parametrize(
    ("line", "options", "message"),
    [
        ("img/a.png   one", "tab", "has no TAB between path and label, but a space"),
        ("a.png,one", "tab", "has no TAB between path and label, but a comma"),
        ("a.png\tone", "space", "has no space between path and label, but a TAB"),
        ("a.png", "tab", "has no TAB between path and label"),
    ],
)
def test_odd_separators_are_named(line: str, options: str, message: str, tmp_path: Path) -> None:
    file = write(tmp_path / "gt.txt", f"{line}\n")
    named = {"space": "space", "comma": "comma", "TAB": "tab"}.get(message.rpartition("but a ")[2])
    mend = f"Give --option separator={named}, or mend the file." if named else "Mend the file."
    assert refused("tsv", file, "--option", f"separator={options}") == (
        f"{file}, line 1 {message}: {line!r}. {mend}"
    )


def test_csv(tmp_path: Path) -> None:
    text = '\ufeffid,File_Name,text\r\n1,a.png,"a, ""b"""\r\n\r\n2,b.png,"two\r\n\r\nlines"\r\n'
    file = write(tmp_path / "labels.csv", text)
    assert words("csv", file) == [("a.png", 'a, "b"'), ("b.png", "two\n\nlines")]
    file = write(tmp_path / "labels.csv", "path;label;text\na.png;x;y\n")
    assert words("csv", file, delimiter=";", label="text") == [("a.png", "y")]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")), min_size=1))
def test_csv_labels_are_read_back(labels: list[str]) -> None:
    import csv
    import io
    import tempfile

    text = io.StringIO()
    csv.writer(text).writerows([["path", "label"], *([f"{i}.png", label] for i, label in enumerate(labels))])
    with tempfile.TemporaryDirectory() as folder:
        file = write(Path(folder) / "labels.csv", text.getvalue())
        assert words("csv", file) == [(f"{i}.png", label) for i, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            "path;label\na.png;x\n",
            {},
            "the header of {} has no ',', but ';': 'path;label'. Give --option 'delimiter=;'.",
        ),
        (
            "path,label,text\na.png,x,y\n",
            {},
            "the header of {}: 'label', 'text' may be the label. Say which with --option label=NAME.",
        ),
        (
            "a.png,one\n",
            {},
            "the header of {}: none of 'a.png', 'one' is known to be the path. "
            "Say which with --option path=NAME.",
        ),
        (
            "path,label\na.png,x\n",
            {"label": "word"},
            "the header of {} has no 'word', only 'path', 'label'. Mend --option label.",
        ),
        ("path,label\na.png\n", {}, "{}, line 2 has 1 columns, but the header has 2. Mend the file."),
        (
            'path,label\na.png,"x"y\n',
            {},
            "{}, line 2 is not CSV: ',' expected after '\"'. Mend the file.",
        ),
        ('path,label\na.png,"x\n', {}, "{}, line 2 is not CSV: unexpected end of data. Mend the file."),
    ],
)
def test_csv_files_that_do_not_fit(text: str, options: dict[str, str], message: str, tmp_path: Path) -> None:
    file = write(tmp_path / "labels.csv", text)
    given = [part for name, value in options.items() for part in ("--option", f"{name}={value}")]
    assert refused("csv", file, *given) == message.format(file)


def test_json_lines(tmp_path: Path) -> None:
    lines = ['{"filename": "a.png", "text": "日\\u672c"}', "", '{"text": "", "filename": "b"}']
    file = write(tmp_path / "l.jsonl", "\n".join(lines))
    assert words("jsonl", file) == [("a.png", "日本"), ("b", "")]
    file = write(tmp_path / "l.jsonl", '{"file": "a.png", "gt": "x", "text": "y"}\n')
    assert words("jsonl", file, label="gt") == [("a.png", "x")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"filename": "a', "is not JSON: Unterminated string starting at: line 1 column 14 (char 13)"),
        ('["a.png", "x"]', 'is not a JSON object: \'["a.png", "x"]\''),
        ('{"filename": "a.png", "text": 7}', "'text' is 7, not a text"),
        ('{"filename": "a.png", "label": "x"}', "has no 'text'"),
    ],
)
def test_json_lines_that_do_not_fit(line: str, message: str, tmp_path: Path) -> None:
    file = write(tmp_path / "l.jsonl", f'{{"filename": "0.png", "text": "zero"}}\n{line}\n')
    assert refused("jsonl", file) == f"{file}, line 2 {message}. Mend the file."


def test_mmocr(tmp_path: Path) -> None:
    items = [{"img_path": f"imgs/{i}.png", "instances": [{"text": f"w\u00e9{i}"}]} for i in range(3)]
    file = write(tmp_path / "t.json", json.dumps({"metainfo": {"x": []}, "data_list": items}))
    for i in range(3):
        write_png(tmp_path / "imgs" / f"{i}.png")
    run("import", "mmocr", file, "-o", tmp_path / "out", "--name", "m")
    assert rows(tmp_path / "out", "uid", "label") == [(f"m:imgs/{i}.png", f"w\u00e9{i}") for i in range(3)]
    file = write(tmp_path / "t.json", json.dumps({"data_list": [{"img_path": "a", "instances": []}]}))
    (tmp_path / "out").rename(tmp_path / "done")
    assert refused("mmocr", file) == (
        f'{file}, item 1 is not like {{"img_path": ..., "instances": [{{"text": ...}}]}}: '
        "\"{'img_path': 'a', 'instances': []}\". Mend the file."
    )


def test_json_lists_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [{"a": [i, {"b": "]}," * 5}]} for i in range(50)] + [1, 22, "x", None]
    file = write(tmp_path / "l.json", json.dumps({"n": 1, "list": items, "z": 2}))
    for size in (1, 7, 64, 10_000):
        monkeypatch.setattr("curation.importers.json_stream.PIECE", size)
        assert list(json_list(file, "list")) == items


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"data_list": [{"img_path": "a", "ins', "{}, item 1 of 'data_list' is not JSON: "),
        ('{"data_list": [{}, ', "{} is cut short after item 1 of 'data_list'. Unpack or copy it again."),
        ('{"data": []}', "{} has no list 'data_list'. Give the publisher's own file."),
    ],
)
def test_json_lists_that_are_damaged(text: str, message: str, tmp_path: Path) -> None:
    file = write(tmp_path / "l.json", text)
    if message.endswith("JSON: "):
        message += "Unterminated string starting at. Unpack or copy it again."
    with pytest.raises(UserError) as caught:
        list(json_list(file, "data_list"))
    assert str(caught.value) == message.format(file)


def test_paddle_lists_of_paths_share_a_label(tmp_path: Path) -> None:
    file = write(tmp_path / "rec.txt", 'a.png\tone\n["b.png", "c d.png"]\ttwo\n[e].png\t[x]\n')
    assert words("paddle", file) == [
        ("a.png", "one"),
        ("b.png", "two"),
        ("c d.png", "two"),
        ("[e].png", "[x]"),
    ]


def test_paddle_photos_with_outlined_words(tmp_path: Path) -> None:
    regions = [
        {"transcription": "SALE", "points": [[10, 5], [40, 5], [40, 25], [10, 25]]},
        {"transcription": "###", "points": [[0, 0], [9, 0], [9, 9], [0, 9]]},
        {"transcription": "flat", "points": [[0, 0], [9, 0], [5, 0]]},
    ]
    (tmp_path / "p.jpg").write_bytes(encode_jpeg(picture("p", (120, 80))))
    file = write(tmp_path / "det.txt", f"p.jpg\t{json.dumps(regions)}\nempty.jpg\t[]\n")
    run("import", "paddle", file, "-o", tmp_path / "out", "--name", "d", "--max-dropped", "0.5")
    assert rows(tmp_path / "out", "uid", "label", "width", "height", "origin_image", "origin_box") == [
        ("d:p.jpg/1", "SALE", 30, 20, "p.jpg", [10, 5, 30, 20])
    ]
    assert Dataset.open(tmp_path / "out").manifest["rejected_by_reason"] == {
        "degenerate_outline": 1,
        "illegible": 1,
    }


ENCODED = {
    "cp1252": "naïve café Müller straße",
    "gb18030": "中华人民共和国 图书馆 有限公司 电话 地址",
    "shift_jis": "日本語の看板です 東京タワー 営業中",
    "euc_kr": "대한민국 서울 약국 노래방",
    "big5": "中華民國 臺北市 電話 餐廳 書店 銀行",
    "cp1251": "Москва Аптека Продукты улица",
    "utf-16": "plain wörds",
    "utf-16-le": "plain words",
}


@pytest.mark.parametrize("encoding", list(ENCODED))
def test_an_encoding_is_guessed_named_and_read(encoding: str, tmp_path: Path) -> None:
    labels = ENCODED[encoding].split()
    text = "".join(f"{i}.png\t{label}\n" for i, label in enumerate(labels))
    file = write(tmp_path / "gt.txt", text, encoding)
    assert looks_like(file) == encoding
    if encoding != "utf-16-le":  # which is UTF-8 as well, with odd characters
        assert refused("tsv", file).endswith(
            f"; it looks like {encoding}. Give --encoding {encoding}, or convert the file to UTF-8."
        )
    assert words("tsv", file, encoding=encoding) == [(f"{i}.png", label) for i, label in enumerate(labels)]


def test_encodings_that_do_not_fit(tmp_path: Path) -> None:
    file = write(tmp_path / "gt.txt", "a.png\tna\u00efve\n", "cp1252")
    assert refused("tsv", file, "--encoding", "shift_jis") == (
        f"{file}, line 1 is not SHIFT_JIS (byte 0xef at column 9); it looks like cp1252. "
        "Give --encoding cp1252, or convert the file to UTF-8."
    )
    assert refused("tsv", file, "--encoding", "utf8x") == (
        "there is no encoding 'utf8x'. Give one that Python knows: cp1252, gb18030, shift_jis, ..."
    )
    assert refused("tsv", file, "--encoding", "utf-16") == (
        f"{file} is not UTF-16 somewhere after line 0 (UTF-16 stream does not start with BOM). "
        "Give another --encoding."
    )


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "b.png")
    (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
    write_png(tmp_path / "c.png")
    file = write(tmp_path / "gt.txt", f"a.png\tone\nc.png\tthree\n{'x' * 300}.png\tlong\n")
    run("import", "tsv", file, "-o", tmp_path / "out", "--max-dropped", "0.7")
    assert Dataset.open(tmp_path / "out").manifest["rejected_by_reason"] == {"missing_image": 2}
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    assert failure("import", "tsv", tmp_path / "loop.txt", "-o", tmp_path / "b") == (
        f"label file {tmp_path / 'loop.txt'} is a symbolic link that leads nowhere or in a circle. "
        "Give the file of lines: path, TAB, label."
    )
