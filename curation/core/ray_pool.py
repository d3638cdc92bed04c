"""Run independent tasks on Ray, as ``pool`` does in processes; Ray is imported when tasks are run."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from curation.core.errors import UserError
from curation.core.pool import LOST, RERUNS, progress

R = TypeVar("R")
TICK_S = 0.5  # between two reports of a task, so that thousands of workers do not drown one counter


def run_tasks(
    work: Callable[..., R],
    tasks: Sequence[tuple[Any, ...]],
    *,
    jobs: int,
    total: int,
    unit: str,
    what: str,
    address: str | None = None,
    cores: int = 1,
    gpu: bool | None = False,
    lost: Callable[[tuple[Any, ...]], R] | None = None,
    look: Callable[[], None] | None = None,
) -> Iterator[R]:
    """Yield ``work(*task, tick)`` for every task, in the order in which they end; see ``pool.run_tasks``.

    Tasks run with the current directory of this process. A task whose worker or machine is lost is run
    again from its beginning, up to ``RERUNS`` times.

    Args:
        work: A function of an installed module, so that the workers can import it.
        tasks: Arguments of each call.
        jobs: Tasks at once on a Ray of this machine.
        total: Items in all tasks, for the progress bar.
        unit: What an item is.
        what: What is done to it.
        address: A running cluster, whose cores decide how many tasks run at once. None starts a Ray on
            this machine and ends it afterwards, unless this process is connected to one already.
        cores: Of the processor, for each task.
        gpu: Whether each task takes a GPU; None for one if the cluster has any.
        lost: What is yielded for a task whose worker was lost again and again; None to raise that.
        look: Called twice a second, to show instead of a progress bar how far the tasks are.

    Raises:
        UserError: Ray is not installed or not reached, or workers were lost again and again. Whatever a
            task raises is raised here.
    """
    ray = _import_ray()
    at_once = min(jobs, max(len(tasks), 1))
    bar = progress(total, unit, what) if look is None else tqdm(disable=True)
    with bar, _connected(ray, at_once * cores, address):
        counter = ray.remote(num_cpus=0, max_restarts=-1)(_Counter).remote()
        takes_gpu = ray.cluster_resources().get("GPU", 0) > 0 if gpu is None else gpu
        options = {"num_cpus": cores, "num_gpus": int(takes_gpu), "max_retries": RERUNS}
        call = ray.remote(**options)(_call)
        here = str(Path.cwd())
        waiting = {call.remote(work, task, number, counter, here): task for number, task in enumerate(tasks)}
        result = partial(_result, ray, lost=lost)
        yield from _results(ray, waiting, result, counter, bar, look or (lambda: None))


def _results(
    ray: Any,
    waiting: dict[Any, tuple[Any, ...]],
    result: Callable[[Any, tuple[Any, ...]], R],
    counter: Any,
    bar: tqdm[Any],
    look: Callable[[], None],
) -> Iterator[R]:
    """What tasks return, as they end; the others are cancelled when something is raised."""
    try:
        while waiting:
            done, _ = ray.wait(list(waiting), num_returns=1, timeout=TICK_S)
            bar.update(_total(ray, counter) - bar.n)
            look()
            for reference in done:
                yield result(reference, waiting.pop(reference))
    except BaseException:
        for reference in waiting:
            ray.cancel(reference, force=True)
        raise


class _Counter:
    """The items done of each task, wherever it runs."""

    def __init__(self) -> None:
        self.done: dict[int, int] = {}

    def set(self, number: int, n: int) -> None:
        self.done[number] = n

    def total(self) -> int:
        return sum(self.done.values())


def _call(work: Callable[..., R], task: Sequence[Any], number: int, counter: Any, folder: str) -> R:
    import cv2

    cv2.setNumThreads(1)
    try:
        os.chdir(folder)
    except OSError as error:
        raise UserError(
            f"folder {folder} is not to be had on {platform.node()} ({error.strerror}). "
            "Work in a folder that all machines of the Ray cluster share."
        ) from None
    done, told = 0, time.monotonic()

    def tick(n: int) -> None:
        nonlocal done, told
        done += n
        if (now := time.monotonic()) - told >= TICK_S:
            counter.set.remote(number, done)
            told = now

    try:
        return work(*task, tick)
    finally:
        counter.set.remote(number, done)


def _total(ray: Any, counter: Any) -> int:
    try:
        return int(ray.get(counter.total.remote(), timeout=5))
    except (ray.exceptions.RayActorError, ray.exceptions.GetTimeoutError):
        return 0  # it only moves the bar


def _result(ray: Any, reference: Any, task: tuple[Any, ...], lost: Callable[..., Any] | None) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None  # Ray's own message is the worker's whole traceback
    except (
        ray.exceptions.WorkerCrashedError,
        ray.exceptions.NodeDiedError,
        ray.exceptions.OutOfMemoryError,
    ):
        if lost is not None:
            return lost(task)
        raise UserError(LOST) from None


def _import_ray() -> Any:
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns of its own future
    try:
        import ray
    except ImportError:
        raise UserError(
            "--executor ray needs the package ray, which is not installed. Run: pip install 'ray>=2.50'"
        ) from None
    return ray


@contextmanager
def _connected(ray: Any, jobs: int, address: str | None) -> Iterator[None]:
    if ray.is_initialized():
        yield
        return
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address is None:
            with _path_inherited():
                ray.init(address="local", num_cpus=jobs, include_dashboard=False, **quiet)
        else:
            ray.init(address=address, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        place = f"the Ray cluster at {address}" if address else "Ray on this machine"
        raise UserError(f"{place} is not to be reached: {_first_line(error)} Check that it runs.") from None
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _path_inherited() -> Iterator[None]:
    """Let workers of a Ray started here find modules where this process does."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    try:
        yield
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".") + "."
