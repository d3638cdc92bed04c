"""Words a second in training: ours, with everything that belongs to it, against a plain torch loop.

Both train the same ``conv_ctc`` with the same batch, threads, precision and fused AdamW, in turns of a few
steps, so that whatever else the machine does falls on both. Ours draws its words from a packed mixture,
augments, clips, guides CTC and checks the loss; the plain loop feeds one batch of ready floats over and over.
Neither writes a log or checkpoints.

With ``--processes 2`` two of these run at once, each on its share of the threads, and their words are added
up: what two processes that exchange gradients could reach at most.

The last line is ``ratio <number>``, ours / plain: what is left of a bare loop's speed.

Command: python benchmarks/train_throughput.py
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from curation.core import shards
from curation.core.images import encode_png
from curation.core.labels import CHARSET_36, protocol
from curation.core.rng import stream
from curation.core.sample import Sample
from curation.mixing import MixRecipe, MixSource, mix
from curation.mixture import Mixture
from train.data.batches import Words
from train.recipe import TrainRecipe
from train.training import Training

CPU = torch.device("cpu")
START: Barrier  # set in each process
Seconds = dict[str, list[float]]


def main() -> None:
    """Time both and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of all processes")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=10, help="turns of each, after one to warm up")
    parser.add_argument("--steps", type=int, default=4, help="steps in a turn")
    options = parser.parse_args()
    n = options.processes
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(n)
    with context.Pool(n, initializer=wait_for, initargs=(barrier,)) as pool:
        found = pool.map(measure, [options] * n, chunksize=1)
        pool.close()
        pool.join()
    words = options.batch * options.steps
    shared = f"{n} processes of {options.threads // n} threads" if n > 1 else f"{options.threads} threads"
    print(f"{shared}, batches of {options.batch}, median of {options.rounds} turns")
    for name in ("ours", "plain"):
        speed = sum(words / np.median(walls[name]) for walls, _ in found)
        cpu = 1e3 * np.median([cpus[name] for _, cpus in found]) / words
        print(f"{name:5}  {speed:7,.0f} words/s, {cpu:.2f} ms of processor a word")
    ratios = [np.median(np.array(walls["plain"]) / np.array(walls["ours"])) for walls, _ in found]
    print(f"ratio {np.mean(ratios):.3f}")


def wait_for(barrier: Barrier) -> None:
    """Keep what the processes meet at before they begin."""
    global START
    START = barrier


def measure(options: argparse.Namespace) -> tuple[Seconds, Seconds]:
    """Seconds that each turn took, and of processor, for both loops."""
    torch.set_num_threads(max(1, options.threads // options.processes))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GLYPHMIX_CACHE"] = f"{folder}/cache"
        loops = {"ours": our_loop(Path(folder), options.batch), "plain": plain_loop(options.batch)}
        walls: Seconds = {name: [] for name in loops}
        cpus: Seconds = {name: [] for name in loops}
        START.wait()
        for turn in range(options.rounds + 1):
            for name, step in loops.items():
                wall, cpu = time.perf_counter(), time.process_time()
                for _ in range(options.steps):
                    step()
                if turn:
                    walls[name].append(time.perf_counter() - wall)
                    cpus[name].append(time.process_time() - cpu)
    return walls, cpus


def our_loop(folder: Path, batch: int) -> Callable[[], object]:
    """A step as ``glyphmix train`` takes it, on words drawn for the occasion."""
    rng = stream(0, "benchmark")
    words = ["".join(rng.choice(list(CHARSET_36), rng.integers(3, 9))) for _ in range(2_000)]
    shards.start(folder / "words", {"recipe": "benchmark"})
    shards.write_shard(folder / "words", 0, (draw(i, word) for i, word in enumerate(words)))
    shards.finish(folder / "words")
    source = MixSource(name="words", paths=(folder / "words",))
    mix(MixRecipe(sources=(source,)), folder / "mixture")
    training = Training(TrainRecipe(batch=batch, device="cpu"), 0, CHARSET_36, CPU)
    data = Words(Mixture.open(folder / "mixture"), training.network, protocol("parseq36"), (32, 128))
    return lambda: training.advance(*data.batch(training.step * batch, (training.step + 1) * batch)).tolist()


def plain_loop(batch: int) -> Callable[[], object]:
    """A step of the same network with nothing around it."""
    torch.manual_seed(0)
    network = TrainRecipe().model.build(CHARSET_36).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
    images = torch.randn(batch, 3, 32, 128).to(memory_format=torch.channels_last)
    lengths = torch.randint(3, 9, (batch,))
    targets = torch.randint(1, 37, (batch, 8))
    steps = torch.full((batch,), network.n_steps)

    def step() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = network(images)
        log_probs = logits.float().log_softmax(-1).transpose(0, 1)
        loss = F.ctc_loss(log_probs, targets, steps, lengths, zero_infinity=True)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def draw(number: int, word: str) -> Sample:
    """A word in OpenCV's own strokes."""
    image = np.full((32, 19 * len(word) + 10, 3), 230, np.uint8)
    cv2.putText(image, word, (4, 25), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (20, 20, 60), 2)
    size = image.shape[1], image.shape[0]
    return Sample(uid=f"words:{number}", image=encode_png(image), label=word, size=size, source="words")


if __name__ == "__main__":
    main()
