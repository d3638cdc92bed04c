"""Studies on Ray and Slurm."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from study_tiny import FakeFit, fake_evaluate, fake_steps, lay_out, recipe, run, toml, without_timing

from curation.core.errors import UserError
from curation.core.executors import Executor
from glyphmix import main
from train.study.ablate_command import ablate
from train.study.plan import plan
from train.study.running.one_run import Steps
from train.study.running.slurm import job_array

R0, R1, R3 = "real40-s0", "real40-rendered40-s0", "real40-rendered120-s0"
SYNTHETIC = "rendered120-s0"
TWO = {"kind": "fixed_real", "ratios": [0, 1]}
needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="ray is not installed: pip install 'ray>=2.50'"
)


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay_out(tmp_path, monkeypatch)


class Talking(FakeFit):
    """Training that says in which folder it is and how many threads it has."""

    def __call__(self, *positional: Any, **named: Any) -> dict[str, Any]:
        import torch

        print(f"{torch.get_num_threads()} threads in {Path.cwd().name}")
        return super().__call__(*positional, **named)


@needs_ray
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_ray_gives_the_rows_that_processes_give(words: Path) -> None:
    """One of two runs fails, which the other does not mind."""
    study, told = plan(recipe(TWO), words / "out"), []
    steps = Steps(fit=Talking(broken=(R1,)), evaluate=fake_evaluate)
    result = run(study, Path("ray"), steps, told, jobs=1, executor=Executor(name="ray"))
    assert [row["run"] for row in result.rows] == [R0]
    assert list(result.failed) == [R1]
    assert sorted(told)[:2] == [
        f"{R1}: 1 threads in {words.name}",
        f"{R0}: 1 threads in {words.name}",
    ]
    run(study, Path("here"), fake_steps(broken=(R1,)))
    assert without_timing(words / "ray") == without_timing(words / "here")


SCRIPT = """#!/bin/bash
# 3 runs of the study out put, one a task. From this folder, which all nodes must share:
#   glyphmix ablate study.toml -o 'out put' --slurm > study.sh
#   sbatch study.sh
# A task that was stopped or failed is done again by submitting it again: it goes on from its checkpoint. The
# last task to end writes the forecast and reads the test words that waited for it. File locks must work on
# the storage: NFS has them, Lustre with the mount option flock.
#SBATCH --job-name=out_put
#SBATCH --array=0-2
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
##SBATCH --gpus-per-task=1  # one # less, to train on GPUs
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@120
#SBATCH --open-mode=append
RUNS=(
  real40-rendered40-s0
  real40-rendered120-s0
  rendered120-s0
)
exec glyphmix ablate study.toml -o 'out put' -j 1 --only "${RUNS[$SLURM_ARRAY_TASK_ID]}"
"""


def test_slurm_prints_a_job_array_of_the_runs_that_are_left(words: Path) -> None:
    run(plan(recipe(), Path("out put")), Path("out put"), fake_steps(), only=(R0,))
    (words / "study.toml").write_text(toml())
    shown = CliRunner().invoke(ablate, ["study.toml", "-o", "out put", "--slurm"], catch_exceptions=False)
    assert shown.stdout == SCRIPT


def test_slurm_and_a_dry_run_take_the_runs_that_were_asked_for(words: Path) -> None:
    (words / "study.toml").write_text(toml())
    asked = ["ablate", "study.toml", "-o", "out", "--only", R3, "--only", R0]
    script = CliRunner().invoke(main, [*asked, "--slurm"]).stdout
    assert "#SBATCH --array=0-1\n" in script
    assert f"RUNS=(\n  {R0}\n  {R3}\n)\n" in script
    for way in ("--slurm", "--dry-run"):
        refused = CliRunner().invoke(main, [*asked, "--only", "real40-s1", way])
        assert refused.stderr == "Error: unknown run 'real40-s1'. Did you mean 'real40-s0'?\n"


def test_a_task_of_the_array_does_its_run(words: Path) -> None:
    """The script is run as Slurm would, with another program in the place of glyphmix."""
    (words / "glyphmix").write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
    (words / "glyphmix").chmod(0o755)
    script = job_array(plan(recipe(), words / "out"), "study.toml", Path("out"))
    environment = {**os.environ, "PATH": f"{words}:{os.environ['PATH']}", "SLURM_ARRAY_TASK_ID": "1"}
    done = subprocess.run(
        ["bash", "-s"], input=script, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["ablate", "study.toml", "-o", "out", "-j", "1", "--only", R1]


def test_nothing_to_submit(words: Path) -> None:
    study = plan(recipe(), words / "out")
    run(study, words / "out", fake_steps())
    with pytest.raises(UserError) as refusal:
        job_array(study, "study.toml", words / "out")
    assert str(refusal.value) == f"all 4 runs of {words / 'out'} have finished. There is nothing to submit."
