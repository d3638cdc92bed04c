"""A study in the terminal while it runs: a live table of its runs, or one bar."""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click
from tqdm import tqdm

from curation.core.pool import progress as bar_of
from curation.core.text import aligned
from train.study.running.progress import Progress, RunState, left_s

EACH_S = 1.0  # between two drawings
NOT_YET = "waiting"
SHORTEST = 12  # characters of a name
URGENT = "training", "failed", "stopped", "trained"


class Bar:
    """One progress bar over the words of all runs, on stderr; lines alone where that is no terminal."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._progress: Progress | None = None
        self._bar: tqdm[Any] | None = None

    def tell(self, line: str) -> None:
        """Print it above the bar."""
        if self._bar is None or self._bar.disable:
            click.echo(line, err=True)
        else:
            self._bar.write(line, file=sys.stderr)

    def look(self) -> None:
        """Move the bar."""
        if not sys.stderr.isatty():
            return
        self._progress = self._progress or Progress(self._out)
        states = self._progress.look()
        seen = sum(state.samples for state in states)
        if self._bar is None:
            total = sum(state.samples_total for state in states)
            self._bar = bar_of(total, "word", f"study {self._out.name}")
            self._bar.initial = seen  # what earlier calls did says nothing of the speed
            self._bar.n = seen
        done = sum(state.state == "done" for state in states)
        self._bar.set_postfix_str(f"{done}/{len(states)} runs", refresh=False)
        self._bar.update(seen - self._bar.n)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()


class Watch:
    """A table of all runs on stderr, drawn again in its place; lines alone where that is no terminal."""

    def __init__(self, out: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._out, self._clock = out, clock
        self._progress: Progress | None = None
        self._drawn, self._at = 0, -EACH_S

    def tell(self, line: str) -> None:
        """Print it above the table."""
        self._wipe()
        click.echo(line, err=True)

    def look(self) -> None:
        """Draw the table anew, at most once a second."""
        if sys.stderr.isatty() and self._clock() - self._at >= EACH_S:
            self._at = self._clock()
            self._progress = self._progress or Progress(self._out)
            size = shutil.get_terminal_size()
            self._draw(table(self._out, self._progress.look(), width=size.columns, height=size.lines))

    def _draw(self, text: str) -> None:
        self._wipe()
        click.echo(text, err=True)
        self._drawn = text.count("\n") + 1

    def _wipe(self) -> None:
        if self._drawn:
            sys.stderr.write(f"\x1b[{self._drawn}A\x1b[J")
        self._drawn = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._at = -EACH_S
        if self._progress is not None:
            self.look()  # as it is at the end


def attach(out: Path) -> None:
    """Show a study that other processes do until all its runs are done; once where stderr is no terminal.

    Raises:
        UserError: ``out`` holds no study.
    """
    progress = Progress(out)
    if not sys.stderr.isatty():
        click.echo(table(out, progress.look()))
        return
    with Watch(out) as watch:
        watch._progress = progress
        while any(state.state != "done" for state in progress.look()):
            watch.look()
            time.sleep(EACH_S / 2)


def table(
    out: Path, states: Sequence[RunState], *, width: int | None = None, height: int | None = None
) -> str:
    """The runs as an aligned table under one line that sums them up, cut to ``width`` and ``height``."""
    tests = list(dict.fromkeys(name for state in states for name in state.tests))
    shown, hidden = _shown(states, None if height is None else max(height - 4, 1))
    cells = [["run", "state", "words/s", "left", "held out", *tests]]
    cells += [_line(state, tests) for state in shown]
    if width is not None and (over := max(map(len, aligned(cells, left=(0, 1)))) - width + 1) > 0:
        longest = max(len(line[0]) for line in cells)
        cells = [[_shortened(name, max(longest - over, SHORTEST)), *rest] for name, *rest in cells]
    head, *body = aligned(cells, left=(0, 1))
    reasons = [state.reason and f": {state.reason}" for state in shown]
    lines = [_summary(out, states), head, *(line + why for line, why in zip(body, reasons, strict=True))]
    if hidden:
        counts = Counter(state.state for state in hidden)
        lines.append("not shown: " + ", ".join(f"{n} {state}" for state, n in counts.items()))
    return "\n".join(
        line if width is None or len(line) < width else f"{line[: width - 2]}…" for line in lines
    )


def _summary(out: Path, states: Sequence[RunState]) -> str:
    counts = Counter[str](state.state for state in states)
    told = [f"{counts.pop('done', 0)} of {len(states)} runs done"]
    told += [f"{counts[state]} {state}" for state in (*URGENT, NOT_YET) if counts[state]]
    left = left_s(states)
    return f"study {out}: {', '.join(told)}{f'; about {_duration(left)} left' if left is not None else ''}"


def _line(state: RunState, tests: Sequence[str]) -> list[str]:
    taken = f"step {state.step:,} of {state.steps:,}"
    said = {
        "training": taken,
        "stopped": f"stopped at {taken}",
        "trained": "trained",
        "waiting": NOT_YET,
    }.get(state.state, state.state)
    speed = state.words_per_second
    return [
        state.run,
        said,
        f"{speed:,.0f}" if speed else "",
        _duration(state.left_s) if state.state == "training" and state.left_s is not None else "",
        _percent(state.validation),
        *(_percent(state.tests.get(test)) for test in tests),
    ]


def _shown(states: Sequence[RunState], most: int | None) -> tuple[list[RunState], list[RunState]]:
    """The runs that there is room for: those at which something happens, then those nearest to them."""
    if most is None or len(states) <= most:
        return list(states), []
    urgent = [i for i, state in enumerate(states) if state.state in URGENT]
    at = urgent or [next((i for i, state in enumerate(states) if state.state == NOT_YET), len(states) - 1)]
    nearest = sorted(range(len(states)), key=lambda i: (i not in urgent, min(abs(i - j) for j in at), i))
    kept = set(nearest[:most])
    return (
        [state for i, state in enumerate(states) if i in kept],
        [state for i, state in enumerate(states) if i not in kept],
    )


def _shortened(name: str, most: int) -> str:
    """A name with its middle left out: the beginning says what it is trained on, the end its seed."""
    half = most // 2
    return name if len(name) <= most else f"{name[:half]}…{name[len(name) - (most - half - 1) :]}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _duration(seconds: float) -> str:
    """A duration in its two largest units: 40 s, 12 min, 3 h 5 min, 2 d 4 h."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"
