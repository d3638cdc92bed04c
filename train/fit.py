"""Training one recognizer on one mixture for a fixed number of samples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import torch

from curation.core import fingerprint
from curation.core.errors import UserError
from curation.core.labels import protocol
from curation.core.recipe import resolved
from curation.mixture import Mixture
from train import checkpoints, run_folder
from train.compiling import never_silently, refuse_missing_compiler
from train.cost import Meter, peak_gpu_memory_mb
from train.data.batches import Words
from train.data.word_stream import WordStream
from train.loop import Loop
from train.models import Recognizer
from train.models.base import count_parameters
from train.processes import Processes, joined
from train.recipe import TrainRecipe, resolve
from train.run_folder import TrainedOn
from train.run_log import refuse_missing_tensorboard
from train.training import Training
from train.validation import validate

__all__ = ["TrainRecipe", "fit"]

PACKAGES = "glyphmix", "numpy", "opencv-python-headless", "pyarrow", "timm", "torch"
# What may differ when a run goes on, for the weights do not depend on it.
HARMLESS = {"mixture", "pack_device", "checkpoint_every", "validate_every", "tensorboard"}


def fit(recipe: TrainRecipe, out: Path, *, seed: int, mixture: Path | None = None) -> dict[str, Any]:
    """Train as ``recipe`` says and write the run to the folder ``out``.

    Killed at any time, the same call goes on from the last checkpoint and ends with the same weights, bit by
    bit on a CPU.

    Args:
        recipe: How.
        out: Where; it must not exist, unless as an unfinished run of the same recipe and seed.
        seed: Of the first weights, the augmentation and dropout. The mixture has a seed of its own.
        mixture: A mixture to train on instead of the recipe's.

    Returns:
        The content of ``run.json``.

    Raises:
        UserError: the recipe, mixture or folder does not fit, or the loss is no longer finite.
        SystemExit: SIGTERM came; a checkpoint was written first, as it is for Ctrl-C.
    """
    meter, processes = Meter(), Processes.from_environment()
    recipe = resolve(recipe, mixture, processes)
    device = processes.device(recipe.device)
    refuse_missing_tensorboard(recipe)
    if recipe.compile:
        refuse_missing_compiler(device)
    with joined(processes, device), never_silently(recipe.compile):
        return _fit(recipe, out, seed, meter, processes, device)


def _fit(
    recipe: TrainRecipe, out: Path, seed: int, meter: Meter, processes: Processes, device: torch.device
) -> dict[str, Any]:
    assert recipe.threads is not None
    opened = None if recipe.mixture is None else Mixture.open(recipe.mixture)
    chosen = protocol(recipe.protocol)
    size, rendered = recipe.model.image_size, recipe.rendered
    stream = None if rendered is None else rendered.open(chosen, size)
    job = _job(recipe, seed, opened, stream, processes)
    resumed = processes.first(lambda: run_folder.is_begun(out, job))
    with threads(recipe.threads):
        assert chosen.charset is not None
        training = Training(recipe, seed, chosen.charset, device, processes)
        words = Words(
            opened,
            training.network,
            chosen,
            size,
            recipe.threads,
            rendered=rendered,
            stream=stream,
            device=device,
            pack_device=recipe.pack_device,
        )
        learned = _trained_on(recipe, words) if processes.is_first else TrainedOn.nothing()
        if not resumed:
            processes.first(lambda: run_folder.begin(out, job))
        elif state := checkpoints.load(out, device):
            _restore(state, training, words, meter, processes)
        _refuse_apart(training, processes, out)
        processes.first(lambda: run_folder.cut_log(out, training.step))
        loop = Loop(training, words, out, meter, processes)
        loop.run()
        words.gather()
        network = training.reader(words.batch)
        record = _record(training, seed, network, words, job) if processes.is_first else {}
        record |= {"timing": _timing(recipe, loop.cost())}

    def finish() -> None:
        run_folder.finish(out, network, record, learned)

    processes.first(finish)
    return run_folder.read_record(out)


def _trained_on(recipe: TrainRecipe, words: Words) -> TrainedOn:
    """All that the run will have learned from, its beginnings included; says what weakens its figures."""
    learned = words.trained_on(recipe.steps * recipe.batch) | recipe.init.trained_on()
    words.look_for_held_out(learned)
    _warn(words)
    return learned


def _refuse_apart(training: Training, processes: Processes, out: Path) -> None:
    if len(set(processes.gather(training.step))) > 1:
        raise UserError(
            f"the processes do not see the same checkpoint in {out}. "
            "Give them a folder that all their machines share."
        )


def _restore(
    state: dict[str, Any], training: Training, words: Words, meter: Meter, processes: Processes
) -> None:
    """Go back to where ``state`` was taken; what was counted over all processes goes on in the first."""
    training.restore(state)
    if processes.is_first:
        meter.restore(state["cost"])
        words.restore(state["words"])


def _job(
    recipe: TrainRecipe,
    seed: int,
    mixture: Mixture | None,
    stream: WordStream | None,
    processes: Processes,
) -> dict[str, Any]:
    """All that the weights depend on; what lies in folders by its content: they may be mounted elsewhere."""
    said = {key: value for key, value in resolved(recipe).items() if key not in HARMLESS}
    said["init"] = {key: value for key, value in said["init"].items() if key != "path"}
    if recipe.device == "cuda":
        del said["threads"]  # which round nothing there; the next machine may have other cores
    if recipe.rendered:
        said["rendered"] = {k: v for k, v in said["rendered"].items() if k not in ("jobs", "recipe")}
    return {
        "recipe": said,
        "seed": seed,
        "init": recipe.init.content(),
        "mixture": mixture and mixture.fingerprint,
        "rendered": stream and stream.facts(),
        "processes": processes.count,
        "versions": fingerprint.versions(_packages(recipe)),
    }


def _packages(recipe: TrainRecipe) -> tuple[str, ...]:
    """Packages on which the weights depend: OpenCV decodes, scales and augments words."""
    own = ("albumentations",) if recipe.augment.kind == "albumentations" else ()
    return "glyphmix", "numpy", "opencv-python-headless", "timm", "torch", *own


def _warn(words: Words) -> None:
    """Say which words of the mixture are of no use to this training."""
    for reason, n in sorted(words.unlearnable.items()):
        click.echo(f"Warning: {n} words take up positions but teach nothing ({reason}).", err=True)
    for reason, n in sorted(words.dropped.items()):
        click.echo(f"Warning: {n} of the words held out do not count ({reason}).", err=True)
    if words.n_held_out_learned:
        click.echo(
            f"Warning: {words.n_held_out_learned} of the words held out are learned from, in this run or in "
            "the one that it begins with: accuracy on words held out will be too high.",
            err=True,
        )


def _record(
    training: Training, seed: int, network: Recognizer, words: Words, job: dict[str, Any]
) -> dict[str, Any]:
    recipe = training.recipe
    samples = recipe.steps * recipe.batch
    return {
        "recipe": resolved(recipe),
        "seed": seed,
        "init": {"loaded": training.initialised, **job["init"]},
        "charset": network.charset,
        **words.record(samples),
        "steps": recipe.steps,
        "samples_seen": samples,
        "validation": validate(network, words, recipe),
        "unlearnable": dict(words.unlearnable),
        "parameters": count_parameters(network),
        "device": recipe.device,
        "processes": job["processes"],
        "versions": fingerprint.versions(tuple(sorted({*PACKAGES, *_packages(recipe)}))),
        "git_commit": fingerprint.git_commit(),
    }


def _timing(recipe: TrainRecipe, cost: dict[str, float]) -> dict[str, float]:
    """What the run cost: the one part of its record that differs when it is repeated."""
    timing = {key: round(value, 1) for key, value in cost.items()}
    timing["words_per_second"] = round(recipe.steps * recipe.batch / cost["seconds"], 1)
    if (peak := peak_gpu_memory_mb(torch.device(recipe.device))) is not None:
        timing["peak_gpu_memory_mb"] = round(peak, 1)
    return timing


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Let torch use ``n`` threads of the processor for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)
