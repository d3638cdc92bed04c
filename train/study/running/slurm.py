"""A study as a job array for Slurm: one run a task, on storage that all nodes share."""

from __future__ import annotations

import shlex
from pathlib import Path

from curation.core.errors import UserError
from train.study.plan import Plan
from train.study.running.row_files import path_of

WARNED_S = 120  # before the time limit: enough for a checkpoint


def job_array(study: Plan, recipe: str, out: Path) -> str:
    """The script to give to sbatch, for the runs that have no row yet.

    Args:
        study: The checked study.
        recipe: The recipe as the user named it.
        out: The study's folder.

    Raises:
        UserError: all runs have finished.
    """
    names = [run.name for run in study.runs if not path_of(out, run.name).is_file()]
    if not names:
        raise UserError(f"all {len(study.runs)} runs of {out} have finished. There is nothing to submit.")
    train = study.recipe.train
    gpu = {"cpu": "", "cuda": "#SBATCH --gpus-per-task=1\n"}.get(
        train.device, "##SBATCH --gpus-per-task=1  # one # less, to train on GPUs\n"
    )
    quoted = "\n".join(f"  {shlex.quote(name)}" for name in names)
    where = f"{shlex.quote(recipe)} -o {shlex.quote(str(out))}"
    return f"""#!/bin/bash
# {len(names)} runs of the study {out}, one a task. From this folder, which all nodes must share:
#   glyphmix ablate {where} --slurm > study.sh
#   sbatch study.sh
# A task that was stopped or failed is done again by submitting it again: it goes on from its checkpoint. The
# last task to end writes the forecast and reads the test words that waited for it. File locks must work on
# the storage: NFS has them, Lustre with the mount option flock.
#SBATCH --job-name={_job_name(out)}
#SBATCH --array=0-{len(names) - 1}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={train.threads or 1}
{gpu}#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@{WARNED_S}
#SBATCH --open-mode=append
RUNS=(
{quoted}
)
exec glyphmix ablate {where} -j 1 --only "${{RUNS[$SLURM_ARRAY_TASK_ID]}}"
"""


def _job_name(out: Path) -> str:
    """The folder's name as far as Slurm's directives take it."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in out.name) or "study"
