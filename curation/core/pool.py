"""Run independent tasks in worker processes, with a progress bar and a clean stop."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from tqdm import tqdm

from curation.core.errors import UserError

R = TypeVar("R")
Tick = Callable[[int], None]
RERUNS = 3  # of one task; a worker killed once may have met a busy machine, not one that is too small
NOT_BEGUN = -1
CONTEXT = multiprocessing.get_context("spawn")  # fork would copy the locks of OpenCV's and Arrow's threads
LOST = (
    "worker processes were killed again and again, perhaps for want of memory. "
    "Run the same command again with a smaller -j: it goes on where it stopped."
)
_ticks: Any = None  # in a worker: the items done of each task, or NOT_BEGUN


def progress(total: int | None, unit: str, what: str) -> tqdm[Any]:
    """A progress bar on stderr with rate and time left; silent when stderr is no terminal."""
    return tqdm(total=total, unit=unit, desc=what, disable=None, smoothing=0.1, dynamic_ncols=True)


def run_tasks(
    work: Callable[..., R], tasks: Sequence[tuple[Any, ...]], *, jobs: int, total: int, unit: str, what: str
) -> Iterator[R]:
    """Yield ``work(*task, tick)`` for every task, in the order in which they end.

    ``work`` must be a module-level function and calls ``tick(n)`` after every n items, which only moves
    the progress bar. With ``jobs`` of 1, or one task, it runs in this process. A task whose worker was
    killed is run again from its beginning, up to ``RERUNS`` times, so it must bear that.

    Raises:
        UserError: workers were killed again and again. Whatever a task raises is raised here.
    """
    with progress(total, unit, what) as bar:
        if jobs <= 1 or len(tasks) <= 1:
            for task in tasks:
                with one_opencv_thread():
                    result = work(*task, bar.update)
                yield result
            return
        yield from _in_processes(work, tasks, jobs, bar)


def _in_processes(
    work: Callable[..., R], tasks: Sequence[tuple[Any, ...]], jobs: int, bar: tqdm[Any]
) -> Iterator[R]:
    ticks = CONTEXT.RawArray("q", [NOT_BEGUN] * len(tasks))
    left = dict(enumerate(tasks))
    lost: Counter[int] = Counter()
    while left:
        try:
            for number, result in _until_one_dies(work, left, jobs, ticks, bar):
                del left[number]
                yield result
        except BrokenProcessPool:
            under_way = [number for number in left if ticks[number] != NOT_BEGUN] or list(left)
            lost.update(under_way)
            if max(lost.values()) > RERUNS:
                raise UserError(LOST) from None
            for number in under_way:
                ticks[number] = NOT_BEGUN


def _until_one_dies(
    work: Callable[..., R], tasks: Mapping[int, tuple[Any, ...]], jobs: int, ticks: Any, bar: tqdm[Any]
) -> Iterator[tuple[int, R]]:
    """Yield number and result of the tasks that end; when a worker dies, all others have ended as well."""
    workers = min(jobs, len(tasks))
    with one_thread_each(), ProcessPoolExecutor(workers, CONTEXT, _start_worker, (ticks,)) as pool:
        try:
            with interrupts_wait():
                waiting = {pool.submit(_call, work, number, task): number for number, task in tasks.items()}
            while waiting:
                done, _ = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
                bar.update(sum(max(n, 0) for n in ticks) - bar.n)
                for future in done:
                    yield waiting.pop(future), future.result()
        except BrokenProcessPool:
            raise
        except BaseException:
            for process in list((pool._processes or {}).values()):
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _start_worker(ticks: Any) -> None:
    global _ticks  # the pool offers no other way to hand shared memory over
    _ticks = ticks
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """Stop at once when the parent is killed, or this worker would write beside those of the next run."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _call(work: Callable[..., R], number: int, task: Iterable[Any]) -> R:
    _ticks[number] = 0

    def tick(n: int) -> None:
        _ticks[number] += n  # nobody else writes there

    with one_opencv_thread():
        return work(*task, tick)


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Some functions of OpenCV round otherwise with each number of threads."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Hold Ctrl-C back; processes started meanwhile hold it back for ever, from their first moment on."""
    held: list[int] = []
    in_main = threading.current_thread() is threading.main_thread()  # no other one is ever interrupted
    handler = signal.signal(signal.SIGINT, lambda number, frame: held.append(number)) if in_main else None
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited, as no handler is
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if in_main:
            signal.signal(signal.SIGINT, handler)
    if held:
        signal.raise_signal(signal.SIGINT)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let libraries in the workers start one thread each; they read this before they load."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
