"""Words a second on one core: the recipe mjst_plus against trdg as people run it.

    python benchmarks/render_throughput.py --n 2000 --rounds 5

Four arms take turns on one core, each after a warm-up that is not counted:

native     the recipe mjst_plus at its stored size, through ``synthgen.render`` to Parquet, one job
trdg       trdg's own command line with skew, distortion, blur and pictures behind the words switched on:
           its own fonts, pictures and dictionary, JPEG files on disk, one process
engine     our engine trdg, given mjst_plus' words, the same four switched on, to Parquet; it keeps
           photos and fonts open, which trdg does not, so it is several times faster than trdg
generator  trdg's Python generator, given mjst_plus' words and our photos, pictures left in memory; one
           setting of distortion serves a generator, so each of a round's nine draws a ninth of the words

Start-up is left out: words of a run of twice the length less those of a shorter one, by the difference of
their times. Words are those written (or, for generator, those delivered). trdg runs on the locked Pillow
thanks to one mended function, the height of a text, which Pillow 10 no longer tells through ``getsize``. The
ratio is the median over the rounds of native divided by trdg, by wall clock. Where it differs much from that
by processor time, printed above it, other programs had the core: run it again on a quiet machine.
"""

from __future__ import annotations

import os

os.environ |= {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}

import argparse
import cProfile
import itertools
import pstats
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from curation.core import recipe
from curation.core.dataset import Dataset
from synthgen.engines import trdg_compat
from synthgen.engines.trdg import Trdg
from synthgen.materials import PHOTO_ENDINGS, PHOTOS, RECIPES, listing
from synthgen.render import load, render

SEED = 0
MARGIN_PX, SIZE_PX, SKEW_DEG, BLUR_PX, COLOURS = 5, 32, 5, 1, "#000000,#ffffff"
FULL = f"""engine = "trdg"
size_px = [{SIZE_PX}, {SIZE_PX}]
margin_px = [{MARGIN_PX}, {MARGIN_PX}]
colours = ["{COLOURS}"]
skew_share = 1.0
skew_deg = [-{SKEW_DEG}, {SKEW_DEG}]
distortion_share = 1.0
distortions = ["sine", "cosine", "random"]
distortion_axes = ["vertical", "horizontal", "both"]
blur_share = 1.0
blur_px = [0.0, {BLUR_PX}]
background = {{ photo = 1.0 }}
"""
TRDG = "import sys; from synthgen.engines.trdg_compat import command_line; command_line(sys.argv[1:])"
TRDG_OPTIONS = ["-w", "1", "-f", str(SIZE_PX), "-t", "1"]  # one word, its own default height, one process
TRDG_OPTIONS += ["-k", str(SKEW_DEG), "-rk", "-bl", str(BLUR_PX), "-rbl", "-d", "3", "-do", "2", "-b", "3"]
TRDG_SHARE = 0.2  # of --n: it would take most of the benchmark's time otherwise
STAGES = {  # what is told, and the functions whose time it is: end of the file's path, or a folder, and name
    "plan: decide all columns": [("engines/native.py", "plan")],
    "shape": [("synthgen/shaping.py", "shape")],
    "place and bend": [("synthgen/placement.py", "place")],
    "frame": [("synthgen/framing.py", "frame")],
    "rasterise": [("synthgen/glyphs.py", "rasterise")],
    "background": [("/backgrounds/", "apply")],
    "ink": [("synthgen/ink.py", "paint")],
    "effects": [("/effects/", "apply")],
    "legibility": [("synthgen/legibility.py", "fault"), ("synthgen/legibility.py", "contrast")],
    "encode as JPEG": [("core/images.py", "encode_jpeg")],
    "fingerprint the pixels": [("core/fingerprint.py", "dhash128")],
    "lay out as columns": [("core/schema.py", "to_batch")],
    "write Parquet": [("parquet/core.py", "write_batch")],
}
Rates = tuple[float, float]  # words a second of wall clock and of processor time


def main() -> None:
    """Run the rounds, print the table, the profile and the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=2_000, help="words an arm and round (default 2000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default 5)")
    parser.add_argument("--no-profile", action="store_true", help="leave the profile of the native arm out")
    options = parser.parse_args()
    one_core()
    with tempfile.TemporaryDirectory() as folder:
        arms = build_arms(Path(folder))
        for arm in arms.values():
            arm(min(options.n, 200))
        rounds = [{name: arm(options.n) for name, arm in arms.items()} for _ in range(options.rounds)]
        print_table(rounds, options.n)
        if not options.no_profile:
            print_profile(
                lambda: arms["native"](options.n), 3 * options.n
            )  # a run and one of twice the length
    print()
    for name in ("generator", "engine", "trdg"):
        wall, processor = (statistics.median(r["native"][i] / r[name][i] for r in rounds) for i in (0, 1))
        print(f"native / {name}: {processor:.2f} by processor time, {wall:.2f} by wall clock")
    print(f"ratio {wall:.2f}")


def one_core() -> None:
    """Keep this process on one core and its libraries to one thread."""
    cv2.setNumThreads(1)
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def build_arms(folder: Path) -> dict[str, Callable[[int], Rates]]:
    """The arms by name: each renders about n words and returns its rates."""
    numbers = itertools.count()
    native = (RECIPES / "mjst_plus.toml").read_text(encoding="utf-8")
    words = [block for block in native.split("\n\n") if block.startswith("[[words]]")]
    full = folder / "trdg_full.toml"
    full.write_text("\n\n".join([FULL, *words]), encoding="utf-8")

    def to_parquet(name: str) -> Callable[[int], Rates]:
        loaded = load(name)

        def run(n: int) -> int:
            out = folder / f"{next(numbers)}"
            render(loaded, out, n=n, seed=SEED, jobs=1)
            return len(Dataset.open(out))

        return lambda n: steady(lambda k: timed(run, k), n)

    generator = generator_arm(full, folder / "photos")
    return {
        "native": to_parquet("mjst_plus"),
        "trdg": lambda n: trdg_rates(folder / "trdg", max(round(n * TRDG_SHARE), 50)),
        "engine": to_parquet(str(full)),
        "generator": lambda n: steady(lambda k: timed(generator, k), n),
    }


def trdg_rates(folder: Path, n: int) -> Rates:
    """Rates of trdg's command line."""
    return steady(lambda n: trdg_run(folder, n), n)


def steady(run: Callable[[int], tuple[int, float, float]], n: int) -> Rates:
    """Rates between the first ``n`` words, after which all is warm, and twice that."""
    longer, shorter = run(2 * n), run(n)
    words, wall, processor = (a - b for a, b in zip(longer, shorter, strict=True))
    return words / wall, words / processor


def trdg_run(folder: Path, n: int) -> tuple[int, float, float]:
    """Words on disk, seconds and seconds of processor time of one run of trdg's command line."""
    command = [sys.executable, "-c", TRDG, "-c", str(n), "--output_dir", str(folder), *TRDG_OPTIONS]
    wall, processor = time.perf_counter(), children_s()
    subprocess.run(command, check=True, capture_output=True)
    seconds = time.perf_counter() - wall, children_s() - processor
    n_words = len(list(folder.glob("*.jpg")))
    shutil.rmtree(folder)
    return n_words, *seconds


def children_s() -> float:
    """Seconds of processor time of all ended processes that this one has started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def generator_arm(full: Path, photos: Path) -> Callable[[int], int]:
    """The generator of trdg, given the words and fonts that the engine would draw."""
    table = recipe.read(full)
    del table["engine"]
    engine = recipe.build(Trdg, table, where=full.name)
    trdg_compat.generator()  # mends trdg for this Pillow
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what its dependencies say of each other
        from trdg.generators import GeneratorFromStrings
    photos.mkdir()
    for photo in listing(PHOTOS, PHOTO_ENDINGS, "photos"):  # trdg opens every file of the folder
        shutil.copy(photo, photos)
    fonts = trdg_compat.package_folder() / "fonts" / "latin"
    plan = engine.plan(SEED, 0)
    bends = list(itertools.product((1, 2, 3), (0, 1, 2)))  # trdg's numbers of distortions and axes

    def run(n: int) -> int:
        done = 0
        for i, (distortion, axes) in enumerate(bends):
            generator = GeneratorFromStrings(
                list(np.roll(plan["text"], -i * (n // len(bends)))),
                count=n // len(bends),
                fonts=[str(fonts / font) for font in np.roll(plan["font"], -i * (n // len(bends)))],
                size=SIZE_PX,
                margins=(MARGIN_PX,) * 4,
                text_color=COLOURS,
                skewing_angle=SKEW_DEG,
                random_skew=True,
                blur=BLUR_PX,
                random_blur=True,
                distorsion_type=distortion,
                distorsion_orientation=axes,
                background_type=trdg_compat.BACKGROUNDS["photo"],
                image_dir=str(photos),
            )
            done += sum(image is not None for image, _ in generator)
        return done

    return run


def timed(arm: Callable[[int], int], n: int) -> tuple[int, float, float]:
    """Words, seconds and seconds of processor time of an arm in this process."""
    wall, processor = time.perf_counter(), time.process_time()
    done = arm(n)
    return done, time.perf_counter() - wall, time.process_time() - processor


def print_table(rounds: list[dict[str, Rates]], n: int) -> None:
    """Median, least and greatest rate of each arm."""
    print(f"words a second, one core, {n} words an arm and round, {len(rounds)} rounds")
    print(f"{'arm':<11}{'median':>10}{'least':>10}{'greatest':>10}{'median by processor time':>28}")
    for name in rounds[0]:
        wall = [r[name][0] for r in rounds]
        processor = statistics.median(r[name][1] for r in rounds)
        middle = statistics.median(wall)
        print(f"{name:<11}{middle:>10.1f}{min(wall):>10.1f}{max(wall):>10.1f}{processor:>28.1f}")


def print_profile(work: Callable[[], object], n: int) -> None:
    """Where the native arm spends its time: by stage, then the functions with most time of their own."""
    profile = cProfile.Profile(time.process_time)
    profile.runcall(work)
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    total = sum(own for _, _, own, _, _ in stats.values())
    print("\nwhere the time of the native arm goes, under the profiler (calls cost more there)")
    spent = {stage: sum(seconds(stats, *function) for function in of) for stage, of in STAGES.items()}
    for stage, part in {**spent, "everything else": total - sum(spent.values())}.items():
        print(f"{part / total:>7.1%}  {part / n * 1e6:>6.0f} us a word  {stage}")
    print("functions by time of their own")
    for (file, line, name), (calls, _, own, _, _) in sorted(stats.items(), key=lambda s: -s[1][2])[:15]:
        where = name if file == "~" else f"{Path(file).name}:{line} {name}"
        print(f"{own / total:>7.1%}  {calls:>8} calls  {where}")


def seconds(stats: Any, file: str, function: str) -> float:
    """Time in a function and what it calls, over all files that end in ``file`` or lie in it."""
    return sum(
        entry[3]
        for (path, _, name), entry in stats.items()
        if name == function and (path.endswith(file) or (file.endswith("/") and file in path))
    )


if __name__ == "__main__":
    main()
