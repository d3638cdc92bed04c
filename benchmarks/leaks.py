"""Are leaks found, and is nothing else called one? Leaks of every kind are planted among real words.

    python benchmarks/leaks.py --test IIIT5K_TEST CUTE80 --train IIIT5K_TRAIN ICDAR2015_TRAIN SVT_TRAIN

Words of the tests are copied, changed and put beside the words to train on, N of each kind:

bytes       the same file
pixels      the same pixels in another file
jpeg        compressed at quality 50 to 90
resize      scaled by 0.5 to 1.4
brightness  gain 0.6 to 1.4, offset -40 to 40
typo        compressed, under a label with one character left out or changed
place       another cut of the same place of the same photo, another label; where the test names its photos
recrop      up to 8 % of height and width cut off at each edge
mix         recrop, resize, brightness and jpeg in turn

Then ``curation.leaks`` looks for them as ``glyphmix decontaminate`` does. The first table tells, for each
kind, how many were dropped and at which levels, and how many name the very word that they copy (one of
several equal ones may be named instead). The second one tells how many of the words to train on are dropped
though nothing was planted there. Sets share real copies as well: ``--copies FILE`` lists the uids, one a
line, of those that somebody has looked at and found to be copies. Below it stands how many pairs of
different pictures under one label are called copies.

The last line is ``recall <without re-crops> <with> false <clean words dropped per thousand>``.
"""

from __future__ import annotations

import os

os.environ |= {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from curation import near
from curation.core import recipe as recipes
from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.fingerprint import dhash128
from curation.core.images import Pixels, decode, encode_jpeg, encode_png
from curation.core.rng import stream
from curation.core.sample import Sample
from curation.evidence import Evidence, gather
from curation.leak_recipe import LEVELS, DecontaminateRecipe
from curation.leaks import Leaks, find
from curation.lookalikes import lookalikes

Rng = np.random.Generator
CUT_OTHERWISE = ("recrop", "mix")


def jpeg(image: Pixels, rng: Rng) -> Pixels:
    """Compressed and decoded."""
    return decode(encode_jpeg(image, int(rng.integers(50, 91))))


def resize(image: Pixels, rng: Rng) -> Pixels:
    """Scaled alike along both axes."""
    scale = rng.uniform(0.5, 1.4)
    size = max(4, round(image.shape[1] * scale)), max(4, round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def brightness(image: Pixels, rng: Rng) -> Pixels:
    """Brighter or darker, with more or less contrast."""
    values = image.astype(np.float32) * rng.uniform(0.6, 1.4) + rng.uniform(-40, 40)
    return np.clip(values, 0, 255).astype(np.uint8)


def recrop(image: Pixels, rng: Rng) -> Pixels:
    """Each edge cut off by a share of its own."""
    height, width = image.shape[:2]
    top, bottom, left, right = rng.uniform(0, 0.08, 4)
    rows = slice(int(top * height), max(int(top * height) + 4, height - int(bottom * height)))
    columns = slice(int(left * width), max(int(left * width) + 4, width - int(right * width)))
    return np.ascontiguousarray(image[rows, columns])


def mix(image: Pixels, rng: Rng) -> Pixels:
    """All of them."""
    for change in (recrop, resize, brightness):
        image = change(image, rng)
    return image


CHANGES: dict[str, Callable[[Pixels, Rng], Pixels]] = {
    "jpeg": jpeg,
    "resize": resize,
    "brightness": brightness,
    "typo": jpeg,
    "place": recrop,
    "recrop": recrop,
    "mix": mix,
}
KINDS = ("bytes", "pixels", *CHANGES)


def main() -> None:
    """Plant, look, print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--test", type=Path, nargs="+", required=True, help="datasets of test words")
    parser.add_argument("--train", type=Path, nargs="+", required=True, help="datasets to train on")
    parser.add_argument("--n", type=int, default=300, help="planted words of each kind")
    parser.add_argument("--recipe", type=Path, help="thresholds other than the default ones")
    parser.add_argument("--copies", type=Path, help="uids of words to train on known to be copies")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-j", "--jobs", type=int, default=1)
    args = parser.parse_args()
    spec = DecontaminateRecipe() if args.recipe is None else recipes.load(args.recipe, DecontaminateRecipe)
    test = gather([Dataset.open(path) for path in args.test], spec.protocol, jobs=args.jobs)
    trained_on = [Dataset.open(path) for path in args.train]
    with tempfile.TemporaryDirectory() as folder:
        planted, copied = plant(test, args.n, args.seed, Path(folder) / "planted")
        train = gather([*trained_on, planted], spec.protocol, jobs=args.jobs)
        leaks = find(train, test, spec, jobs=args.jobs)
        recalls = report_planted(leaks, int(train.starts[-2]), copied)
        known = set(args.copies.read_text(encoding="utf-8").split()) if args.copies else set()
        false = report_clean(leaks, int(train.starts[-2]), known)
    straight = [recall for kind, recall in recalls.items() if kind not in CUT_OTHERWISE]
    print(f"recall {np.mean(straight):.3f} {np.mean([*recalls.values()]):.3f} false {false:.2f}")


def plant(test: Evidence, n: int, seed: int, out: Path) -> tuple[Dataset, list[tuple[str, int]]]:
    """Write the planted words; tell the kind of each, and which row of the tests it copies."""
    rng = stream(seed, "leaks")
    placed = np.flatnonzero(test.origin != 0)
    copied: list[tuple[str, int]] = []
    for kind in KINDS:
        rows = placed if kind == "place" else np.arange(len(test))
        copied += [(kind, int(row)) for row in np.sort(rng.permutation(rows)[:n])]
    words = test.take(
        [row for _, row in copied], ["image", "label", "origin_image", "origin_box", "origin_size", "source"]
    )
    shards.start(out, {"planted": n, "seed": seed})
    samples = [
        changed(i, kind, word, rng) for i, ((kind, _), word) in enumerate(zip(copied, words, strict=True))
    ]
    shards.write_shard(out, 0, samples)
    shards.finish(out)
    return Dataset.open(out), copied


def changed(number: int, kind: str, word: dict[str, Any], rng: Rng) -> Sample:
    """One planted word."""
    data, label = word["image"]["bytes"], word["label"]
    image = decode(data)
    more: dict[str, Any] = {}
    if kind == "pixels":
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        data = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 6])[1].tobytes()
        assert data != word["image"]["bytes"], "the planted file is the published one"
    elif kind != "bytes":
        image = CHANGES[kind](image, rng)
        lossless = kind in ("brightness", "resize", "recrop", "place")
        data = encode_png(image) if lossless else encode_jpeg(image, int(rng.integers(50, 91)))
        image = decode(data)
    if kind == "typo":
        label = mistyped(label, rng)
    if kind == "place":
        left, top, width, height = word["origin_box"]
        box = (left + 0.05 * width, top - 0.05 * height, width, height)
        more = {"origin_image": word["origin_image"], "origin_box": box, "origin_size": word["origin_size"]}
        label = "something else"
    return Sample(
        uid=f"planted:{kind}/{number}",
        image=data,
        label=label,
        size=(image.shape[1], image.shape[0]),
        source=word["source"] if kind == "place" else "planted",  # photos are named within their set
        dhash128=dhash128(image),
        **more,
    )


def mistyped(label: str, rng: Rng) -> str:
    """Another letter or digit somewhere, or one fewer."""
    at = int(rng.integers(len(label)))
    other = "e" if label[at].casefold() != "e" else "a"
    return label[:at] + (other if len(label) < 3 or rng.random() < 0.5 else "") + label[at + 1 :]


def report_planted(leaks: Leaks, first: int, copied: Sequence[tuple[str, int]]) -> dict[str, float]:
    """Print what became of the planted words; return the recall of each kind."""
    gone = leaks.dropped()
    found = {
        int(row) - first: (leaks.spec.ranked[rank], int(right))
        for row, rank, right in zip(gone.left, gone.rank, gone.right, strict=True)
        if row >= first
    }
    print(f"{'planted':12}{'words':>8}{'dropped':>9}{'recall':>8}{'named':>8}   levels")
    recalls = {}
    for kind in KINDS:
        numbers = [i for i, (of, _) in enumerate(copied) if of == kind]
        if not numbers:
            continue
        levels = Counter(found[i][0] for i in numbers if i in found)
        named = sum(found[i][1] == copied[i][1] for i in numbers if i in found)
        recalls[kind] = levels.total() / len(numbers)
        told = ", ".join(f"{levels[level]} {level}" for level in LEVELS if levels[level])
        print(
            f"{kind:12}{len(numbers):8,}{levels.total():9,}{recalls[kind]:8.3f}"
            f"{named / max(1, levels.total()):8.3f}   {told}"
        )
    return recalls


def report_clean(leaks: Leaks, n_rows: int, known: set[str]) -> float:
    """Print how many words were dropped where none was planted; return it per thousand."""
    gone = leaks.dropped()
    here = gone.select(gone.left < n_rows)
    uids = leaks.train.uids(here.left)
    false = np.array([uid not in known for uid in uids], bool)
    print(f"\n{'train set':24}{'words':>8}{'dropped':>9}{'known copies':>14}{'false':>7}")
    of = leaks.train_sets.of[:n_rows]
    for number in np.unique(of).tolist():
        mine = leaks.train_sets.of[here.left] == number
        n, wrong = int(mine.sum()), int((mine & false).sum())
        name, n_words = leaks.train_sets.names[number], int((of == number).sum())
        print(f"{name:24}{n_words:8,}{n:9,}{n - wrong:14,}{wrong:7,}")
    n_pairs, n_called = pairs_called(leaks, n_rows, known)
    rate = 1_000 * n_called / max(1, n_pairs)
    print(f"{n_pairs:,} pairs of one label, {n_called:,} falsely called copies: {rate:.2f} per thousand")
    return 1_000 * float(false.sum()) / max(1, n_rows - int((~false).sum()))


def pairs_called(leaks: Leaks, n_rows: int, known: set[str]) -> tuple[int, int]:
    """Pairs of one label among the words that are not planted, and how many are wrongly certain."""
    train, test = leaks.train, leaks.test
    clean = np.arange(len(train)) < n_rows
    n_pairs = sum(int(clean[pairs.left].sum()) for pairs in near.same_label(train, test, most_bits=128))
    with tempfile.TemporaryDirectory() as folder:
        found = lookalikes(
            train, test, folder=Path(folder), look=leaks.spec.look, least=leaks.spec.certain, rows=clean
        )
    return n_pairs, sum(uid not in known for uid in train.uids(found.left))


if __name__ == "__main__":
    main()
