"""Studies of four tiny runs: their words, their recipe, and steps that take no time."""

from __future__ import annotations

import json
import multiprocessing
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from study_fakes import dataset

from curation.core.recipe import build, resolved
from train.study.plan import Plan
from train.study.recipe import StudyRecipe
from train.study.rows import read_rows
from train.study.running import workers
from train.study.running.one_run import Steps
from train.study.running.run import ablate

TINY = {
    "model": {
        "kind": "conv_ctc",
        "channels": [8, 8, 8, 8],
        "blocks": [0, 0, 0],
        "tail": 16,
        "tail_blocks": 1,
    },
    "steps": 12,
    "batch": 16,
    "threads": 1,
    "checkpoint_every": 4,
    "validate_every": 6,
}


def lay_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make 60 real, 120 rendered and 40 test words and go there; paths in recipes are relative to it."""
    monkeypatch.setenv("GLYPHMIX_CACHE", str(folder / "cache"))
    monkeypatch.chdir(folder)
    dataset(folder / "real", 60, rejects={"broken_image": 2})
    dataset(folder / "rendered", 120)
    dataset(folder / "test_a", 40)
    return folder


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let worker processes begin as copies of this one: importing torch takes each of them seconds.

    Trainings that are not faked must name the device cpu: a copy of a process that has used CUDA cannot.
    """
    monkeypatch.setattr(workers, "CONTEXT", multiprocessing.get_context("fork"))


REAL = {"name": "real", "kind": "real", "paths": ["real"]}
RENDERED = {"name": "rendered", "kind": "synthetic", "paths": ["rendered"]}
ADDED = {"kind": "fixed_real", "ratios": [0, 1, 3], "synthetic_only": True}


def table(**changes: Any) -> dict[str, Any]:
    return {
        "question": "Does it help?",
        "tests": ["test_a"],
        "validation": 20,
        "held_out": "none",
        "parts": [REAL, RENDERED],
        "designs": [ADDED],
        "train": TINY,
        **changes,
    }


def recipe(*designs: dict[str, Any], **changes: Any) -> StudyRecipe:
    """The recipe of a tiny study, with other designs or keys."""
    if designs:
        changes["designs"] = list(designs)
    return build(StudyRecipe, table(**changes), where="study.toml")


def toml(**changes: Any) -> str:
    """The same as TOML: JSON values are TOML values, but for tables, which are written inline."""

    def written(value: Any) -> str:
        if isinstance(value, dict):
            return "{ " + ", ".join(f"{key} = {written(item)}" for key, item in value.items()) + " }"
        if isinstance(value, list):
            return "[" + ", ".join(map(written, value)) + "]"
        return json.dumps(value)

    return "\n".join(f"{key} = {written(value)}" for key, value in table(**changes).items())


def without_timing(path: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "timing"} for row in read_rows(path / "runs.jsonl")]


@dataclass(frozen=True)
class FakeScore:
    name: str = "test_a"
    accuracy: float = 0.5
    n_used: int = 40
    n_correct: int = 20


@dataclass(frozen=True)
class FakeFit:
    """Training that only leaves a record; worker processes can be sent it."""

    broken: tuple[str, ...] = ()
    done: list[str] | None = None

    def __call__(self, recipe: Any, out: Path, *, seed: int, mixture: Path) -> dict[str, Any]:
        if out.name in self.broken:
            raise FloatingPointError("loss nan")
        if self.done is not None:
            self.done.append(out.name)
        out.mkdir()
        manifest = json.loads((mixture / "manifest.json").read_text())
        record = {
            "recipe": resolved(recipe),
            "seed": seed,
            "mixture": {
                "fingerprint": manifest["fingerprint"],
                "sources": [
                    {"name": s["name"], "unique": s["unique"], "seen": s["positions"]}
                    for s in manifest["sources"]
                ],
            },
            "steps": recipe.steps,
            "samples_seen": recipe.steps * recipe.batch,
            "unlearnable": {},
            "parameters": 1,
            "device": "cpu",
            "validation": {"accuracy": 0.5, "n_used": 20, "n_correct": 10},
            "versions": {},
            "git_commit": None,
            "timing": {"seconds": time.perf_counter()},
        }
        (out / "run.json").write_text(json.dumps(record))
        return record


def fake_evaluate(run: Path, tests: Any, *, protocol: str) -> list[FakeScore]:
    return [FakeScore()]


def fake_steps(*, broken: tuple[str, ...] = (), done: list[str] | None = None) -> Steps:
    return Steps(fit=FakeFit(broken, done), evaluate=fake_evaluate)


def run(study: Plan, out: Path, steps: Steps, told: list[str] | None = None, **options: Any) -> Any:
    view = Lines(told if told is not None else [])
    return ablate(study, out, toml="", steps=steps, view=view, **options)


@dataclass(frozen=True)
class Lines:
    """Keeps the lines that a study tells."""

    told: list[str]

    def tell(self, line: str) -> None:
        self.told.append(line)

    def look(self) -> None:
        pass
