"""Words a second in reading: picture files to text through ``Reader``, against the network alone.

Both run the same ``conv_ctc`` with the same batch, threads and precision, in turns, so that whatever else the
machine does falls on both. The reader opens, decodes and scales PNG files of rendered words and yields
answers; the network reads one batch of ready floats over and over.

The last line is ``ratio <number>``, reader / network in words for each second of processor time: what is left
of the bare network's speed. With more threads than one, decoding runs beside the network, and the share of
wall time is better than that.

Command: python benchmarks/reading.py
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from curation.core.images import encode_png
from curation.core.labels import CHARSET_36
from synthgen.render import load
from synthgen.rows import draw
from train.models.base import half_precision, to_channels_last
from train.reading import BATCH, Reader
from train.recipe import TrainRecipe
from train.run_folder import Run, TrainedOn

NOTHING = TrainedOn(images=np.empty(0, np.uint64), uids=np.empty(0, np.uint64))


def main() -> None:
    """Time both and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=int, default=512)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7, help="turns of each, after one to warm up")
    parser.add_argument("--precision", default="bf16", choices=["bf16", "float32"])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        files = write_words(Path(folder), options.words)
        run = fresh_run(options.precision)
        loops = {"reader": reading(run, files, options.threads), "network": network(run, len(files))}
        walls: dict[str, list[float]] = {name: [] for name in loops}
        cpus: dict[str, list[float]] = {name: [] for name in loops}
        for turn in range(options.rounds + 1):
            for name, read in loops.items():
                wall, cpu = time.perf_counter(), time.process_time()
                read()
                if turn:
                    walls[name].append(time.perf_counter() - wall)
                    cpus[name].append(time.process_time() - cpu)
    print(f"{options.threads} threads, {options.precision}, median of {options.rounds} turns")
    for name in loops:
        wall, cpu = len(files) / np.median(walls[name]), len(files) / np.median(cpus[name])
        print(f"{name:7}  {wall:7,.0f} words/s, {cpu:7,.0f} a second of processor time")
    print(f"ratio {np.median(np.array(cpus['network']) / np.array(cpus['reader'])):.3f}")


def write_words(folder: Path, n: int) -> list[Path]:
    """Draw words of the recipe ``mjst_plus`` as PNG files."""
    engine = load("mjst_plus").engine
    files = []
    for i in range(n):
        word, _, _ = draw(engine, 0, i)
        if word is not None:
            files.append(folder / f"{i}.png")
            files[-1].write_bytes(encode_png(word.image))
    return files


def fresh_run(precision: str) -> Run:
    """A run as it is right after its weights were drawn: how fast it reads is no matter of training."""
    torch.manual_seed(0)
    model = TrainRecipe().model
    recognizer = model.build(CHARSET_36).eval()
    to_channels_last(recognizer)
    return Run(
        path=Path("fresh"),
        record={"recipe": {"precision": precision}},
        recognizer=recognizer,
        image_size=model.image_size,
        trained_on=NOTHING,
    )


def reading(run: Run, files: list[Path], threads: int) -> Callable[[], object]:
    """Read all files."""
    reader = Reader(run, threads=threads)
    return lambda: sum(answer.reading is not None for answer in reader.read_stream(files))


def network(run: Run, n: int) -> Callable[[], object]:
    """Read as many words of one ready batch."""
    images = torch.randn(BATCH, 3, *run.image_size).to(memory_format=torch.channels_last)

    def read() -> None:
        for start in range(0, n, BATCH):
            with (
                torch.inference_mode(),
                half_precision(torch.device("cpu"), run.record["recipe"]["precision"]),
            ):
                run.recognizer.decode(images[: n - start])

    return read


if __name__ == "__main__":
    main()
