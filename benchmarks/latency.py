"""How long a word takes to read: torch in float32 and bfloat16 and ONNX Runtime, on one processor thread.

Each recognizer reads ready uint8 words with fresh weights, one word at a time and 64 together, in turns, so
that whatever else the machine does falls on all. Autoregressive recognizers with fresh weights read words of
full length, which is the most they take; tracing their loops for ONNX takes a minute or more, so it is done
for those that ``--onnx`` names.

The last line is ``ratio <number>``: ONNX Runtime / torch in float32, time of one word alone, of ``conv_ctc``.

Command: python benchmarks/latency.py
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from curation.core.images import Pixels
from curation.core.labels import CHARSET_36
from curation.core.rng import stream
from train.augments.base import to_float
from train.models import Recognizer, models
from train.models.base import count_parameters, half_precision, to_channels_last
from train.onnx_export import trace

CPU = torch.device("cpu")
MODELS = ["conv_ctc", "vit_ctc:tiny", "vit_ctc:small", "parseq:tiny"]
LOOPS = ("parseq", "trocr")  # read character by character
TOGETHER = 64


def main() -> None:
    """Time all and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=MODELS, metavar="KIND[:SIZE]")
    parser.add_argument("--onnx", nargs="+", metavar="KIND[:SIZE]", help="those that ONNX Runtime reads with")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each, after one to warm up")
    options = parser.parse_args()
    onnx = options.onnx or [name for name in options.models if not name.startswith(LOOPS)]
    torch.set_num_threads(1)
    print(f"one thread, processor time, median of {options.rounds} turns")
    print(
        f"{'recognizer':14}  {'parameters':>11}  {'by':14}  {'ms, 1 word':>10}  {f'words/s, {TOGETHER}':>11}"
    )
    ratio = float("nan")
    for name in options.models:
        network = build(name)
        readers = torch_readers(network) | (onnx_reader(network) if name in onnx else {})
        one, many = timed(readers, 1, options.rounds), timed(readers, TOGETHER, options.rounds)
        for by in readers:
            size = f"{count_parameters(network):11,}"
            print(
                f"{name:14}  {size}  {by:14}  {1e3 * one[by]:10.2f}  {TOGETHER / many[by]:11,.0f}", flush=True
            )
        if name == "conv_ctc" and "onnx float32" in one:
            ratio = one["onnx float32"] / one["torch float32"]
    print(f"ratio {ratio:.3f}")


def build(name: str) -> Recognizer:
    """Build the recognizer ``name``, ``kind`` or ``kind:size``, as it is when it reads."""
    kind, _, size = name.partition(":")
    torch.manual_seed(0)
    network: Recognizer = models.get(kind)(**({"size": size} if size else {})).build(CHARSET_36).eval()
    to_channels_last(network)
    return network


def torch_readers(network: Recognizer) -> dict[str, Callable[[Pixels], object]]:
    """What reads a batch with torch, in both precisions."""

    def reader(precision: str) -> Callable[[Pixels], object]:
        def read(images: Pixels) -> object:
            with torch.inference_mode(), half_precision(CPU, precision):
                return network.decode(to_float(torch.from_numpy(images)))

        return read

    return {"torch float32": reader("float32"), "torch bf16": reader("bf16")}


def onnx_reader(network: Recognizer) -> dict[str, Callable[[Pixels], object]]:
    """What reads a batch with ONNX Runtime."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        trace(network, words(2), {}).save(path)
        session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    return {"onnx float32": lambda images: session.run(None, {"images": images})}


def words(n: int) -> Pixels:
    """Noise in the place of words: how long it takes does not depend on what is there."""
    return stream(0, "latency").integers(0, 256, (n, 32, 128, 3), dtype=np.uint8)


def timed(readers: dict[str, Callable[[Pixels], object]], n: int, rounds: int) -> dict[str, float]:
    """Seconds of processor time that each takes for ``n`` words."""
    images, times = words(n), defaultdict[str, list[float]](list)
    repeats = max(1, 16 // n)
    for turn in range(rounds + 1):
        for by, read in readers.items():
            begun = time.process_time()
            for _ in range(repeats):
                read(images)
            if turn:
                times[by].append((time.process_time() - begun) / repeats)
    return {by: float(np.median(taken)) for by, taken in times.items()}


if __name__ == "__main__":
    main()
