"""Small sets in their publishers' formats, written by the tests that import them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import click.testing
import lmdb
import numpy as np
from scipy.io import savemat

from curation.core.images import encode_jpeg, encode_png
from curation.core.rng import stream
from glyphmix import main

Labels = Mapping[str, str]  # picture's path -> label


def picture(key: str, size: tuple[int, int] = (40, 16)) -> np.ndarray:
    """A picture of noise, (H, W, 3) uint8, different for every key."""
    return stream(0, key).integers(0, 256, (size[1], size[0], 3), np.uint8)


def write_png(path: Path, size: tuple[int, int] = (40, 16)) -> bytes:
    data = encode_png(picture(path.name, size))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return data


def write_iiit5k(src: Path, labels: Labels, split: str = "train", kind: str = "CharBound") -> Path:
    """As ``trainCharBound.mat`` or, with ``kind`` "data", ``traindata.mat``; pictures included."""
    rows = []
    for name, label in labels.items():
        write_png(src / name)
        if kind == "CharBound":
            rows.append((name, label, np.ones((len(label), 4), np.float32)))
        else:
            rows.append((name, label, np.array(["a", "b"], object), np.array(["c"], object)))
    fields = ["chars", "charBB"] if kind == "CharBound" else ["GroundTruth", "smallLexi", "mediumLexi"]
    table = np.empty((1, len(rows)), [("ImgName", object), *((field, object) for field in fields)])
    for i, row in enumerate(rows):
        table[0, i] = row
    savemat(src / f"{split}{kind}.mat", {f"{split}{kind}": table})
    return src


def write_icdar2015(src: Path, labels: Labels, split: str = "train") -> Path:
    """``gt.txt`` with a byte order mark, quotes escaped by a backslash."""
    lines = []
    for name, label in labels.items():
        write_png(src / split / name)
        lines.append(f'{name}, "{label}"'.replace(label, label.replace('"', '\\"')) + "\r\n")
    (src / split / "gt.txt").write_text("".join(lines), encoding="utf-8-sig", newline="")
    return src


Box = tuple[float, float, float, float]


def write_svt(
    src: Path, photos: Mapping[str, Sequence[tuple[str, Box]]], size: tuple[int, int] = (120, 80)
) -> Path:
    """``train.xml`` and JPEG photos of noise; each photo has words with a box (x, y, width, height)."""
    xml = ['<?xml version="1.0" encoding="utf-8"?>', "<tagset>"]
    for name, words in photos.items():
        (src / name).parent.mkdir(parents=True, exist_ok=True)
        (src / name).write_bytes(encode_jpeg(picture(name, size), 95))
        xml += [f"  <image>\n    <imageName>{name}</imageName>\n    <lex>A,B</lex>", "    <taggedRectangles>"]
        for label, box in words:
            values = zip(("x", "y", "width", "height"), box, strict=True)
            attributes = " ".join(f"{key}={quoteattr(f'{value:g}')}" for key, value in values)
            xml.append(f"      <taggedRectangle {attributes}>\n        <tag>{escape(label)}</tag>")
            xml.append("      </taggedRectangle>")
        xml.append("    </taggedRectangles>\n  </image>")
    (src / "train.xml").write_text("\n".join([*xml, "</tagset>\n"]), encoding="utf-8")
    return src


def write_tsv(src: Path, labels: Labels) -> Path:
    """``labels.tsv`` beside its pictures; returns the file."""
    for name in labels:
        write_png(src / name)
    src.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{name}\t{label}\n" for name, label in labels.items())
    (src / "labels.tsv").write_text(text, encoding="utf-8", newline="")
    return src / "labels.tsv"


def write_lmdb(src: Path, words: Sequence[tuple[bytes | None, str | bytes | None]]) -> Path:
    """As DTRB's create_lmdb_dataset.py: interleaved keys from 1; None leaves a key out."""
    src.mkdir(parents=True, exist_ok=True)
    with lmdb.open(str(src), map_size=1 << 26) as env, env.begin(write=True) as txn:
        for number, (image, label) in enumerate(words, 1):
            if image is not None:
                txn.put(b"image-%09d" % number, image)
            if label is not None:
                txn.put(b"label-%09d" % number, label.encode() if isinstance(label, str) else label)
        txn.put(b"num-samples", str(len(words)).encode())
    return src


def run(*args: object, status: int = 0) -> click.testing.Result:
    """Run ``glyphmix ARGS`` and check its exit status."""
    result = click.testing.CliRunner().invoke(main, [str(arg) for arg in args])
    assert result.exit_code == status, result.output
    return result


def failure(*args: object) -> str:
    """The error that ``glyphmix ARGS`` ends with."""
    result = run(*args, status=1)
    assert result.stdout == ""
    return result.stderr.removeprefix("Error: ").removesuffix("\n")


def numbers(*args: object) -> dict[str, Any]:
    """What ``glyphmix ARGS --json`` prints."""
    return json.loads(run(*args, "--json").stdout)


def content(folder: Path) -> dict[str, bytes]:
    """All files below ``folder``, by their relative paths."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
