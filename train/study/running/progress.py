"""How far the runs of a study are, read from its folder alone: whoever does them, on whatever machine."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from curation.core.errors import UserError
from train.study.rows import FORMAT, read_facts

WINDOW_S = 30.0  # over which a speed is measured
STILL_S = 120.0  # without a step: most trainings take hundreds meanwhile
PACES = 10  # of a run's own time between two steps seen, after which it is taken for stopped in any case

State = Literal["waiting", "training", "stopped", "trained", "done", "failed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunState:
    """How far one run is.

    Attributes:
        run: Its name.
        state: ``stopped``: begun, and no step was taken for a while. ``trained``: its test words are unread.
        step: Steps taken, of all its stages.
        steps: Steps in all.
        samples: Words seen, repeats counted.
        samples_total: Words that it will have seen at the end.
        words_per_second: Now if it trains, over all if it is done; None if that is not known.
        validation: Accuracy on the words held out, 0-1; None before it is measured.
        tests: Accuracy on each test set, 0-1.
        reason: Why it failed.
    """

    run: str
    state: State
    step: int = 0
    steps: int
    samples: int = 0
    samples_total: int
    words_per_second: float | None = None
    validation: float | None = None
    tests: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""

    @property
    def left_s(self) -> float | None:
        """Seconds until it is trained, if it goes on as it does; None if that is not known."""
        return (self.samples_total - self.samples) / self.words_per_second if self.words_per_second else None


class Progress:
    """Follows a study in the folder ``out``.

    Raises:
        UserError: no study is there, or one of a newer format.
    """

    def __init__(self, out: Path) -> None:
        if not (out / "study.json").is_file():
            raise UserError(f"{out} holds no study: it has no study.json. Make one with 'ablate'.")
        facts = read_facts(out)
        if facts["format"] > FORMAT:
            raise UserError(
                f"{out} has format {facts['format']}; this glyphmix reads up to {FORMAT}. Update it."
            )
        cells = {cell["name"]: cell for cell in facts["cells"]}
        seeds = len(facts["recipe"]["seeds"])
        names = [name for name in cells for _ in range(seeds)]
        train = facts["recipe"]["train"]
        self.out = out
        self._runs = [
            _Followed(out, run, cells[cell]["stages"], train)
            for run, cell in zip(facts["runs"], names, strict=True)
        ]

    def look(self, now: float | None = None) -> list[RunState]:
        """All runs as they are now, in the order of the grid; ``now`` is in seconds since the epoch."""
        return [run.look(time.time() if now is None else now) for run in self._runs]


class _Followed:
    """One run, and the ends of its logs that were read already."""

    def __init__(
        self, out: Path, run: str, stages: Sequence[Mapping[str, Any]], train: Mapping[str, Any]
    ) -> None:
        self.out, self.run = out, run
        n = len(stages)
        folders = [out / "runs" / (run if i == n else f"{run}.{i}") for i in range(1, n + 1)]
        changes = [stage["changes"] for stage in stages]
        self.batches = [int(change.get("batch", train["batch"])) for change in changes]
        self.steps = [int(change.get("steps", train["steps"])) for change in changes]
        self.logs = [_Log(folder) for folder in folders]
        self.seen: deque[tuple[float, int]] = deque()
        self.ended: RunState | None = None

    def look(self, now: float) -> RunState:
        if self.ended is None:
            row = self._row()
            if row is None:
                return self._under_way(now)
            self.ended = row
        return self.ended

    def _row(self) -> RunState | None:
        try:
            row = json.loads((self.out / "runs" / self.run / "row.json").read_text(encoding="utf-8"))
            total = self._samples(self.steps)
            return RunState(
                run=self.run,
                state="done",
                step=sum(self.steps),
                steps=sum(self.steps),
                samples=total,
                samples_total=total,
                words_per_second=total / row["timing"]["seconds"] if row["timing"].get("seconds") else None,
                validation=row["validation"]["accuracy"] if row["validation"] else None,
                tests={score["name"]: score["accuracy"] for score in row["tests"]},
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None  # not there yet, or damaged, which ablate says

    def _under_way(self, now: float) -> RunState:
        for log in self.logs:
            log.read()
        if self.seen and not self.seen[0][0]:
            self.seen.clear()  # it had not begun
        steps = [log.step for log in self.logs]
        samples = self._samples(steps)
        if not self.seen or self.seen[-1][1] != samples:
            # what was written before the first look is as old as its file
            if self.seen and samples < self.seen[-1][1]:
                self.seen.clear()  # it went back to a checkpoint
            self.seen.append((now if self.seen else max(log.changed for log in self.logs), samples))
        while len(self.seen) > 2 and self.seen[1][0] < now - WINDOW_S:
            self.seen.popleft()
        reason = self._reason()
        state = self._state(now, failed=bool(reason))
        return RunState(
            run=self.run,
            state=state,
            step=sum(steps),
            steps=sum(self.steps),
            samples=samples,
            samples_total=self._samples(self.steps),
            words_per_second=self._speed() if state == "training" else None,
            validation=self.logs[-1].validation,
            reason=reason if state == "failed" else "",
        )

    def _state(self, now: float, *, failed: bool) -> State:
        if (self.logs[-1].folder / "run.json").is_file():
            return "failed" if failed else "trained"
        changed = self.seen[-1][0]
        began = changed > 0
        speed = self._speed()
        patience = max(STILL_S, PACES * self.batches[-1] / speed if speed else 0.0)
        moves = began and now - changed < patience
        if failed and not (moves and changed > self._trace().stat().st_mtime):
            return "failed"
        if not began:
            return "waiting"
        return "training" if moves else "stopped"

    def _speed(self) -> float | None:
        """Words per second over the last looks; None before steps were seen to be taken."""
        (first, before), (last, after) = self.seen[0], self.seen[-1]
        return (after - before) / (last - first) if after > before and last > first else None

    def _samples(self, steps: Sequence[int]) -> int:
        return sum(n * batch for n, batch in zip(steps, self.batches, strict=True))

    def _trace(self) -> Path:
        return self.out / "runs" / f"{self.run}.error.txt"

    def _reason(self) -> str:
        try:
            lines = self._trace().read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            return ""
        said = next((line for line in reversed(lines) if line.strip()), "it is not known why")
        return said.removeprefix("curation.core.errors.UserError: ")


class _Log:
    """The log of one training, read on from where it was left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.step, self.validation, self.changed = 0, None, 0.0
        self._read = 0

    def read(self) -> None:
        """Take up what was written since."""
        with suppress(OSError):
            self.changed = max(self.changed, self.folder.stat().st_mtime)
        with suppress(OSError), (self.folder / "log.jsonl").open("rb") as file:
            size = file.seek(0, 2)
            if size < self._read:  # the training went back to a checkpoint
                self._read, self.step, self.validation = 0, 0, None
            file.seek(self._read)
            whole = file.read().rpartition(b"\n")[0]
            self._read += len(whole) + bool(whole)
            self.changed = max(self.changed, (self.folder / "log.jsonl").stat().st_mtime)
            for line in whole.split(b"\n"):
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            self.step = int(entry["step"])
            if validation := entry.get("validation"):
                self.validation = validation["accuracy"]
        except (ValueError, KeyError, TypeError):
            return  # whoever goes on with the training says that a line is damaged


def left_s(states: Sequence[RunState]) -> float | None:
    """Seconds until all runs are trained, at the speed and as many at once as now; None if not known."""
    speeds = [state.words_per_second for state in states if state.words_per_second]
    training = [state for state in states if state.state == "training"]
    if not speeds or not training:
        return None
    usual = sum(1 / speed for speed in speeds) / len(speeds)
    left = [
        (state.samples_total - state.samples)
        * (1 / state.words_per_second if state.words_per_second else usual)
        for state in states
        if state.state not in ("done", "trained", "failed")
    ]
    return max(sum(left) / len(training), *left)
