"""Ray gives what processes give, and runs again what a killed worker had in hand."""

from __future__ import annotations

import gc
import importlib.util
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.core import ray_pool
from curation.core.errors import UserError
from curation.core.executors import Executor
from synthgen import render
from synthgen.engines.base import BLOCK, Drawn

ROOT = Path(__file__).parents[1]
Tick = Callable[[int], None]
needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="ray is not installed: pip install 'ray>=2.50'"
)


def square(n: int, tick: Tick) -> tuple[int, int]:
    tick(1)
    return n, n * n


def die_once(folder: Path, n: int, tick: Tick) -> int:
    if n == 1 and not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return n


def die(n: int, tick: Tick) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return n


def fail(n: int, tick: Tick) -> int:
    raise UserError(f"task {n} cannot be done. Do another.")


def settings(n: int, tick: Tick) -> tuple[str, str | None, int]:
    import cv2

    return str(Path.cwd()), os.environ.get("OMP_NUM_THREADS"), cv2.getNumThreads()


def on_ray(work: Callable[..., object], tasks: list[tuple[object, ...]]) -> list[object]:
    executor = Executor(name="ray")
    return list(executor.run_tasks(work, tasks, jobs=2, total=len(tasks), unit="tasks", what="testing"))


@pytest.fixture(scope="module")
def local_ray() -> Iterator[None]:
    """One Ray for all tests here, as a program would have that uses it for more than us."""
    ray = ray_pool._import_ray()
    with ray_pool._connected(ray, 2, None):
        yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # of Ray's daemons, ended or not
        gc.collect()


def test_unknown_executor() -> None:
    with pytest.raises(UserError) as caught:
        Executor(name="rays")
    assert str(caught.value) == "unknown executor 'rays'. Did you mean 'ray'?"


def test_an_address_without_ray() -> None:
    with pytest.raises(UserError) as caught:
        Executor(ray_address="auto")
    assert str(caught.value) == "--ray-address is for --executor ray. Add that, or leave the address out."


def test_without_ray_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError) as caught:
        on_ray(square, [(1,)])
    assert str(caught.value) == (
        "--executor ray needs the package ray, which is not installed. Run: pip install 'ray>=2.50'"
    )


@needs_ray
@pytest.mark.usefixtures("local_ray")
class TestOnRay:
    def test_results_are_the_same(self) -> None:
        assert sorted(on_ray(square, [(n,) for n in range(6)])) == [(n, n * n) for n in range(6)]

    def test_workers_take_one_thread_each_in_our_folder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(ROOT / "tests")
        assert on_ray(settings, [(1,)]) == [(str(ROOT / "tests"), "1", 1)]

    def test_the_task_of_a_killed_worker_is_run_again(self, tmp_path: Path) -> None:
        assert sorted(on_ray(die_once, [(tmp_path, n) for n in range(3)])) == [0, 1, 2]
        assert (tmp_path / "died").exists()

    def test_workers_killed_again_and_again(self) -> None:
        with pytest.raises(UserError, match=r"^worker processes were killed again and again"):
            on_ray(die, [(0,)])

    def test_a_task_whose_worker_is_lost_can_be_named_instead(self) -> None:
        tasks = [(0,)]
        named = ray_pool.run_tasks(
            die, tasks, jobs=1, total=1, unit="task", what="testing", lost=lambda task: -task[0] - 1
        )
        assert list(named) == [-1]

    def test_what_a_task_raises_is_raised_here(self) -> None:
        with pytest.raises(UserError, match=r"^task 1 cannot be done\. Do another\.$"):
            on_ray(fail, [(1,)])


@dataclass(frozen=True)
class Deadly:
    """An engine that kills its process at word 1,234, once."""

    died: str

    def check(self) -> None: ...

    def inputs(self) -> dict[str, Any]:
        return {}

    def plan(self, seed: int, block: int, attempt: int = 0) -> dict[str, np.ndarray]:
        return {"place": np.arange(block * BLOCK, (block + 1) * BLOCK)}

    def draw(self, row: Mapping[str, Any]) -> Drawn:
        if row["place"] == 1234 and not Path(self.died).exists():
            Path(self.died).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return Drawn(image=np.full((8, 8, 3), row["place"] % 251, np.uint8), label=str(row["place"]))


@pytest.mark.parametrize("name", [pytest.param("ray", marks=needs_ray), "processes"])
def test_a_rendering_that_lost_a_worker_is_the_same_to_the_byte(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if name == "ray":
        request.getfixturevalue("local_ray")
    died = tmp_path / "died"
    recipe = render.Recipe(name="deadly", engine=Deadly(died=str(died)))
    render.render(recipe, tmp_path / "lost", n=3000, jobs=2, executor=Executor(name=name))
    assert died.exists()
    render.render(recipe, tmp_path / "undisturbed", n=3000)
    lost, undisturbed = (
        {path.relative_to(out): path.read_bytes() for path in out.rglob("*.*")}
        for out in (tmp_path / "lost", tmp_path / "undisturbed")
    )
    assert len(lost) == 6, "three shards, rejects, manifest, card"
    assert lost == undisturbed


INTERRUPTED = """
import os, time
from curation.core.executors import Executor

def wait(n, tick):
    open(f"{n}.pid", "w").write(str(os.getpid()))
    time.sleep(300)

if __name__ == "__main__":
    from pathlib import Path
    import signal, threading
    def interrupt():
        while not Path("0.pid").exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=interrupt, daemon=True).start()
    try:
        list(Executor(name="ray").run_tasks(wait, [(0,)], jobs=1, total=1, unit="task", what="waiting"))
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@needs_ray
def test_an_interrupt_stops_ray(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(INTERRUPTED, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("interrupted\n", "")
    pid = int((tmp_path / "0.pid").read_text())
    assert not Path(f"/proc/{pid}").exists() or "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
