"""Read pictures of single words with a program that is not ours; used by legibility.py.

    python read_words.py rapidocr < paths.txt > readings.jsonl

Takes one path a line and answers with one line of JSON each: ``{"text": ..., "confidence": ...}``. It knows
nothing of the labels. Every picture is shown in several ways, and the reading of highest confidence is
taken. Needs nothing of ours, so that the reader can live in an environment of its own.

Readers:
    rapidocr: the recognizer of PP-OCRv4 (Apache-2.0), in the wheel rapidocr-onnxruntime. Its 6,623
        characters are limited to printable ASCII before decoding. Shown as it is, inverted, each with and
        without a wider border, and turned 6 degrees either way.
    tesseract: page segmentation 7, 8 and 13, dark on light and light on dark.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

TURNS_DEG = (-6.0, 6.0)
SEGMENTATIONS = (7, 8, 13)
Reading = tuple[float, str]


def main() -> None:
    """Read what stdin lists with the reader that is named."""
    cv2.setNumThreads(1)
    paths = sys.stdin.read().splitlines()
    for confidence, text in {"rapidocr": rapidocr, "tesseract": tesseract}[sys.argv[1]](paths):
        print(json.dumps({"text": text, "confidence": round(confidence, 4)}), flush=True)


def rapidocr(paths: list[str]) -> Iterator[Reading]:
    """Readings of PP-OCRv4, greedy, among printable ASCII."""
    import onnxruntime
    import rapidocr_onnxruntime

    models = Path(rapidocr_onnxruntime.__file__).parent / "models"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(models / "ch_PP-OCRv4_rec_infer.onnx"), options, providers=["CPUExecutionProvider"]
    )
    characters = session.get_modelmeta().custom_metadata_map["character"].splitlines()
    alphabet = ["", *characters, " "]  # the first is CTC's blank, the last one is not listed
    allowed = [i for i, character in enumerate(alphabet) if not character or " " <= character <= "~"]
    for path in paths:
        image = cv2.imread(path)
        batch = np.stack(same_width([as_input(view) for view in views(image)]))
        scores = session.run(None, {session.get_inputs()[0].name: batch})[0][:, :, allowed]
        yield max(decode(one, [alphabet[i] for i in allowed]) for one in scores)


def views(image: Any) -> Iterator[Any]:
    """The ways a picture is shown, each (H, W, 3) uint8."""
    wide = max(4, image.shape[0] // 6)
    bordered = cv2.copyMakeBorder(image, *(wide,) * 4, cv2.BORDER_REPLICATE)
    yield from (image, cv2.bitwise_not(image), bordered, cv2.bitwise_not(bordered))
    height, width = bordered.shape[:2]
    for turn in TURNS_DEG:
        turned = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0)
        yield cv2.warpAffine(bordered, turned, (width, height), borderMode=cv2.BORDER_REPLICATE)


def as_input(image: Any) -> Any:
    """A picture at 48 px of height from -1 to 1, channels first, as PP-OCR wants it."""
    width = max(8, round(image.shape[1] * 48 / image.shape[0]))
    small = cv2.resize(image, (width, 48), interpolation=cv2.INTER_CUBIC)
    return small.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1


def same_width(inputs: list[Any]) -> list[Any]:
    """All padded with grey to the widest, at least to the 320 px that PP-OCR was trained with."""
    most = max(320, *(one.shape[2] for one in inputs))
    return [np.pad(one, ((0, 0), (0, 0), (0, most - one.shape[2]))) for one in inputs]


def decode(scores: Any, alphabet: list[str]) -> Reading:
    """CTC's greedy reading and the mean probability of its characters among those allowed."""
    scores = scores / scores.sum(axis=1, keepdims=True)
    best = scores.argmax(axis=1)
    new = (best > 0) & (best != np.concatenate([[0], best[:-1]]))
    text = "".join(alphabet[i] for i in best[new])
    return (float(scores.max(axis=1)[new].mean()) if new.any() else 0.0), text


def tesseract(paths: list[str]) -> Iterator[Reading]:
    """Readings of Debian's tesseract."""
    with tempfile.TemporaryDirectory() as folder:
        shown = []
        for i, path in enumerate(paths):
            grey = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2GRAY)
            large = cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
            even = cv2.normalize(large, None, 0, 255, cv2.NORM_MINMAX)
            for polarity, picture in enumerate((even, cv2.bitwise_not(even))):
                shown.append(f"{folder}/{i}_{polarity}.png")
                cv2.imwrite(shown[-1], cv2.copyMakeBorder(picture, *(24,) * 4, cv2.BORDER_REPLICATE))
        (Path(folder) / "list.txt").write_text("\n".join(shown), encoding="utf-8")
        readings: list[list[Reading]] = [[] for _ in shown]
        for mode in SEGMENTATIONS:
            for page, reading in pages(f"{folder}/list.txt", mode):
                readings[page].append(reading)
        for i in range(len(paths)):
            yield max(readings[2 * i] + readings[2 * i + 1], default=(0.0, ""))


def pages(listed: str, mode: int) -> Iterator[tuple[int, Reading]]:
    """Each picture's number and reading; the confidence is the mean over its words."""
    command = ["tesseract", listed, "-", "--psm", str(mode), "-l", "eng", "tsv"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[int, list[Reading]] = {}
    for row in csv.DictReader(done.stdout.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["text"] and float(row["conf"]) >= 0:
            found.setdefault(int(row["page_num"]) - 1, []).append((float(row["conf"]) / 100, row["text"]))
    for page, words in found.items():
        yield page, (sum(c for c, _ in words) / len(words), " ".join(text for _, text in words))


if __name__ == "__main__":
    main()
