"""How import, filter, dedupe, decontaminate, mix and inspect grow with the number of words.

Words are drawn small and plain (about 1.5 kB each), a share of them copied with a second JPEG
compression, and written as an LMDB. Every stage then runs as its own command in a process of its own, at
each size; the table gives wall-clock seconds, microseconds a word, and the peak memory of the largest
process. Opening a dataset and a mixture is timed inside one process, start-up left out.

    python benchmarks/curation_scale.py [--rows 100000 1000000] [-j 2]

Last line: ``worst <seconds> <stage>``, the slowest stage at the largest size.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import lmdb
import numpy as np

ROOT = Path(__file__).parents[1]
COPIES = 0.05  # share of the words that are another one, compressed again
TESTS = 10_000
QUALITIES = (90, 70)
RECIPE = """protocol = "parseq36"
total = {n}
[[sources]]
name = "left"
paths = ["{clean}"]
share = 0.25
repeat = true
[[sources]]
name = "right"
paths = ["{other}"]
share = 0.75
repeat = true
"""


@dataclass(frozen=True)
class Spent:
    """What a stage took."""

    seconds: float
    megabytes: float


def main() -> None:
    """Print the table and the worst stage."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where to work; by default a temporary folder")
    arguments = parser.parse_args()
    measured = {}
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for n in arguments.rows:
            measured[n] = measure(Path(folder) / str(n), n, arguments.jobs)
    _print(measured)


def measure(folder: Path, n: int, jobs: int) -> dict[str, Spent]:
    """Run every stage on ``n`` generated words below ``folder``."""
    folder.mkdir(parents=True)
    for name, rows, seed in (("raw", n, 0), ("test", min(TESTS, n), 1)):
        # in a process of its own: stages inherit this one's peak memory
        process = multiprocessing.get_context("spawn").Process(
            target=write_lmdb, args=(folder / name, rows, seed)
        )
        process.start()
        process.join()
    j = ("-j", jobs)
    (folder / "mix.toml").write_text(RECIPE.format(n=n, clean=folder / "clean", other=folder / "unique"))
    run("import", "lmdb", folder / "test", "-o", folder / "tests", "--split", "test", *j)
    stages = {
        "import": ("import", "lmdb", folder / "raw", "-o", folder / "words", *j),
        "filter": ("filter", "filter_words", folder / "words", "-o", folder / "filtered", *j),
        "dedupe": ("dedupe", folder / "filtered", "-o", folder / "unique", *j),
        "decontaminate": (
            *("decontaminate", folder / "unique", "--against", folder / "tests"),
            *("-o", folder / "clean", *j),
        ),
        "mix": ("mix", folder / "mix.toml", "-o", folder / "mixture"),
        "verify": ("verify", folder / "words", *j),
        "inspect": ("inspect", folder / "words", "-o", folder / "page.html"),
    }
    spent = {name: run(*arguments) for name, arguments in stages.items()}
    return spent | opening(folder)


def opening(folder: Path) -> dict[str, Spent]:
    """Time opening a dataset and a mixture and reading the first thousand positions' numbers."""
    from curation.core.dataset import Dataset
    from curation.mixture import Mixture

    begun = time.perf_counter()
    Dataset.open(folder / "words")
    opened = time.perf_counter()
    Mixture.open(folder / "mixture").positions(0, 1_000)
    return {
        "open dataset": Spent(opened - begun, 0),
        "open mixture": Spent(time.perf_counter() - opened, 0),
    }


def run(*arguments: object) -> Spent:
    """Run ``glyphmix ARGUMENTS`` in a process of its own."""
    command = [sys.executable, "-c", "import glyphmix; glyphmix.main()", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True
    )
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"{' '.join(map(str, arguments))} failed:\n{output}")
    spent = Spent(seconds, usage.ru_maxrss / 1e3)
    print(f"$ glyphmix {' '.join(map(str, arguments))}\n{output}{spent}", file=sys.stderr, flush=True)
    return spent


def write_lmdb(folder: Path, n: int, seed: int) -> None:
    """Write ``n`` words in the keys of PARSeq and DTRB."""
    folder.mkdir()
    words = generated(n, np.random.default_rng(seed))
    with lmdb.open(str(folder), map_size=1 << 36, sync=False, lock=False) as env:
        for first in range(0, n, 1_000):
            with env.begin(write=True) as txn:
                for number in range(first + 1, min(first + 1_000, n) + 1):
                    image, label = next(words)
                    txn.put(b"image-%09d" % number, image)
                    txn.put(b"label-%09d" % number, label.encode())
        with env.begin(write=True) as txn:
            txn.put(b"num-samples", b"%d" % n)


def generated(n: int, rng: np.random.Generator) -> Iterator[tuple[bytes, str]]:
    """Yield ``n`` pictures and labels: frequent words come often, and some pictures come twice."""
    lexicon = ["".join(letters) for letters in rng.choice(list("aeinorstlcdu"), (20_000, 5)).tolist()]
    chance = 1 / np.arange(10, 10 + len(lexicon))
    which = rng.choice(len(lexicon), n, p=chance / chance.sum())
    copies = rng.random(n) < COPIES
    noise = rng.integers(0, 24, (24, 72, 3), np.uint8)
    before = None
    for i, copied in zip(which.tolist(), copies.tolist(), strict=True):
        if copied and before is not None:
            picture, label = before
        else:
            label = lexicon[i]
            picture = drawn(label, noise, rng)
        yield _jpeg(picture, QUALITIES[int(copied)]), label
        before = picture, label


def drawn(label: str, noise: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a word on a ground of its own: its colours, place, size and speckle differ from any other's."""
    ground, ink = rng.integers(0, 120, 3), rng.integers(140, 255, 3)
    picture = np.roll(noise, int(rng.integers(noise.size))) + ground.astype(np.uint8)
    for _ in range(3):
        ends = rng.integers(0, 72, 4).tolist()
        cv2.line(
            picture, (ends[0], ends[1] // 3), (ends[2], ends[3] // 3), rng.integers(0, 255, 3).tolist(), 2
        )
    at = (int(rng.integers(0, 10)), int(rng.integers(14, 22)))
    cv2.putText(picture, label, at, cv2.FONT_HERSHEY_SIMPLEX, float(rng.uniform(0.4, 0.6)), ink.tolist(), 1)
    return picture


def _jpeg(picture: np.ndarray, quality: int) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _print(measured: dict[int, dict[str, Spent]]) -> None:
    sizes = sorted(measured)
    print(f"{'stage':<14}" + "".join(f"{f'{n:,} words':>20}{'us/word':>10}{'MB':>8}" for n in sizes))
    for stage in measured[sizes[0]]:
        cells = [measured[n][stage] for n in sizes]
        print(
            f"{stage:<14}"
            + "".join(
                f"{spent.seconds:>18.2f} s{1e6 * spent.seconds / n:>10.1f}{spent.megabytes:>8.0f}"
                for n, spent in zip(sizes, cells, strict=True)
            )
        )
    worst = max(measured[sizes[-1]].items(), key=lambda item: item[1].seconds)
    print(f"worst {worst[1].seconds:.1f} {worst[0]}")


if __name__ == "__main__":
    main()
