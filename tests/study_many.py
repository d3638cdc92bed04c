"""A finished study of many designs, format 2, without training: runs drawn from a law that a test knows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from study_fakes import part, score_of, tested

from train.study.rows import Study

TRUTH = {"E": 0.04, "A": 1.8, "a": 0.35, "B": 4.5, "b": 0.32, "k": 0.12}
PARTS = {"photos": "real", "rendered": "synthetic", "trdg": "synthetic"}
WORTH = {"rendered": 1.0, "trdg": 0.6}  # of a synthetic word, times k
PARAMETERS = {(): 400_000, (16, 32): 50_000, (32, 64): 130_000, (96, 128): 1_600_000}
STEPS, BATCH, SEED_SD = 2_000, 128, 0.003

CellJson = dict[str, Any]
Placed = tuple[CellJson, float | None, str]  # with x and label


def cell(*stages: Mapping[str, int], **changes: Any) -> CellJson:
    """A cell as in ``study.json``; ``changes`` are of the last stage's training recipe, ``__`` for dots."""
    said = {key.replace("__", "."): value for key, value in changes.items()}
    names = ["-".join(f"{part}{words[part]}" for part in PARTS if words.get(part)) for words in stages]
    names[-1] += "".join(f"-{key}{value}" for key, value in said.items()).replace(" ", "")
    last = len(stages) - 1
    listed = [
        {"words": {part: words.get(part, 0) for part in PARTS}, "changes": said if i == last else {}}
        for i, words in enumerate(stages)
    ]
    return {"name": "--then--".join(names), "stages": listed}


def true_error(found: CellJson, truth: Mapping[str, float] = TRUTH) -> float:
    """Error of a cell; more steps make the part of the data smaller, an earlier stage as well."""
    last = found["stages"][-1]
    words = {part: max(stage["words"][part] for stage in found["stages"]) for part in PARTS}
    n = words["photos"] + truth["k"] * sum(words[part] * worth for part, worth in WORTH.items())
    steps = last["changes"].get("steps", STEPS)
    data = truth["B"] * n ** -truth["b"] * (steps / STEPS) ** -0.2 * 0.97 ** (len(found["stages"]) - 1)
    return truth["E"] + truth["A"] * parameters(found) ** -truth["a"] + data


def parameters(found: CellJson) -> int:
    """Parameters of the model of a cell."""
    return PARAMETERS[tuple(found["stages"][-1]["changes"].get("model.channels", ()))]


def designs() -> list[tuple[dict[str, Any], list[Placed]]]:
    """Designs as ``study.json`` has them, without places, and their cells with x and label."""
    alone = (cell({"rendered": 24_000}), None, "rendered only")
    fixed_real = [
        (cell({"photos": 4_000, "rendered": round(4_000 * r)}), float(r), f"{r:g}")
        for r in (0, 0.5, 1, 2, 3, 6)
    ]
    fixed_total = [
        (cell({"photos": round(8_000 / (1 + r)), "rendered": 8_000 - round(8_000 / (1 + r))}), r, f"{r:g}")
        for r in (0.0, 0.5, 1.0, 3.0, 7.0)
    ]
    volume = [
        (cell({"photos": n, "rendered": 3 * n}), 4.0 * n, f"{4 * n:,}") for n in (500, 1000, 2000, 4000, 8000)
    ]
    grid = [
        (cell({"photos": r, "rendered": s}), float(r + s), f"{r:,} + {s:,}")
        for r in (500, 2_000, 8_000)
        for s in (0, 6_000, 24_000)
    ]
    base = {"photos": 4_000, "rendered": 12_000}
    orders = [
        (cell(base), None, "together"),
        (cell({"rendered": 12_000}, {"photos": 4_000}), None, "synthetic then real"),
        (cell(base, {"photos": 4_000}), None, "together then real"),
        (cell({"photos": 4_000}), None, "real"),
    ]
    engines = [(cell({"photos": 4_000, name: 12_000}), None, name) for name in ("rendered", "trdg")]
    sizes, steps = _trained_otherwise(base)
    ratio, words = "rendered words per photos word", "different words in training"
    return [
        (_design("ratio", "fixed_real", ratio, "ratio", 0), [*fixed_real, alone]),
        (_design("share", "fixed_total", ratio, "ratio", 0), list(fixed_total)),
        (_design("volume", "volume", words, "log", 0), list(volume)),
        (_design("grid", "grid", words, "log", 0), list(grid)),
        (_design("size", "model_size", "parameters", "log", 0), sizes),
        (_design("steps", "compute", "samples seen", "log", 0), steps),
        (_design("orders", "pretrain", "order", "category", 3), list(orders)),
        (_design("engines", "source", "engine", "category", 0), list(engines)),
    ]


def _trained_otherwise(base: Mapping[str, int]) -> tuple[list[Placed], list[Placed]]:
    """The same words with other models, and with other numbers of steps."""
    sizes: list[Placed] = []
    for channels, name in (((16, 32), "tiny"), ((32, 64), "small"), ((), "base"), ((96, 128), "large")):
        found = cell(base, **({"model__channels": list(channels)} if channels else {}))
        sizes.append((found, float(parameters(found)), name))
    steps: list[Placed] = [
        (cell(base, **({} if n == STEPS else {"steps": n})), float(n * BATCH), f"{n:,} steps")
        for n in (500, 1_000, 2_000, 4_000)
    ]
    return sizes, steps


def _design(name: str, kind: str, factor: str, scale: str, base: int) -> dict[str, Any]:
    sentence = (
        f"Design {kind}: {factor} moves, and every run sees the same samples unless this is about them."
    )
    return {"name": name, "kind": kind, "sentence": sentence, "factor": factor, "scale": scale, "base": base}


def many(
    path: Path,
    *,
    words: Mapping[str, int] | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    truth: Mapping[str, float] = TRUTH,
    kinds: Sequence[str] | None = None,
    held_out: Sequence[str] = ("photos8000-rendered24000",),
    skip: Sequence[str] = (),
    question: str = "Which words next: photographs, or <rendered> ones?",
    note: str = "",
) -> Study:
    """Write a study whose cells err as the law ``truth`` says, and open it.

    Args:
        path: Its folder.
        words: Test set -> its words; the sets are equally hard.
        seeds: Seeds of every cell; a seed moves accuracy by 0.3 points (standard deviation).
        truth: E, A, a, B, b and k of E + A N^-a + B (photos + k rendered)^-b.
        kinds: Kinds of the designs to keep; None for all.
        held_out: Cells that were to be predicted first.
        skip: Runs that have not finished.
        question: Of the recipe.
        note: Of the rendered words.
    """
    kept = [pair for pair in designs() if kinds is None or pair[0]["kind"] in kinds]
    cells = {found["name"]: found for _, places in kept for found, _, _ in places}
    words = words or {"photos_test": 3_000, "curved_test": 288}
    rng, rows = np.random.default_rng(0), []
    hardness = {test: rng.uniform(size=n) for test, n in words.items()}
    runs = [(f"{name}-s{seed}", found, seed) for name, found in cells.items() for seed in seeds]
    for run, found, seed in runs:
        true = 1 - true_error(found, truth) + rng.normal(0, SEED_SD)
        scores = tested(path / "runs" / run / "predictions", hardness, true, rng)
        rows.append(_row(run, found, seed, scores))
    facts = _facts(kept, cells, [run for run, _, _ in runs], words, question, note)
    facts["held_out"] = [name for name in held_out if name in cells]
    facts["recipe"]["seeds"] = list(seeds)
    (path / "study.json").write_text(json.dumps(facts))
    lines = [json.dumps(row) for row in rows if row["run"] not in skip]
    (path / "runs.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return Study.open(path)


def _row(run: str, found: CellJson, seed: int, scores: list[dict[str, Any]]) -> dict[str, Any]:
    stages, changes = found["stages"], found["stages"][-1]["changes"]
    words = {part: max(stage["words"][part] for stage in stages) for part in PARTS}
    steps, n_total = changes.get("steps", STEPS), sum(words.values())
    samples = steps * BATCH
    seen = {part: samples * n // n_total for part, n in words.items()}
    by_kind = {kind: sum(words[p] for p in PARTS if PARTS[p] == kind) for kind in ("real", "synthetic")}
    validation = score_of("validation", np.arange(300) < 300 * scores[0]["accuracy"])
    return {
        "run": run,
        "cell": found["name"],
        "seed": seed,
        "words": words,
        "n_real": by_kind["real"],
        "n_synthetic": by_kind["synthetic"],
        "n_total": n_total,
        "unique": words,
        "seen": seen,
        "left_out": {part: {"too_long": 4} if part == "photos" else {} for part in PARTS},
        "unlearnable": {},
        "steps": steps,
        "samples_seen": samples,
        "model": "conv_ctc",
        "parameters": parameters(found),
        "flops": 6 * parameters(found) * samples * 32,
        "device": "cpu",
        "threads": 1,
        "validation": validation,
        "tests": scores,
        "stages": [],
        "recipe": "r" * 64,
        "mixture": "m" * 64,
        "datasets": {},
        "versions": {"glyphmix": "0.1.0", "torch": "2.0"},
        "git_commit": "0123456789abcdef0123456789abcdef01234567",
        "timing": {"seconds": 1.0},
    }


def _facts(
    kept: Sequence[tuple[dict[str, Any], list[Placed]]],
    cells: Mapping[str, CellJson],
    runs: Sequence[str],
    words: Mapping[str, int],
    question: str,
    note: str,
) -> dict[str, Any]:
    parts = [part(name, kind, note if name == "rendered" else "") for name, kind in PARTS.items()]
    described = []
    for design, places in kept:
        at = [{"cell": found["name"], "x": x, "label": label} for found, x, label in places]
        described.append({**design, "places": at, "base": at[design["base"]]["cell"]})
    roles = {**PARTS, **dict.fromkeys(words, "test")}
    datasets = [_dataset(name, role, words.get(name, 30_000)) for name, role in roles.items()]
    return {
        "format": 2,
        "kind": "study",
        "recipe": {
            "question": question,
            "protocol": "parseq36",
            "tests": [f"out/{test}" for test in words],
            "validation": 300,
            "held_out": "largest",
            "parts": parts,
            "designs": [{"kind": design["kind"]} for design, _ in kept],
            "train": {"steps": STEPS, "batch": BATCH},
        },
        "recipe_toml": f"question = {json.dumps(question)}\n",
        "command": None,
        "parts": parts,
        "cells": list(cells.values()),
        "designs": described,
        "runs": list(runs),
        "datasets": datasets,
    }


def _dataset(name: str, role: str, n_rows: int) -> dict[str, Any]:
    return {
        "path": f"out/{name}",
        "name": name,
        "role": role,
        "n_rows": n_rows,
        "fingerprint": "f" * 64,
        "rejected_by_reason": {"broken_image": 3} if role == "real" else {},
        "command": "",
        **({"n_shared": 0} if role == "test" else {}),
    }
