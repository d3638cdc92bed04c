"""What a user reads when photos' annotations cannot be read, compared whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from published_icdar import line, quad, write_lines
from published_sets import failure

from curation.importers import importers

BOX = quad(10, 5, 40, 25)


def error(kind: str, src: Path, *options: object) -> str:
    text = failure("import", kind, src, "-o", src.parent / "out", *options)
    assert not (src.parent / "out").exists()
    return text


WHOLE = "Give the folder of {} as its publisher packs it."


def test_folder_of_something_else(tmp_path: Path) -> None:
    src = tmp_path / "src"
    title = importers.get("icdar2015_scenes").title
    whole = WHOLE.format(title)
    assert error("icdar2015_scenes", src) == f"folder {src} does not exist. {whole}"
    src.mkdir()
    assert error("icdar2015_scenes", src) == (
        f"{src} holds no gt_img_1.txt "
        f"(looked in: ch4_training_localization_transcription_gt, train, itself). {whole}"
    )


@pytest.mark.parametrize(
    ("kind", "name", "content", "message"),
    [
        (
            "icdar2015_scenes",
            "gt_img_1.txt",
            "1,2,3,4,5,6,7,8,ok\n1,2,3,4,5,6,7,ok",
            "{}, line 2 is not like x1,y1,...,x4,y4,text: '1,2,3,4,5,6,7,ok'. Give the publisher's own file.",
        ),
        (
            "icdar2013_scenes",
            "gt_100.txt",
            '1;2;3;4;"ok"',
            '{}, line 1 is not like 158 128 411 181 "text": \'1;2;3;4;"ok"\'. '
            "Give the publisher's own file.",
        ),
        (
            "mlt19_scenes",
            "tr_img_00001.txt",
            "1,2,3,4,5,6,7,Latin,ok",
            "{}, line 1 is not like x1,y1,...,x4,y4,script,text: '1,2,3,4,5,6,7,Latin,ok'. "
            "Give the publisher's own file.",
        ),
        (
            "rctw17",
            "image_0.txt",
            '1,2,3,4,5,6,7,eight,0,"ok"',
            '{}, line 1 is not like x1,y1,...,x4,y4,difficult,"text": \'1,2,3,4,5,6,7,eight,0,"ok"\'. '
            "Give the publisher's own file.",
        ),
        (
            "rects",
            "gt/train_ReCTS_000001.json",
            '{"lines": [{"transcription": "a", "points": "1 2 3 4", "ignore": 0}]}',
            "{}, lines 1 has points '1 2 3 4', not a list. Give the publisher's own file.",
        ),
        (
            "rects",
            "gt/train_ReCTS_000001.json",
            '{"chars": []}',
            "{} has no 'lines': {{'chars': []}}. Give the publisher's own file.",
        ),
        (
            "ctw1500",
            "0001.xml",
            "<Annotations><image><box><label>a</label><segs>1,2</segs></box></image></Annotations>",
            "{}, box 1 has no segs of 28 numbers: got '1,2'. Give the publisher's own file.",
        ),
        (
            "totaltext",
            "poly_gt_img1.txt",
            "x: [[1 2]], y: [[1 2]], transcriptions: [u'a']",
            "{}, line 1 is not like x: [[1 2 3]], y: [[1 2 3]], ornt: [u'h'], transcriptions: [u'text']: "
            "\"x: [[1 2]], y: [[1 2]], transcriptions: [u'a']\". Give the publisher's own file.",
        ),
        (
            "totaltext",
            "poly_gt_img1.txt",
            "x: [[1 2 3]], y: [[1 2 3]], ornt: [u'h'], transcriptions: [exit()]",
            "{}, line 1 is not like x: [[1 2 3]], y: [[1 2 3]], ornt: [u'h'], transcriptions: [u'text']: "
            "\"x: [[1 2 3]], y: [[1 2 3]], ornt: [u'h'], transcriptions: [e\". "
            "Give the publisher's own file.",
        ),
        (
            "totaltext",
            "poly_gt_img1.mat",
            "no Matlab file",
            "{} cannot be read as a Matlab file. Unpack the publisher's archive again.",
        ),
        (
            "icdar2003_scenes",
            "words.xml",
            "<tagset><image><imageName>/etc/1.jpg</imageName></image></tagset>",
            "{}, image 1 names the image '/etc/1.jpg', which is not inside {folder}. "
            "Make the paths in that file relative to that folder.",
        ),
        (
            "icdar2003_scenes",
            "words.xml",
            "<tagset><image><imageName>1.jpg</imageName><taggedRectangles><taggedRectangle x='1' y='2'/>"
            "</taggedRectangles></image></tagset>",
            "{}, image 1, rectangle 1 has no box: got {{'x': '1', 'y': '2', 'width': '', 'height': ''}}. "
            "Give the publisher's own file.",
        ),
        (
            "lsvt",
            "train_full_labels.json",
            '{"../gt_0": []}',
            "{}, ../gt_0 names the image '../gt_0.jpg', which is not inside {folder}/train_full_images_0. "
            "Make the paths in that file relative to that folder.",
        ),
        (
            "art_scenes",
            "train_labels.json",
            '{"gt_0": [{"transcription": "a", "points": [["1", 2]]}]}',
            "{}, gt_0, word 1, points is [['1', 2]], not a list of numbers. Give the publisher's own file.",
        ),
    ],
)
def test_annotations_of_another_kind(
    kind: str, name: str, content: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "src" / name
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert error(kind, tmp_path / "src") == message.format(path, folder=tmp_path / "src")


def test_annotations_of_photos_in_another_encoding(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "src" / "image_0.txt", [line(BOX, '0,"金氏"')], encoding="gb18030")
    assert error("rctw17", tmp_path / "src") == (
        f"{path}, line 1 is not UTF-8 (byte 0xbd at column 26); it looks like gb18030. "
        "Convert the file to UTF-8, for example with iconv."
    )
