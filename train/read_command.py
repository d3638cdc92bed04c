"""The command ``read``; nothing heavy is imported until it runs."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curation.core import options

if TYPE_CHECKING:
    from train.models import Reading
    from train.picture_files import Pictures
    from train.reading import Answer, Reader

ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="Leave out words read with less confidence than this, and count them.",
)
@click.option("--strict", is_flag=True, help="End with exit status 1 if any image could not be read.")
@click.option("--batch", type=click.IntRange(min=1), default=64, help="Words in the network at once.")
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    show_default="one a core",
    help="Threads of the network, and as many to decode images.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    help="Where the network runs; auto takes a CUDA device if there is one.",
)
@options.as_json
def read(
    run: Path,
    images: tuple[str, ...],
    min_confidence: float,
    strict: bool,
    batch: int,
    threads: int | None,
    device: str,
    as_json: bool,
) -> None:
    """Read the words on IMAGEs with the trained recognizer in the folder RUN.

    An IMAGE is a picture of one word, a folder with pictures in it or in folders below, a dataset, or - for
    paths on standard input, one a line. Pictures are stretched to the recognizer's size; none is turned.

    Prints path, text and confidence (0-1) with tabs between them, or with --json an object a line. A
    picture that cannot be read is named on standard error with the reason, and the rest is read all the
    same; the exit status is 1 if there was none that could be read, or any that could not under --strict.
    """
    import torch

    from train.picture_files import Pictures, refuse_none
    from train.reading import Reader

    if threads is not None:
        torch.set_num_threads(threads)
    pictures = Pictures(images, sys.stdin.buffer)
    reader = Reader.open(run, device=device, batch=batch, threads=threads)
    begun, tally = time.perf_counter(), Counter[str]()
    for name, answer in _answers(reader, pictures):
        tally[_tell(name, answer, min_confidence, as_json)] += 1
    if not tally:
        raise refuse_none(images, pictures.passed_over)
    _sum_up(tally, pictures.passed_over, min_confidence, time.perf_counter() - begun)
    if tally["broken"] and (strict or tally["broken"] == tally.total()):
        click.get_current_context().exit(1)


def _answers(reader: Reader, pictures: Pictures) -> Iterator[tuple[str, Answer]]:
    """Read the pictures, each with its name, and show progress where results go elsewhere."""
    from curation.core.pool import progress

    names: deque[str] = deque()
    quiet = sys.stdout.isatty()  # results show how far it is

    def unnamed() -> Iterator[Path | bytes]:
        for name, picture in pictures:
            names.append(name)
            yield picture

    with nullcontext() if quiet else progress(None, "word", "read") as bar:
        for answer in reader.read_stream(unnamed()):
            yield names.popleft(), answer
            if bar is not None:
                bar.update(1)


def _tell(name: str, answer: Answer, min_confidence: float, as_json: bool) -> str:
    """Print one answer; return what to count it as."""
    from tqdm import tqdm

    if answer.reading is None:
        with tqdm.external_write_mode(file=sys.stderr):  # not into the progress bar
            click.echo(_encoded(f"{name.translate(ESCAPES)}: {answer.problem}"), err=True)
        return "broken"
    if answer.reading.confidence < min_confidence:
        return "unsure"
    click.echo(_encoded(_line(name, answer.reading, as_json)))
    return "read"


def _line(name: str, reading: Reading, as_json: bool) -> str:
    confidence = round(reading.confidence, 4)
    if as_json:
        fields: dict[str, Any] = {"path": name, "text": reading.text, "confidence": confidence}
        return json.dumps(fields, ensure_ascii=False)
    return f"{name.translate(ESCAPES)}\t{reading.text}\t{confidence:.4f}"


def _encoded(line: str) -> bytes:
    """Names of files are bytes, which need not be UTF-8; they are printed as they are."""
    return line.encode("utf-8", "surrogateescape")


def _sum_up(tally: Counter[str], passed_over: int, min_confidence: float, seconds: float) -> None:
    parts = [f"read {tally['read'] + tally['unsure']:,} of {tally.total():,} images in {seconds:.1f} s"]
    if tally["unsure"]:
        parts.append(f"{tally['unsure']:,} below a confidence of {min_confidence:g} left out")
    if tally["broken"]:
        parts.append(f"{tally['broken']:,} could not be read")
    if passed_over:
        parts.append(f"{passed_over:,} other files passed over")
    click.echo("; ".join(parts), err=True)
