"""Words a second that PARSeq reads: ours, which keeps keys and values, against the loop as it was published.

Both read the same images with the same fresh weights of ``--size``, to the same characters, in turns, so that
whatever else the machine does falls on both. Fresh weights end no word, so both read ``--length`` characters
and the place of the end. The loop as published embeds all characters so far at every step, and computes
their keys and values and those of the image anew; a step asks for one character, as ours does. Refinement is
left out: both would do the same. Times hold the encoder; those of the decoder alone are printed as well.

The last line is ``ratio <number>``, ours / the published loop in words for each second of processor time.

Command: python benchmarks/autoregressive.py
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from curation.core.labels import CHARSET_36
from train.models.base import half_precision
from train.models.parseq import Parseq, ParseqNet

CPU = torch.device("cpu")


def main() -> None:
    """Time both and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="tiny", choices=["tiny", "small", "base", "large", "huge"])
    parser.add_argument("--words", type=int, default=32, help="in a batch")
    parser.add_argument("--length", type=int, default=12, help="characters that are read")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each, after one to warm up")
    parser.add_argument("--precision", default="float32", choices=["bf16", "float32"])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    network = Parseq(size=options.size, refine=0, max_length=options.length).build(CHARSET_36).eval()
    network.head.bias.data[0] = -1e3
    images = torch.rand(options.words, 3, 32, 128) * 2 - 1
    with torch.inference_mode(), half_precision(CPU, options.precision):
        assert torch.equal(
            network.decode(images)[0], published(network, network.encoder.forward_features(images))
        )
        seconds = timed(network, images, options.rounds)
    print(f"{options.size}, {options.threads} threads, {options.precision}, median of {options.rounds} turns")
    for name, spent in seconds.items():
        print(f"{name:30} {options.words / np.median(spent):7,.1f} words a second of processor time")
    for name in ("decoder", "encoder and decoder"):
        ratio = np.median(np.array(seconds[f"{name}, published"]) / np.array(seconds[f"{name}, ours"]))
        print(f"{name}: {ratio:.2f} times as fast")
    print(f"ratio {ratio:.3f}")


def timed(network: ParseqNet, images: Tensor, n_rounds: int) -> dict[str, list[float]]:
    """Processor seconds of each turn of each way to read."""
    tokens = network.encoder.forward_features(images)
    ways: dict[str, Callable[[], object]] = {
        "decoder, ours": lambda: network.read_one_by_one(network.attended(tokens)),
        "decoder, published": lambda: published(network, tokens),
        "encoder and decoder, ours": lambda: network.decode(images),
        "encoder and decoder, published": lambda: published(
            network, network.encoder.forward_features(images)
        ),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(n_rounds + 1):
        for name, read in ways.items():
            began = time.process_time()
            read()
            if turn:
                seconds[name].append(time.process_time() - began)
    return seconds


def published(network: ParseqNet, tokens: Tensor) -> Tensor:
    """The classes that ``network`` reads, (B, T), as the published loop finds them.

    Source: baudm/parseq, strhub/models/parseq/system.py, ``PARSeq.forward``.
    """
    before = torch.full((len(tokens), 1), network.begin)
    for place in range(network.n_steps):
        seen = torch.ones(place + 1, place + 1, dtype=torch.bool).tril()
        logits = network.predict(
            network.positions[place].expand(len(tokens), 1, -1),
            network.content(before),
            network.attended(tokens),
            seen[place:],
            seen,
        )
        before = torch.cat([before, logits.argmax(-1)], 1)
    return before[:, 1:]


if __name__ == "__main__":
    main()
