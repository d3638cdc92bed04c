"""Runs in processes of their own: each with its threads, its GPU and a clean end, whatever ends it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path

from curation.core.files import write_text
from curation.core.pool import CONTEXT, end_with_parent, interrupts_wait
from train.study.plan import Plan, Run
from train.study.running.doing import Outcome, already, do, trace_of
from train.study.running.one_run import Steps
from train.study.running.views import View

LOOK_S = 0.5  # between two looks at how far the runs are
PATIENCE_S = 60.0  # for the checkpoint of a run that is told to stop
KILLED = (
    "its process was killed (SIGKILL), perhaps for want of memory. Run the same command again with a smaller "
    "-j: it goes on where it stopped."
)


def in_processes(
    study: Plan,
    runs: Sequence[Run],
    out: Path,
    steps: Steps,
    *,
    jobs: int,
    started: Callable[[Run], None],
    view: View,
) -> Iterator[Outcome]:
    """Do ``runs``, ``jobs`` at once, and yield how each ended, in the order in which they end.

    Where there are GPUs, the processes take them in turn. When the caller stops, by an exception or by
    leaving the loop, all processes are told to, and those that train write a checkpoint first.

    Args:
        study: The study, begun.
        runs: What to do, in this order.
        out: The study's folder.
        steps: Training and evaluation, sent to the processes.
        jobs: Processes at once.
        started: Called as a run begins.
        view: Is told each line that a run says, and looks every half a second.
    """
    waiting, devices = list(runs), gpus(study)
    slots: dict[int, _Worker] = {}
    try:
        while waiting or slots:
            for slot in range(jobs):
                while slot not in slots and waiting:
                    run = waiting.pop(0)
                    if found := already(study, run, out):
                        yield found
                        continue
                    started(run)
                    device = devices[slot % len(devices)] if devices else None
                    slots[slot] = _Worker(study, run, out, steps, device)
            wait([handle for worker in slots.values() for handle in worker.handles], LOOK_S)
            for slot, worker in list(slots.items()):
                ended = not worker.process.is_alive()  # asked first: then all that it said is there
                for line in worker.lines(last=ended):
                    view.tell(f"{worker.run.name}: {line}")
                if ended:
                    del slots[slot]
                    yield worker.outcome(out)
            view.look()
    finally:
        _stop(list(slots.values()))


def gpus(study: Plan) -> list[str]:
    """The GPUs that a study's runs may take, as CUDA_VISIBLE_DEVICES names them."""
    if study.recipe.train.device == "cpu":
        return []
    import torch

    n = torch.cuda.device_count()
    chosen = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    return chosen[:n] if chosen else [str(number) for number in range(n)]


class _Worker:
    """One run in a process, what it says on stdout and stderr, and how it ended."""

    def __init__(self, study: Plan, run: Run, out: Path, steps: Steps, gpu: str | None) -> None:
        self.run = run
        self._result, result = CONTEXT.Pipe(duplex=False)
        self._said, said = CONTEXT.Pipe(duplex=False)
        self._rest = b""
        assert study.threads is not None
        arguments = result, said, study, run, out, steps
        with _environment(study.threads, gpu), interrupts_wait():
            self.process = CONTEXT.Process(target=_serve, args=arguments, name=run.name)
            self.process.start()
        result.close()
        said.close()
        os.set_blocking(self._said.fileno(), False)

    @property
    def handles(self) -> list[Connection | int]:
        """What becomes ready when the process ends or has said something."""
        return [self.process.sentinel] if self._said.closed else [self.process.sentinel, self._said]

    def lines(self, *, last: bool = False) -> list[str]:
        """What it has said since it was last asked, in whole lines; ``last``: and the line begun."""
        if not self._said.closed:
            try:
                while piece := os.read(self._said.fileno(), 1 << 16):
                    self._rest += piece
                self._said.close()  # all that could write there have ended
            except BlockingIOError:
                pass
        *whole, self._rest = (self._rest + b"\n" * last).split(b"\n")
        return [line.decode(errors="replace") for line in whole if line.strip()]

    def outcome(self, out: Path) -> Outcome:
        """How the process, which is no longer alive, ended; if it could not say why, this is said for it."""
        self.process.join()
        found: Outcome | None = None
        try:
            if self._result.poll():
                found = self._result.recv()
        except EOFError:
            found = None
        self._result.close()
        self._said.close()
        if found is None:
            found = Outcome(run=self.run.name, state="failed", reason=_why(self.process.exitcode))
            with suppress(OSError):  # the disk may be full
                write_text(trace_of(out, self.run.name), f"{found.reason}\n")
        return found


def _why(status: int | None) -> str:
    """Say in a sentence how a process ended that has given no result."""
    if status == -signal.SIGKILL:
        return KILLED
    status = status or 0
    number = -status if status < 0 else status - 128
    try:
        how = f"was stopped ({signal.Signals(number).name})"
    except ValueError:
        how = f"ended with status {status}"
    return f"its process {how} before it was done. Run the same command again: it goes on where it stopped."


def _serve(result: Connection, said: Connection, study: Plan, run: Run, out: Path, steps: Steps) -> None:
    """What a process does: one run, its words going to the parent, which alone knows the terminal."""
    for stream in (1, 2):
        os.dup2(said.fileno(), stream)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    threading.Thread(target=end_with_parent, daemon=True).start()
    import torch

    assert study.threads is not None
    torch.set_num_threads(study.threads)
    result.send(do(study, run, out, steps))


def _stop(workers: Sequence[_Worker]) -> None:
    """Tell processes to stop and wait for their checkpoints; kill those that take too long."""
    until = time.monotonic() + PATIENCE_S
    try:
        for worker in workers:
            worker.process.terminate()
        while any(worker.process.is_alive() for worker in workers) and time.monotonic() < until:
            wait([handle for worker in workers for handle in worker.handles], LOOK_S)
            for worker in workers:
                worker.lines()  # a full pipe would hold it up
    finally:  # also when Ctrl-C is pressed once more
        for worker in workers:
            worker.process.kill()
            worker.process.join()


@contextmanager
def _environment(threads: int, gpu: str | None) -> Iterator[None]:
    """What libraries read before they load, for the processes started meanwhile."""
    values = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    if gpu is not None:
        values["CUDA_VISIBLE_DEVICES"] = gpu
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM end this process as Ctrl-C does: by an exception that tells the workers to stop."""

    def stop(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield  # which alone may handle signals
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
