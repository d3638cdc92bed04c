"""Processes that draw the words of a stream ahead of the training, each a thousand at a time."""

from __future__ import annotations

import math
import signal
import threading
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from curation.core.errors import UserError
from curation.core.images import Pixels
from curation.core.pool import CONTEXT, RERUNS, end_with_parent, interrupts_wait, one_thread_each
from synthgen.engines import BLOCK
from train.data.rendered import Indices
from train.data.word_stream import Label, WordStream

AHEAD = 2  # tasks for each process: one that it draws, and the next, so that it never waits
NO_TASK = -1
LOST = (
    "processes that draw words were killed again and again, perhaps for want of memory. Run the same command "
    "again with fewer jobs in the recipe's table 'rendered': it goes on where it stopped."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Task:
    """Words to draw, of one planned block, and where their images go."""

    number: int
    slot: int
    words: Indices


@dataclass(kw_only=True, slots=True)
class _Worker:
    process: Any
    pipe: Connection
    tasks: list[_Task] = field(default_factory=list)


class Drawers:
    """Words of a stream in a known order, drawn ahead by processes; a context that ends them.

    Images come through memory that all share, so they are copied once, into the batch. The memory has no
    name and the processes share no locks: whatever is killed, nothing stays behind. A process that is killed
    is replaced; all end when this one does.

    Args:
        stream: The words.
        jobs: The most processes, 1 or more, each begun when it has something to do; the words do not depend
            on it.
        wanted: Numbers of the words in the order in which ``take`` will give them, in arrays of any length,
            rising; asked for as far ahead as processes draw.
    """

    def __init__(self, stream: WordStream, jobs: int, wanted: Iterable[Indices]) -> None:
        self._stream = stream
        n_slots = AHEAD * jobs + 1
        shape = (n_slots, BLOCK, *stream.size, 3)
        self._memory = CONTEXT.RawArray("B", math.prod(shape))
        self._images: Pixels = np.frombuffer(self._memory, np.uint8).reshape(shape)
        self._tasks = enumerate(blocks(wanted))
        self._free = list(range(n_slots))
        self._order: list[_Task] = []  # begun and not wholly taken, in the order in which they are
        self._done: dict[int, list[Label]] = {}
        self._n_taken = 0  # of the first task
        self._lost: Counter[int] = Counter()
        self._workers: list[_Worker] = []
        self._jobs = jobs

    def __enter__(self) -> Drawers:
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._workers:
            worker.pipe.close()
            worker.process.kill()  # it has nothing to finish
        for worker in self._workers:
            worker.process.join()
            worker.process.close()
        self._workers = []

    def take(self, n: int) -> tuple[NDArray[np.uint8], list[Label]]:
        """The next ``n`` words: images, (n, H, W, 3) uint8, and labels.

        Raises:
            UserError: processes were killed again and again. Whatever drawing raises is raised here.
            IndexError: fewer were wanted.
        """
        images = np.empty((n, *self._images.shape[2:]), np.uint8)
        labels: list[Label] = []
        while len(labels) < n:
            self._hand_out()
            if not self._order:
                raise IndexError(f"{n - len(labels)} words more than were wanted")
            task = self._order[0]
            if task.number not in self._done:
                self._collect(None)
                continue
            here = slice(self._n_taken, min(len(task.words), self._n_taken + n - len(labels)))
            images[len(labels) : len(labels) + here.stop - here.start] = self._images[task.slot, here]
            labels += self._done[task.number][here]
            self._n_taken = here.stop
            if self._n_taken == len(task.words):
                self._n_taken = 0
                del self._order[0], self._done[task.number]
                self._free.append(task.slot)
        self._collect(0)
        self._hand_out()
        return images, labels

    def _hand_out(self) -> None:
        """Give the processes what they have memory for, the one with least to do first."""
        while self._free and (found := next(self._tasks, None)) is not None:
            task = _Task(number=found[0], slot=self._free.pop(), words=found[1])
            self._order.append(task)
            if len(self._workers) < self._jobs and all(worker.tasks for worker in self._workers):
                self._workers.append(self._started())
            self._send(min(self._workers, key=lambda worker: len(worker.tasks)), task)

    def _send(self, worker: _Worker, task: _Task) -> None:
        worker.tasks.append(task)
        with suppress(ConnectionError):  # it is dead, which the next wait finds out, and has it replaced
            worker.pipe.send(task)

    def _collect(self, timeout: float | None) -> None:
        """Take in what is drawn, waiting up to ``timeout`` seconds for something; None for ever."""
        pipes = {worker.pipe: worker for worker in self._workers}
        for pipe in wait(list(pipes), timeout):
            worker = pipes[pipe]  # type: ignore[index]
            try:
                found = worker.pipe.recv()
            except (EOFError, ConnectionError):
                self._replace(worker)
                continue
            if isinstance(found, BaseException):
                raise found
            self._done[worker.tasks.pop(0).number] = found

    def _replace(self, worker: _Worker) -> None:
        worker.process.kill()
        worker.process.join()
        self._lost[worker.tasks[0].number if worker.tasks else NO_TASK] += 1
        if max(self._lost.values()) > RERUNS:
            raise UserError(LOST)
        click.echo("Warning: a process that draws words was killed; another one does its work.", err=True)
        worker.pipe.close()
        worker.process.close()
        fresh = self._started()
        for task in worker.tasks:
            self._send(fresh, task)
        self._workers[self._workers.index(worker)] = fresh

    def _started(self) -> _Worker:
        ours, theirs = CONTEXT.Pipe()
        arguments = self._stream, self._memory, self._images.shape, theirs
        process = CONTEXT.Process(target=_draw_for_ever, args=arguments, daemon=True)
        resource_tracker.ensure_running()  # as it begins, it lets interrupts through again
        with one_thread_each(), interrupts_wait():
            process.start()
        theirs.close()
        return _Worker(process=process, pipe=ours)


def blocks(wanted: Iterable[Indices]) -> Iterator[Indices]:
    """Join and cut ``wanted`` so that neighbours of one planned block, and only those, are together."""
    parts: list[Indices] = []
    for numbers in wanted:
        for part in np.split(numbers, np.flatnonzero(np.diff(numbers // BLOCK)) + 1):
            if parts and len(part) and part[0] // BLOCK != parts[0][0] // BLOCK:
                yield np.concatenate(parts)
                parts = []
            parts += [part] if len(part) else []
    if parts:
        yield np.concatenate(parts)


def _draw_for_ever(stream: WordStream, memory: Any, shape: tuple[int, ...], pipe: Connection) -> None:
    """What a process does until its parent closes the pipe, kills it or dies."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the parent decides, when both are told to stop
    threading.Thread(target=end_with_parent, daemon=True).start()
    images = np.frombuffer(memory, np.uint8).reshape(shape)
    with suppress(EOFError, ConnectionError):
        while True:
            task: _Task = pipe.recv()
            try:
                found: Any = stream.draw(task.words.tolist(), images[task.slot, : len(task.words)])
            except Exception as error:
                error.add_note("".join(traceback.format_exception(error)))
                found = error
            pipe.send(found)
