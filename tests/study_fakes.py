"""A finished study without training: rows and predictions drawn from accuracies that a test states."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.fingerprint import dhash128
from curation.core.images import decode, encode_png
from curation.core.rng import stream
from curation.core.sample import Reject, Sample
from train.study.rows import Study

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def dataset(
    path: Path,
    n: int,
    *,
    seed: int = 0,
    rejects: Mapping[str, int] | None = None,
    labels: Sequence[str] | None = None,
) -> Dataset:
    """Words of three letters in OpenCV's own font on grey, so that no font file is needed."""
    rng = stream(seed, path.name)
    words = labels or ["".join(rng.choice(list(LETTERS), 3)) for _ in range(n)]
    pictures = []
    for word in words:
        image = np.full((32, 80, 3), int(rng.integers(170, 255)), np.uint8)
        cv2.putText(image, word, (6, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (20, 20, 20), 2)
        pictures.append(encode_png(image))
    uids = [f"{path.name}:{i}" for i in range(n)]
    return write(path, pictures, uids=uids, labels=words, seed=seed, rejects=rejects)


def write(
    path: Path,
    pictures: Sequence[bytes],
    *,
    uids: Sequence[str],
    labels: Sequence[str] | None = None,
    seed: int = 0,
    rejects: Mapping[str, int] | None = None,
) -> Dataset:
    """A dataset of the given pictures, 80 x 32 pixels each."""
    items: list[Sample | Reject] = [
        Sample(
            uid=uid,
            image=picture,
            label=label,
            size=(80, 32),
            source=path.name,
            dhash128=dhash128(decode(picture)),
        )
        for uid, picture, label in zip(uids, pictures, labels or ["word"] * len(uids), strict=True)
    ]
    for reason, count in (rejects or {}).items():
        items += [Reject(uid=f"{path.name}:{reason}{i}", reason=reason) for i in range(count)]
    path.parent.mkdir(parents=True, exist_ok=True)
    shards.start(path, {"command": "test", "name": path.name, "seed": seed})
    shards.write_shard(path, 0, items)
    shards.finish(path)
    return Dataset.open(path)


RECIPE = """question = "How does accuracy move when <synthetic> words are added?"
seeds = [0]
"""


def recipe(**changes: Any) -> dict[str, Any]:
    """A resolved recipe, as ``study.json`` holds it."""
    return {
        "question": "How does accuracy move when <synthetic> words are added?",
        "parts": [part("real", "real"), part("rendered", "synthetic")],
        "designs": [{"kind": "fixed_real", "ratios": [0.0, 1.0, 3.0], "synthetic_only": True}],
        "seeds": [0],
        "protocol": "parseq36",
        "tests": ["out/test_a", "out/test_b"],
        "validation": 100,
        "held_out": "largest",
        "train": {"steps": 100, "batch": 640},
        **changes,
    }


def part(name: str, kind: str, note: str = "") -> dict[str, Any]:
    """A part of a resolved recipe."""
    return {
        "name": name,
        "kind": kind,
        "paths": [f"out/{name}"],
        "count": None,
        "note": note,
        "price": None,
    }


def finished(
    path: Path,
    accuracy: Mapping[str, float],
    *,
    words: Mapping[str, int],
    n_real: int = 1000,
    samples_seen: int = 64_000,
    seeds: tuple[int, ...] = (0,),
    seed_sd: float = 0.0,
    datasets: tuple[dict[str, Any], ...] = (),
    skip: tuple[str, ...] = (),
    design: str = "fixed_real",
    **changes: Any,
) -> Study:
    """Write a study whose cells have the stated true accuracies, and open it.

    Args:
        path: Its folder.
        accuracy: Cell -> true accuracy: ``r<ratio>``, or ``synthetic``.
        words: Test set -> its words.
        n_real: Real words in every cell with any.
        samples_seen: Words each run sees, repeats counted.
        seeds: Seeds of every cell.
        seed_sd: How far a seed moves a run's true accuracy.
        datasets: Entries of ``study.json``.
        skip: Runs that have not finished.
        design: Kind of its one design.
        changes: Keys of the recipe.
    """
    grid = _grid(accuracy, n_real)
    runs = {f"{cell['name']}-s{seed}": (cell, seed) for cell in grid for seed in seeds}
    facts_recipe = recipe(seeds=list(seeds), train={"steps": 100, "batch": samples_seen // 100}, **changes)
    parts = [part["name"] for part in facts_recipe["parts"]]
    rng, rows = np.random.default_rng(0), []
    hardness = {test: rng.uniform(size=n) for test, n in words.items()}
    for name, (cell, seed) in runs.items():
        true = accuracy[cell["name"]] + (rng.normal(0, seed_sd) if seed_sd else 0)
        scores = tested(path / "runs" / name / "predictions", hardness, true, rng)
        rows.append(_row(name, cell, seed, scores, samples_seen, parts))
    facts = _facts(facts_recipe, grid, list(runs), list(datasets), design)
    (path / "study.json").write_text(json.dumps(facts))
    kept = [json.dumps(row) for row in rows if row["run"] not in skip]
    (path / "runs.jsonl").write_text("".join(f"{row}\n" for row in kept))
    return Study.open(path)


def _facts(
    resolved: dict[str, Any],
    grid: list[dict[str, Any]],
    runs: list[str],
    datasets: list[dict[str, Any]],
    design: str,
) -> dict[str, Any]:
    parts = [part["name"] for part in resolved["parts"]]
    cells = []
    for cell in grid:
        words = dict(zip(parts, (cell["n_real"], cell["n_synthetic"]), strict=True))
        stage = {"words": {name: n for name, n in words.items() if n}, "changes": {}}
        cells.append({"name": cell["name"], "stages": [stage]})
    return {
        "format": 2,
        "kind": "study",
        "recipe": resolved,
        "recipe_toml": RECIPE,
        "command": None,
        "parts": resolved["parts"],
        "cells": cells,
        "designs": [
            {
                "name": design,
                "kind": design,
                "sentence": f"Synthetic words are added to the same {grid[0]['n_real']:,} real ones.",
                "factor": f"{parts[1]} words per {parts[0]} word",
                "scale": "ratio",
                "places": [{"cell": c["name"], "x": c["ratio"], "label": f"{c['ratio']}"} for c in grid],
                "base": grid[0]["name"],
                "remarks": [],
            }
        ],
        "held_out": [],
        "runs": runs,
        "datasets": datasets,
    }


def tested(
    folder: Path, hardness: Mapping[str, np.ndarray], true: float, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Scores of one run, which reads the words that are easier than ``true``; its predictions are kept."""
    scores = []
    for test, hard in hardness.items():
        correct = hard + rng.normal(0, 0.05, len(hard)) < true
        scores.append(score_of(test, correct))
        _predictions(folder / f"{test}.parquet", test, correct)
    return scores


def _grid(accuracy: Mapping[str, float], n_real: int) -> list[dict[str, Any]]:
    ratios = {cell: None if cell == "synthetic" else float(cell[1:]) for cell in accuracy}
    most = max(ratio or 0.0 for ratio in ratios.values())
    return [
        {
            "name": cell,
            "ratio": ratio,
            "n_real": 0 if ratio is None else n_real,
            "n_synthetic": round(n_real * (most if ratio is None else ratio)),
        }
        for cell, ratio in ratios.items()
    ]


def score_of(test: str, correct: np.ndarray) -> dict[str, Any]:
    """Figures of one run on one test set, of which it read the words ``correct``."""
    share, n = float(correct.mean()), len(correct)
    half = 1.96 * (share * (1 - share) / n) ** 0.5
    return {
        "name": test,
        "fingerprint": "f" * 64,
        "n_total": n + 2,
        "n_used": n,
        "dropped": {"too_long": 2},
        "n_correct": int(correct.sum()),
        "accuracy": share,
        "accuracy_low": share - half,
        "accuracy_high": share + half,
        "one_minus_ned": (1 + share) / 2,
        "one_minus_ned_low": (1 + share) / 2 - half,
        "one_minus_ned_high": (1 + share) / 2 + half,
        "protocol": "parseq36",
        "n_trained_on": 0,
    }


def _predictions(file: Path, test: str, correct: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    uids = [f"{test}:{i}" for i in range(len(correct))]
    read = ["abc" if right else "abd" for right in correct]
    table = {"uid": uids, "row": range(len(uids)), "label": ["abc"] * len(uids), "prediction": read}
    pq.write_table(pa.table({**table, "correct": correct}), file)


def _row(
    name: str,
    cell: dict[str, Any],
    seed: int,
    scores: list[dict[str, Any]],
    samples_seen: int,
    parts: list[str],
) -> dict[str, Any]:
    n_total = cell["n_real"] + cell["n_synthetic"]
    seen = samples_seen * cell["n_real"] // n_total
    words = dict(zip(parts, (cell["n_real"], cell["n_synthetic"]), strict=True))
    return {
        "run": name,
        "cell": cell["name"],
        "seed": seed,
        "words": words,
        "n_real": cell["n_real"],
        "n_synthetic": cell["n_synthetic"],
        "n_total": n_total,
        "unique": words,
        "seen": dict(zip(parts, (seen, samples_seen - seen), strict=True)),
        "steps": 100,
        "samples_seen": samples_seen,
        "model": "conv_ctc",
        "parameters": 1000,
        "flops": None,
        "device": "cpu",
        "threads": 1,
        "validation": score_of("validation", np.arange(100) < 100 * scores[0]["accuracy"]),
        "left_out": {parts[0]: {"too_long": 1}, parts[1]: {}},
        "unlearnable": {},
        "tests": scores,
        "stages": [],
        "versions": {"glyphmix": "0.1.0"},
        "git_commit": "abc",
        "timing": {"seconds": 1.0},
    }


def with_words(path: Path, **changes: Any) -> Study:
    """A finished study whose words exist: datasets beside it, and the mixtures it was trained on."""
    from curation.mixing import MixRecipe, MixSource, mix

    counts = {"real": 220, "rendered": 620, "test_a": 90, "test_b": 60}
    roles = {"real": "real", "rendered": "synthetic", "test_a": "test", "test_b": "test"}
    entries = []
    for name, n in counts.items():
        found = dataset(path.parent / name, n, rejects={"broken_image": 3} if name == "real" else None)
        entries.append(
            {
                "path": str(found.path),
                "name": name,
                "role": roles[name],
                "n_rows": n,
                "fingerprint": found.fingerprint,
                "rejected_by_reason": found.manifest["rejected_by_reason"],
                "command": f"glyphmix import tsv SOURCE -o {name}" if name == "real" else "",
                **({"n_shared": 0} if roles[name] == "test" else {}),
            }
        )
    accuracy = {"r0": 0.31, "r1": 0.44, "r3": 0.56, "synthetic": 0.40}
    words = {"test_a": 90, "test_b": 60}
    study = finished(path, accuracy, words=words, n_real=200, datasets=tuple(entries), **changes)
    (path / "mixtures").mkdir()
    for row in study.rows:
        sources = [
            MixSource(name=part["name"], paths=(path.parent / folder,), count=row["words"][part["name"]])
            for part, folder in zip(study.parts, ("real", "rendered"), strict=True)
        ]
        mix(MixRecipe(sources=tuple(sources)), path / "mixtures" / row["run"])
    return study
