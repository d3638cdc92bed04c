r"""How many planted copies of real words are found, and how many other photos of a word are called copies.

    python benchmarks/duplicates.py data/iiit5k_train data/iiit5k_test data/icdar2015_train \
        data/svt_train data/cute80

Of ``--n`` words of the given datasets copies are planted, one of each kind for each word:

jpeg      encoded again as JPEG, quality 50 to 90
resize    0.5 to 1.4 times the size
bright    contrast 0.7 to 1.3 times, brightness up to 30 grey levels up or down
mix       resized, brightened, then encoded as JPEG
crop      0 to 8 % cut off at each of the four sides
crop+mix  cropped and then as mix

A planted copy is found if it and its original are a pair of level ``certain``, among all words of the
datasets at once. False are pairs of that level among the words of the datasets themselves that are not known
to show the same: ``duplicates_seen.tsv`` says of each pair that was found in the five sets above whether,
looked at, it is a ``copy`` (the same picture or graphic, or the next frame of a film), a ``repeat`` (the word
printed again in the same photo) or an ``other`` photo or print. Copies and repeats leave the count of
distinct pairs of one word, all others stay in it; pairs that nobody has looked at count as false.

Rendered words are the hardest others: ``--rendered`` words of a few labels in one font. They are not judged
by their looks unless a recipe asks for it.

For comparison the table also tells what the stored hash alone finds, at 23 of 128 bits. The cost is that of
one core, beside the floor of decoding a word. The last line is ``recall <without> <with> false <per
thousand>``: mean recall of the kinds without and with crops, and false pairs in a thousand distinct ones.
"""

from __future__ import annotations

import os

os.environ |= {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}

import argparse
import csv
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from curation import near
from curation.agreement import align, coarse, compare, fine
from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.fingerprint import dhash128
from curation.core.images import Pixels, decode, encode_jpeg, encode_png
from curation.core.sample import Sample
from curation.core.sheet import contact_sheet, write_png
from curation.dedupe import DedupeRecipe
from curation.evidence import Evidence, gather
from curation.lookalikes import lookalikes

SEEN = Path(__file__).parent / "duplicates_seen.tsv"
CERTAIN = np.float32(1 - DedupeRecipe().certain)
STORED_BITS = 23
ONE_FONT = """engine = "native"
[font_choice]
include = ["OpenSans-*"]
[[words]]
share = 1.0
source = { kind = "word_list", file = "LABELS" }
casing = { as_is = 1.0 }
"""
Draw = np.random.Generator
Kind = Callable[[Pixels, Draw], Pixels]


def jpeg(image: Pixels, rng: Draw) -> Pixels:
    """Encode again."""
    return decode(encode_jpeg(image, int(rng.integers(50, 91))))


def resize(image: Pixels, rng: Draw) -> Pixels:
    """Make smaller or larger, keeping the shape."""
    scale = rng.uniform(0.5, 1.4)
    size = tuple(max(4, round(length * scale)) for length in image.shape[1::-1])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


def bright(image: Pixels, rng: Draw) -> Pixels:
    """Change contrast about the mean, and brightness."""
    mean = image.mean()
    return np.clip((image - mean) * rng.uniform(0.7, 1.3) + mean + rng.uniform(-30, 30), 0, 255).astype(
        np.uint8
    )


def crop(image: Pixels, rng: Draw) -> Pixels:
    """Cut off edges."""
    height, width = image.shape[:2]
    left, right, top, bottom = np.round(rng.uniform(0, 0.08, 4) * (width, width, height, height)).astype(int)
    return image[top : height - bottom, left : width - right]


KINDS: dict[str, Kind] = {
    "jpeg": jpeg,
    "resize": resize,
    "bright": bright,
    "mix": lambda image, rng: jpeg(bright(resize(image, rng), rng), rng),
    "crop": crop,
    "crop+mix": lambda image, rng: jpeg(bright(resize(crop(image, rng), rng), rng), rng),
}


def main() -> None:
    """Plant, find, and print the table and the line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datasets", nargs="+", type=Path)
    parser.add_argument(
        "--n", type=int, default=2_000, help="words of which copies are planted (default 2000)"
    )
    parser.add_argument(
        "--rendered", type=int, default=1_000, help="rendered words (default 1000; 0 for none)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheets", type=Path, help="folder for pictures of what was missed and called false")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    real = gather([Dataset.open(path) for path in options.datasets])
    rows = np.sort(
        np.random.default_rng(options.seed).choice(len(real), min(options.n, len(real)), replace=False)
    )
    rows = rows[real.label[rows] != 0]
    with tempfile.TemporaryDirectory() as folder:
        recall = planted(real, rows, Path(folder), options.seed, options.sheets)
        false = among_themselves(real, Path(folder), options.sheets)
        if options.rendered:
            among_rendered(options.rendered, Path(folder))
    cost(real, rows)
    without, with_crops = (
        np.mean([found for kind, found in recall.items() if ("crop" in kind) == cropped])
        for cropped in (False, True)
    )
    print(f"recall {without:.3f} {with_crops:.3f} false {false:.2f}")


def planted(
    real: Evidence, rows: near.Rows, folder: Path, seed: int, sheets: Path | None
) -> dict[str, float]:
    """Print and return the recall of each kind."""
    print(f"{len(rows):,} copies of each kind among {len(real):,} words")
    print(f"{'kind':<10}{'certain':>9}{'probable':>10}{'bits <= 23':>12}")
    words = real.take(rows, ["image", "label"])
    recall = {}
    for number, (kind, change) in enumerate(KINDS.items()):
        rng = np.random.default_rng((seed, number))
        copies = gather([write(folder / kind, plant(words, change, rng))])
        pairs = lookalikes(real, copies, folder=made(folder / f"{kind}-sketches"))
        distance = np.full(len(rows), np.inf)
        own = pairs.select(rows[pairs.right] == pairs.left)
        distance[own.right] = own.distance
        stored = near.hamming(real.dhash[rows], copies.dhash) <= STORED_BITS
        recall[kind] = float((distance <= CERTAIN).mean())
        print(f"{kind:<10}{recall[kind]:>9.3f}{np.isfinite(distance).mean():>10.3f}{stored.mean():>12.3f}")
        if sheets is not None:
            missed = np.flatnonzero(distance > CERTAIN)[:60]
            ours = [words[i] for i in missed.tolist()], copies.take(missed, ["image", "label"])
            draw(sheets / f"missed-{kind}.png", *ours, distance[missed])
    return recall


def plant(words: list[dict[str, object]], change: Kind, rng: Draw) -> Iterator[Sample]:
    """Changed copies of words, stored without further loss."""
    for i, word in enumerate(words):
        image = change(decode(word["image"]["bytes"]), rng)  # type: ignore[index]
        yield Sample(
            uid=f"planted:{i}",
            image=encode_png(image),
            label=str(word["label"]),
            size=(image.shape[1], image.shape[0]),
            source="planted",
            dhash128=dhash128(image),
        )


def among_themselves(real: Evidence, folder: Path, sheets: Path | None) -> float:
    """Print what is found among the real words; return the false pairs in a thousand distinct ones."""
    pairs = lookalikes(real, folder=made(folder / "themselves"))
    pairs = pairs.select(pairs.distance <= CERTAIN)
    with SEEN.open(encoding="utf-8", newline="") as file:
        seen = {
            frozenset((row["uid"], row["other_uid"])): row["verdict"]
            for row in csv.DictReader(file, delimiter="\t")
        }
    uids = zip(real.uids(pairs.left), real.uids(pairs.right), strict=True)
    verdicts = np.array([seen.get(frozenset(pair), "not looked at") for pair in uids], "U16")
    same = sum(map(len, near.same_label(real, most_bits=128)))
    stored = sum(map(len, near.same_label(real, most_bits=STORED_BITS)))
    counts = {name: int((verdicts == name).sum()) for name in ("copy", "repeat", "other", "not looked at")}
    distinct = same - counts["copy"] - counts["repeat"]
    n_false = counts["other"] + counts["not looked at"]
    print(f"\npairs of one word among the {len(real):,}: {same:,}; bits <= {STORED_BITS}: {stored:,}")
    print("called certain: " + ", ".join(f"{n} {name}" for name, n in counts.items()))
    if sheets is not None:
        false = pairs.select(np.isin(verdicts, ["other", "not looked at"]))
        sides = (real.take(rows, ["image", "label"]) for rows in (false.left, false.right))
        draw(sheets / "false.png", *sides, false.distance)
    return 1_000 * n_false / distinct


def among_rendered(n: int, folder: Path) -> None:
    """Print how many rendered words of one font would be called copies."""
    from synthgen.render import load, render

    labels = folder / "labels.txt"
    labels.write_text("\n".join(("EXIT", "Street", "coffee", "OPEN", "Bank", "2019", "Hotel", "the")) + "\n")
    recipe = folder / "one_font.toml"
    recipe.write_text(ONE_FONT.replace("LABELS", str(labels)), encoding="utf-8")
    render(load(str(recipe)), folder / "rendered", n=n)
    rows = gather([Dataset.open(folder / "rendered")])
    pairs = lookalikes(rows, folder=made(folder / "rendered-sketches"))
    same = sum(map(len, near.same_label(rows, most_bits=128)))
    stored = sum(map(len, near.same_label(rows, most_bits=STORED_BITS)))
    certain = int((pairs.distance <= CERTAIN).sum())
    print(
        f"\npairs of one word among {len(rows):,} rendered in one font: {same:,}; "
        f"bits <= {STORED_BITS}: {stored:,}"
    )
    print(f"would be called certain: {certain}, in a thousand {1_000 * certain / same:.2f}")


def cost(real: Evidence, rows: near.Rows) -> None:
    """Print what the steps cost, in microseconds of one core."""
    data = [word["image"]["bytes"] for word in real.take(rows, ["image"])]
    images = [decode(one) for one in data]
    floor = microseconds(lambda: [decode(one) for one in data], len(rows))
    sketches = np.stack([coarse(image) for image in images]).astype(np.float32)
    half = min(250, len(rows) // 2)
    left, right = sketches[:half], sketches[half : 2 * half]
    small = [fine(image) for image in images[: 2 * half]]
    moves, _ = align(left, right)
    steps = {
        "sketch a word": microseconds(lambda: [coarse(image) for image in images], len(rows)),
        "align a pair": microseconds(lambda: align(left, right), half),
        "compare a pair": microseconds(lambda: compare(small[:half], small[half:], moves), half),
    }
    print(f"\nprocessor time: decode a word {floor:.0f} us")
    for name, us in steps.items():
        print(f"{name}: {us:.0f} us, {us / floor:.1f} times that")


def microseconds(work: Callable[[], object], n: int) -> float:
    """Least of three, for one of ``n``."""
    least = np.inf
    for _ in range(3):
        start = time.process_time()
        work()
        least = min(least, time.process_time() - start)
    return 1e6 * float(least) / n


def write(out: Path, samples: Iterator[Sample]) -> Dataset:
    """A dataset of one shard."""
    shards.start(out, {})
    shards.write_shard(out, 0, samples)
    shards.finish(out)
    return Dataset.open(out)


def made(folder: Path) -> Path:
    """The folder, which is made."""
    folder.mkdir()
    return folder


def draw(out: Path, left: list[dict], right: list[dict], distance: np.ndarray) -> None:
    """Pairs side by side."""
    words = [word for pair in zip(left, right, strict=True) for word in pair]
    told = ["not looked at" if not np.isfinite(d) else f"{1 - d:.3f}" for d in distance]
    captions = [text for pair in zip(told, (w["label"] for w in left), strict=True) for text in pair]
    if words:
        write_png(
            contact_sheet([decode(word["image"]["bytes"]) for word in words], captions, columns=12), out
        )


if __name__ == "__main__":
    main()
