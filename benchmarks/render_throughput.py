"""Words a second on one core: the recipe mjst_plus against trdg drawing the same words.

    python benchmarks/render_throughput.py --n 2000 --rounds 5

Three arms take turns in one process on one core, each after a warm-up that is not counted:

native   the recipe mjst_plus at its stored size, through ``synthgen.render`` to Parquet, one job
trdg     the engine trdg with skew, any of its distortions, blur and a photo on every word, to Parquet too
plain    trdg's own generator with the same words, fonts and photos, pictures left in memory; one setting
         of distortion serves a generator, so each of a round's nine generators draws a ninth of the words

Words are those written (or, for plain, those delivered). The ratio is the median over the rounds of native
divided by trdg, by wall clock. Where it differs much from that by processor time, printed above it, other
programs had the core: run it again on a quiet machine.
"""

from __future__ import annotations

import os

os.environ |= {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}

import argparse
import cProfile
import itertools
import pstats
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

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
STAGES = {  # our functions whose share of the time is told: file and name
    ("engines/native.py", "plan"): "decide",
    ("engines/native.py", "draw"): "draw",
    ("core/images.py", "encode_jpeg"): "encode as JPEG",
    ("core/fingerprint.py", "dhash128"): "fingerprint the pixels",
    ("core/schema.py", "to_batch"): "lay out as columns",
    ("parquet/core.py", "write_batch"): "write Parquet",
}


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
        rounds = [{name: timed(arm, options.n) for name, arm in arms.items()} for _ in range(options.rounds)]
        print_table(rounds, options.n)
        if not options.no_profile:
            print_profile(lambda: arms["native"](options.n))
    wall, processor = (statistics.median(r["native"][i] / r["trdg"][i] for r in rounds) for i in (0, 1))
    print(f"\nnative / trdg by processor time {processor:.2f}, by wall clock:")
    print(f"ratio {wall:.2f}")


def one_core() -> None:
    """Keep this process on one core and its libraries to one thread."""
    cv2.setNumThreads(1)
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def build_arms(folder: Path) -> dict[str, Callable[[int], int]]:
    """The arms by name: each renders n words and returns how many came out."""
    numbers = itertools.count()
    native = (RECIPES / "mjst_plus.toml").read_text(encoding="utf-8")
    words = [block for block in native.split("\n\n") if block.startswith("[[words]]")]
    full = folder / "trdg_full.toml"
    full.write_text("\n\n".join([FULL, *words]), encoding="utf-8")

    def to_parquet(name: str) -> Callable[[int], int]:
        loaded = load(name)

        def run(n: int) -> int:
            out = folder / f"{next(numbers)}"
            render(loaded, out, n=n, seed=SEED, jobs=1)
            return len(Dataset.open(out))

        return run

    return {
        "native": to_parquet("mjst_plus"),
        "trdg": to_parquet(str(full)),
        "plain": plain_arm(full, folder / "photos"),
    }


def plain_arm(full: Path, photos: Path) -> Callable[[int], int]:
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


def timed(arm: Callable[[int], int], n: int) -> tuple[float, float]:
    """Words a second of wall clock and of processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    done = arm(n)
    return done / (time.perf_counter() - wall), done / (time.process_time() - processor)


def print_table(rounds: list[dict[str, tuple[float, float]]], n: int) -> None:
    """Median, least and greatest rate of each arm."""
    print(f"words a second, one core, {n} words an arm and round, {len(rounds)} rounds")
    print(f"{'arm':<8}{'median':>10}{'least':>10}{'greatest':>10}{'median by processor time':>28}")
    for name in rounds[0]:
        wall = [r[name][0] for r in rounds]
        processor = statistics.median(r[name][1] for r in rounds)
        middle = statistics.median(wall)
        print(f"{name:<8}{middle:>10.1f}{min(wall):>10.1f}{max(wall):>10.1f}{processor:>28.1f}")


def print_profile(work: Callable[[], object]) -> None:
    """Where the native arm spends its time: by stage, then the functions with most time of their own."""
    profile = cProfile.Profile()
    profile.runcall(work)
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    total = sum(own for _, _, own, _, _ in stats.values())
    print("\nwhere the time of the native arm goes, under the profiler (calls cost more there)")
    for (file, function), stage in STAGES.items():
        spent = sum(
            at[3] for (path, _, name), at in stats.items() if path.endswith(file) and name == function
        )
        print(f"{spent / total:>7.1%}  {stage}")
    print("functions by time of their own")
    for (file, line, name), (calls, _, own, _, _) in sorted(stats.items(), key=lambda s: -s[1][2])[:15]:
        where = name if file == "~" else f"{Path(file).name}:{line} {name}"
        print(f"{own / total:>7.1%}  {calls:>8} calls  {where}")


if __name__ == "__main__":
    main()
