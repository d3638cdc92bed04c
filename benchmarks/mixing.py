"""Mixing a million and 24 million positions over 20 sources: ours against ``datasets.interleave_datasets``.

The sources have the sizes that REBU-Syn states, scaled; real to synthetic is 1 : 3. Ours is the whole of
``glyphmix mix``: uids and labels are read, hashed and judged, words chosen, ordered, written and measured.
Theirs gets 20 tables of row numbers in memory, and probabilities; it is stopped after ``--limit`` seconds.
``order`` is the part of ours that does what theirs does: which source, and which of its words, stands where.
Each runs in a process of its own; times are of the processor, so that other work counts little.

The table tells how exact both are: real words in each batch of 256 of the first pass, words that come again
before others of their source have come, and how even each source is. The last line is ``ratio <number>``,
theirs / our ``order`` at the largest number of positions that both have done.

Command: python benchmarks/mixing.py --positions 1000000 24000000
"""

from __future__ import annotations

import argparse
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from curation.core import shards
from curation.core.schema import schema
from curation.mix_recipe import Group, MixRecipe, MixSource

# Source: REBU-Syn, Data.md of arXiv 2401.00028's repository; MJ and ST in the split their lists are known for
REAL = {
    "openvino": 1_500_000, "textocr": 800_000, "uber": 127_850, "coco": 72_950, "mlt19": 55_112,
    "art": 31_966, "rects": 26_040, "rctw17": 10_245, "lsvt": 8_164, "totaltext": 12_251, "ctw1500": 3_170,
    "ic15": 4_467, "iiit5k": 2_000, "ic13": 843, "svt": 257, "union14m": 3_100_000,
}  # fmt: skip
SYNTHETIC = {"mj": 8_900_000, "st": 5_500_000, "curved": 1_800_000, "synthadd": 1_200_000}
BATCH = 256
SHARD_ROWS = 50_000


def main() -> None:
    """Generate, time both at each size, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--positions", type=int, nargs="+", default=[1_000_000, 24_000_000])
    parser.add_argument("--limit", type=int, default=300, help="seconds of the processor for each of theirs")
    parser.add_argument(
        "--child", nargs=4, metavar=("WHO", "POSITIONS", "FOLDER", "LIMIT"), help=argparse.SUPPRESS
    )
    options = parser.parse_args()
    if options.child:
        who, n, folder, limit_s = options.child
        what = {"mix": ours, "order": order, "theirs": partial(theirs, limit_s=int(limit_s))}[who]
        print(json.dumps(what(int(n), Path(folder))))
        return
    ratio = None
    print(f"{'':10} {'positions':>10} {'processor':>10} {'memory':>9}  exactness")
    for n in options.positions:
        with tempfile.TemporaryDirectory() as folder:
            generate(n, Path(folder))
            done = {who: child(who, n, folder, options.limit) for who in ("mix", "order", "theirs")}
        for who, found in done.items():
            print(line(who, n, found, options.limit))
        if done["theirs"]:
            ratio = done["theirs"]["processor_s"] / done["order"]["processor_s"]
    print("ratio none: theirs was stopped" if ratio is None else f"ratio {ratio:.1f}")


def generate(n_positions: int, folder: Path) -> None:
    """Write a dataset of tiny rows for each source: enough for ``n_positions``."""
    labels = pa.array([f"word{i}" for i in range(90_000)])  # as many as MJSynth's lexicon has
    sizes = scaled(n_positions)
    into = schema()
    for number, (name, n) in enumerate(sizes.items()):
        out = folder / name
        shards.start(out, {"command": "benchmark"})
        rng = np.random.default_rng(number)
        for index, first in enumerate(range(0, n, SHARD_ROWS)):
            rows = min(SHARD_ROWS, n - first)
            values = {
                "image": pa.array([{"bytes": b"", "path": None}] * rows, into.field("image").type),
                "label": labels.take(pa.array(rng.integers(0, len(labels), rows))),
                "uid": pa.array([f"{name}:{i:09d}" for i in range(first, first + rows)]),
                "source": pa.array([name] * rows),
                "split": pa.array(["train"] * rows),
            }
            columns = [values.get(f.name, pa.nulls(rows, f.type)) for f in into]
            shards.write_batches(out, index, [pa.RecordBatch.from_arrays(columns, schema=into)], into, [])
        shards.finish(out)


def scaled(n_positions: int) -> dict[str, int]:
    """Words of each source, so that they suffice for ``n_positions`` at 1 : 3, with some left over."""
    sizes = {}
    for group, part in ((REAL, n_positions // 4), (SYNTHETIC, n_positions - n_positions // 4)):
        factor = 1.05 * part / sum(group.values())
        sizes |= {name: max(2, round(n * factor)) for name, n in group.items()}
    return sizes


def child(who: str, n: int, folder: str, limit: int) -> dict[str, Any]:
    """Run one of the two in a process of its own; nothing if it is stopped."""
    command = [sys.executable, __file__, "--child", who, str(n), folder, str(limit)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == -signal.SIGXCPU:
        return {}
    done.check_returncode()
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def ours(n: int, folder: Path) -> dict[str, Any]:
    """Mix, and open what was mixed."""
    from curation.mixing import mix
    from curation.mixture import Mixture

    sources = tuple(
        MixSource(name=name, paths=(folder / name,), group="real" if name in REAL else "synthetic")
        for name in scaled(n)
    )
    groups = {"real": Group(ratio=1), "synthetic": Group(ratio=3)}
    began = time.process_time()
    manifest = mix(MixRecipe(sources=sources, groups=groups, total=n), folder / "mixture")
    found = spent(began)
    began = time.process_time()
    Mixture.open(folder / "mixture").positions(0, BATCH)
    found["opening_s"] = time.process_time() - began
    real = manifest["groups"][0]["per_batch"]
    worst = max(source["prefix_error"] for source in manifest["sources"])
    return found | {
        "real": [real["least"], real["most"], real["sd"]],
        "again": manifest["n_positions"] - manifest["n_unique"],
        "worst": f"every source within {worst:.4f} at every prefix; opened in {found['opening_s']:.2f} s",
    }


def order(n: int, folder: Path) -> dict[str, Any]:
    """Order words that are given by number, as theirs are."""
    from curation.schedule import interleave, largest_remainder

    whole = {True: sum(REAL.values()), False: sum(SYNTHETIC.values())}
    parts = [Fraction((REAL | SYNTHETIC)[name], whole[name in REAL]) for name in scaled(n)]
    real, synthetic = largest_remainder(n, [Fraction(1), Fraction(3)])
    counts = largest_remainder(real, parts[: len(REAL)]) + largest_remainder(synthetic, parts[len(REAL) :])
    began = time.process_time()
    sources = interleave(counts, [list(range(len(REAL))), list(range(len(REAL), len(counts)))])
    rows = np.empty(n, np.uint32)
    for i, count in enumerate(counts):
        rows[sources == i] = np.random.default_rng(i).permutation(count)
    return spent(began)


def theirs(n: int, folder: Path, limit_s: int) -> dict[str, Any]:
    """Interleave tables of row numbers by probability."""
    from datasets import Dataset, interleave_datasets

    resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s + 5))
    sizes = scaled(n)
    whole = {True: sum(REAL.values()), False: sum(SYNTHETIC.values())}
    parts = [
        (REAL | SYNTHETIC)[name] / whole[name in REAL] * (1 if name in REAL else 3) / 4 for name in sizes
    ]
    tables = [
        Dataset.from_dict({"source": np.full(size, i, np.uint8), "row": np.arange(size)})
        for i, size in enumerate(sizes.values())
    ]
    began = time.process_time()
    mixed = interleave_datasets(
        tables,
        probabilities=(np.array(parts) / sum(parts)).tolist(),
        seed=0,
        stopping_strategy="all_exhausted",
    )
    found = spent(began)
    took = mixed.with_format("numpy")[: min(n, len(mixed))]
    is_real = took["source"] < len(REAL)
    counts = is_real[: len(is_real) // BATCH * BATCH].reshape(-1, BATCH).sum(axis=1)
    words = np.unique(took["source"].astype(np.int64) << 40 | took["row"])
    return found | {
        "real": [int(counts.min()), int(counts.max()), float(counts.std())],
        "again": len(is_real) - len(words),
        "worst": f"{len(mixed):,} positions made until every source had come",
    }


def spent(began: float) -> dict[str, Any]:
    """Processor time since ``began``, and most memory."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"processor_s": time.process_time() - began, "memory_mib": most}


def line(who: str, n: int, found: dict[str, Any], limit: int) -> str:
    """A line of the table."""
    if not found:
        return f"{who:10} {n:10,} stopped after {limit:.0f} s"
    start = f"{who:10} {n:10,} {found['processor_s']:8.1f} s {found['memory_mib']:5.0f} MiB"
    if "real" not in found:
        return start
    least, most, sd = found["real"]
    exact = f"real in a batch of {BATCH}: {least} to {most}, sd {sd:.2f}; {found['again']:,} come again; "
    exact += found["worst"]
    return f"{start}  {exact}"


if __name__ == "__main__":
    main()
