"""Taking the steps of a training: the log, checkpoints, and stopping when asked to."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from curation.core.errors import UserError
from curation.core.pool import progress
from train import checkpoints
from train.cost import Meter
from train.data.batches import Words
from train.processes import Processes
from train.run_log import RunLog
from train.training import Training, learning_rate
from train.validation import validate

GPU_LOOKS_EVERY = 20  # steps: to look at a loss, the processor waits for the GPU


class Loop:
    """Takes the steps that are left of a training, from where it stands.

    Args:
        training: What is trained.
        words: What it learns from.
        out: The folder of the run.
        meter: Counts what it costs.
        processes: Who trains together; the first writes.
    """

    def __init__(
        self, training: Training, words: Words, out: Path, meter: Meter, processes: Processes
    ) -> None:
        self.training, self.words, self.out, self.meter = training, words, out, meter
        self.processes, self.recipe = processes, training.recipe
        self._saved = training.step
        self._unseen: list[torch.Tensor] = []
        self._shown: dict[str, str] = {}

    def run(self) -> None:
        """Take them.

        Raises:
            UserError: the loss is no longer finite.
            KeyboardInterrupt: Ctrl-C was pressed; a checkpoint was written first.
            SystemExit: SIGTERM came; as for Ctrl-C.
        """
        n, part = self.recipe.batch, self.processes.part(self.recipe.batch)
        left = range(self.training.step, self.recipe.steps)
        with (
            _stop_signals() as stop,
            self._log() as log,
            self._bar() as bar,
            closing(self.words.batches((k * n + part.start, k * n + part.stop) for k in left)) as batches,
        ):
            for _ in left:
                began = time.perf_counter()
                self._unseen.append(self.training.advance(*next(batches)))
                seen = self._look(stop) if self._is_due(stop) else []
                self.meter.seconds += time.perf_counter() - began
                bar.update(n)
                if seen:
                    self._settle(seen, log, bar)
                    if seen[-1][0]:  # another process than this may have been asked
                        raise stop[0] if stop else SystemExit(128 + signal.SIGTERM)

    def _is_due(self, stop: list[BaseException]) -> bool:
        """Say whether to look at the losses now: all processes at the same step."""
        step, every = self.training.step, GPU_LOOKS_EVERY if self.training.device.type == "cuda" else 1
        by_step = step % every == 0 or step == self.recipe.steps or self._saves() or self._validates()
        return by_step or (self.processes.count == 1 and bool(stop))

    def _look(self, stop: list[BaseException]) -> list[list[float]]:
        """Loss and gradient norm of the steps since the last look; and whether any process is to stop."""
        rows = torch.stack([*self._unseen, self._unseen[0].new_tensor([float(bool(stop)), 0])])
        seen: list[list[float]] = self.processes.total(rows / self.processes.count).tolist()
        self._unseen.clear()
        return seen

    def _settle(self, seen: list[list[float]], log: RunLog | None, bar: tqdm[Any]) -> None:
        """Write down what was seen, and keep a checkpoint if it is time."""
        step = self.training.step - (len(seen) - 1)
        for loss, norm in seen[:-1]:
            if not math.isfinite(loss + norm):
                raise self._diverged(step + 1, f"loss {loss:g}, gradient norm {norm:g}")
            lr, step = learning_rate(self.recipe, step), step + 1
            entry: dict[str, Any] = {"step": step, "loss": round(loss, 6), "lr": lr}
            if log is not None:
                if step == self.training.step and self._validates():
                    entry["validation"] = self._validate()
                log.write(entry)
            self._shown["loss"] = f"{loss:.3f}"
        bar.set_postfix(self._shown, refresh=False)
        if seen[-1][0] or self._saves():
            self._save(log)

    def _saves(self) -> bool:
        return self.training.step % self.recipe.checkpoint_every == 0

    def _validates(self) -> bool:
        return self.recipe.validate_every > 0 and self.training.step % self.recipe.validate_every == 0

    def _validate(self) -> dict[str, Any] | None:
        found = validate(self.training.reader(self.words.batch), self.words, self.recipe)
        if found:
            self._shown["accuracy"] = f"{100 * found['accuracy']:.1f} %"
        return found

    def _save(self, log: RunLog | None) -> None:
        if not self.training.is_finite():
            raise self._diverged(self.training.step, "weights are not finite")
        cost = self.cost()
        self.words.gather()
        if log is not None:
            log.flush()
            checkpoints.save(self.out, self.training.state() | {"cost": cost, "words": self.words.state()})
        self._saved = self.training.step

    def cost(self) -> dict[str, float]:
        """What the run cost up to here: processor time of all processes, all of which have to ask."""
        cost = self.meter.state()
        own = torch.tensor(cost["processor_seconds"], dtype=torch.float64, device=self.training.device)
        return cost | {"processor_seconds": self.processes.total(own).item()}

    def _diverged(self, step: int, what: str) -> UserError:
        kept = f"Step {self._saved} is kept in {checkpoints.path_of(self.out)}"
        return UserError(
            f"training {self.out} diverged at step {step} ({what}). "
            f"{kept if self._saved else 'No step was kept'}; lower lr and train to another folder."
        )

    @contextmanager
    def _log(self) -> Iterator[RunLog | None]:
        if not self.processes.is_first:
            yield None
            return
        with RunLog(self.out, self.recipe, self.training.step + 1) as log:
            yield log

    @contextmanager
    def _bar(self) -> Iterator[tqdm[Any]]:
        total = self.recipe.steps * self.recipe.batch
        is_first = self.processes.is_first
        with progress(total, "word", f"train {self.out.name}") if is_first else tqdm(disable=True) as bar:
            bar.update(self.training.step * self.recipe.batch)
            yield bar


@contextmanager
def _stop_signals() -> Iterator[list[BaseException]]:
    """Collect Ctrl-C and SIGTERM, so that a step is never left half done; a second one acts at once."""
    stop: list[BaseException] = []

    def ask(number: int, frame: object) -> None:
        if stop:
            raise stop[0]
        stop.append(KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number))

    try:
        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not in the main thread, which alone may handle signals
        before = {}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
