"""Tasks in worker processes: the same results, and a clean end whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from curation.core.errors import UserError
from curation.core.pool import run_tasks

ROOT = Path(__file__).parents[1]
Tick = Callable[[int], None]


def square(n: int, tick: Tick) -> tuple[int, int]:
    tick(1)
    return n, n * n


def slow_first(n: int, tick: Tick) -> int:
    time.sleep(0.5 if n == 0 else 0)
    return n


def die(n: int, tick: Tick) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return n


def fail(n: int, tick: Tick) -> int:
    raise UserError(f"task {n} cannot be done. Do another.")


def process(n: int, tick: Tick) -> int:
    return os.getpid()


def settings(n: int, tick: Tick) -> tuple[str | None, int]:
    import cv2

    return os.environ.get("OMP_NUM_THREADS"), cv2.getNumThreads()


def run(work: Callable[..., object], n: int, jobs: int) -> list[object]:
    tasks = [(i,) for i in range(n)]
    return list(run_tasks(work, tasks, jobs=jobs, total=n, unit="tasks", what="testing"))


def test_results_do_not_depend_on_jobs() -> None:
    assert run(square, 6, jobs=1) == [(n, n * n) for n in range(6)]
    assert sorted(run(square, 6, jobs=2)) == run(square, 6, jobs=1)


def test_results_come_as_they_are_ready() -> None:
    assert run(slow_first, 2, jobs=2) == [1, 0]


def test_one_job_or_one_task_stays_in_this_process() -> None:
    assert run(process, 3, jobs=1) == [os.getpid()] * 3
    assert run(process, 1, jobs=8) == [os.getpid()]
    assert os.getpid() not in run(process, 2, jobs=2)
    assert run(process, 0, jobs=2) == []


def test_workers_take_one_thread_each_and_the_setting_does_not_leak() -> None:
    before = os.environ.get("OMP_NUM_THREADS")
    assert run(settings, 2, jobs=2) == [("1", 1)] * 2
    assert os.environ.get("OMP_NUM_THREADS") == before


def test_this_process_takes_one_thread_too_and_has_its_own_again() -> None:
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        assert [n for _, n in run(settings, 2, jobs=1)] == [1, 1]
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)


def die_once(folder: Path, n: int, tick: Tick) -> int:
    tick(1)
    if n == 1 and not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    (folder / f"{n}-{os.getpid()}").touch()
    return n


def test_the_task_of_a_killed_worker_is_run_again(tmp_path: Path) -> None:
    tasks = [(tmp_path, n) for n in range(4)]
    results = list(run_tasks(die_once, tasks, jobs=2, total=4, unit="tasks", what="testing"))
    assert sorted(results) == [0, 1, 2, 3]
    assert (tmp_path / "died").exists()


def test_workers_killed_again_and_again() -> None:
    with pytest.raises(UserError) as caught:
        run(die, 2, jobs=2)
    assert str(caught.value) == (
        "worker processes were killed again and again, perhaps for want of memory. "
        "Run the same command again with a smaller -j: it goes on where it stopped."
    )


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_task_raises_is_raised_here(jobs: int) -> None:
    with pytest.raises(UserError, match=r"^task \d cannot be done\. Do another\.$"):
        run(fail, 2, jobs=jobs)


INTERRUPTED = """
import os, time
from curation.core.pool import run_tasks

def wait(n, tick):
    os.write(1, b"started\\n")  # in one piece, for two processes write
    time.sleep(300)

if __name__ == "__main__":
    try:
        list(run_tasks(wait, [(0,), (1,)], jobs=2, total=2, unit="tasks", what="waiting"))
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def test_interrupt_stops_everything_at_once(tmp_path: Path) -> None:
    script = tmp_path / "wait.py"
    script.write_text(INTERRUPTED, encoding="utf-8")
    child = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    assert child.stdout is not None
    assert [child.stdout.readline(), child.stdout.readline()] == ["started\n", "started\n"]
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to the workers too
    out, err = child.communicate(timeout=20)  # returns when every process has closed its end
    assert (out, err) == ("interrupted\n", "")


INTERRUPTED_AT_ITS_START = """
import os, signal
from curation.core.pool import run_tasks

if __name__ == "__mp_main__":  # a worker reads this script again before it takes up work
    os.kill(os.getpid(), signal.SIGINT)

def double(n, tick):
    return 2 * n

if __name__ == "__main__":
    print(sorted(run_tasks(double, [(1,), (2,)], jobs=2, total=2, unit="tasks", what="doubling")))
    os.kill(os.getpid(), signal.SIGINT)
"""


def test_an_interrupt_meets_the_parent_alone_even_while_workers_start(tmp_path: Path) -> None:
    done = run_script(tmp_path, INTERRUPTED_AT_ITS_START)
    assert done.stdout == "[2, 4]\n"
    assert done.stderr.count("Traceback") == 1, "the parent's own"
    assert done.stderr.endswith("KeyboardInterrupt\n")


PARENT_KILLED = """
import os, signal, time
from pathlib import Path
from curation.core.pool import run_tasks

def wait(n, tick):
    Path(f"{n}.pid").touch()
    if n == 0:
        while not Path("1.pid").exists():
            time.sleep(0.01)
        os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(300)

if __name__ == "__main__":
    list(run_tasks(wait, [(n,) for n in range(4)], jobs=2, total=4, unit="tasks", what="waiting"))
"""


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    done = run_script(tmp_path, PARENT_KILLED)  # returns when every process has closed its end
    assert done.returncode == -signal.SIGKILL
    assert sorted(path.name for path in tmp_path.glob("*.pid")) == ["0.pid", "1.pid"]


INTERRUPTED_WHILE_STARTING = """
import os, signal, time
from concurrent.futures import ProcessPoolExecutor
from curation.core.pool import run_tasks

def wait(n, tick):
    time.sleep(300)

def submit_and_interrupt(self, *task, submit=ProcessPoolExecutor.submit):
    future = submit(self, *task)
    os.kill(os.getpid(), signal.SIGINT)
    return future

if __name__ == "__main__":
    ProcessPoolExecutor.submit = submit_and_interrupt
    try:
        list(run_tasks(wait, [(1,), (2,)], jobs=2, total=2, unit="tasks", what="waiting"))
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def test_an_interrupt_while_workers_start_stops_them_at_once(tmp_path: Path) -> None:
    done = run_script(tmp_path, INTERRUPTED_WHILE_STARTING)
    assert (done.stdout, done.stderr) == ("interrupted\n", "")


def run_script(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "script.py").write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,  # a busy machine takes its time
        check=False,
    )
