"""Training one recognizer on one mixture for a fixed number of samples."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click
import torch

from curation.core import fingerprint
from curation.core.errors import UserError
from curation.core.labels import Protocol, protocol
from curation.core.pool import progress
from curation.core.recipe import resolved
from curation.mixture import Mixture
from train import run_folder
from train.batches import Words
from train.cost import Meter, peak_gpu_memory_mb
from train.metrics import wilson
from train.models import Recognizer
from train.models.base import count_parameters
from train.recipe import TrainRecipe, resolve
from train.training import Training, learning_rate, read_all
from train.word_stream import WordStream

__all__ = ["TrainRecipe", "fit"]

PACKAGES = "glyphmix", "numpy", "opencv-python-headless", "pyarrow", "timm", "torch"


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
    meter = Meter()
    recipe = resolve(recipe, mixture)
    assert recipe.threads is not None
    opened = None if recipe.mixture is None else Mixture.open(recipe.mixture)
    chosen, device = protocol(recipe.protocol), torch.device(recipe.device)
    size, rendered = recipe.model.image_size, recipe.rendered
    stream = None if rendered is None else rendered.open(chosen, size)
    job = _job(recipe, seed, opened, stream)
    resumed = run_folder.is_begun(out, job)
    with _threads(recipe.threads):
        assert chosen.charset is not None
        training = Training(recipe, seed, chosen.charset, device)
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
        _warn(words)
        if not resumed:
            run_folder.begin(out, job)
        elif state := run_folder.load_checkpoint(out, device):
            training.restore(state)
            meter.restore(state["cost"])
            words.restore(state["words"])
        run_folder.cut_log(out, training.step)
        _loop(training, words, out, meter)
        network = training.reader(words.batch)
        record = _record(recipe, seed, network, words, chosen)
    record |= {"init": {"loaded": training.initialised, **job["init"]}, "timing": _timing(recipe, meter)}
    run_folder.finish(out, network, record, words.trained_on() | recipe.init.trained_on())
    return run_folder.read_record(out)


def _job(
    recipe: TrainRecipe, seed: int, mixture: Mixture | None, stream: WordStream | None
) -> dict[str, Any]:
    """All that the weights depend on; the mixture by its content, for its folder may be mounted elsewhere."""
    said = {key: value for key, value in resolved(recipe).items() if key not in ("mixture", "pack_device")}
    if recipe.rendered:
        said["rendered"] = {k: v for k, v in said["rendered"].items() if k not in ("jobs", "recipe")}
    return {
        "recipe": said,
        "seed": seed,
        "init": recipe.init.content(),
        "mixture": mixture and mixture.fingerprint,
        "rendered": stream and stream.facts(),
        "versions": fingerprint.versions(("glyphmix", "numpy", "timm", "torch")),
    }


def _warn(words: Words) -> None:
    """Say which words of the mixture are of no use to this training."""
    for reason, n in sorted(words.unlearnable.items()):
        click.echo(f"Warning: {n} words take up positions but teach nothing ({reason}).", err=True)
    for reason, n in sorted(words.dropped.items()):
        click.echo(f"Warning: {n} of the words held out do not count ({reason}).", err=True)


def _loop(training: Training, words: Words, out: Path, meter: Meter) -> None:
    """Take the steps that are left."""
    recipe, last_saved = training.recipe, training.step
    n = recipe.batch
    bar_total = recipe.steps * recipe.batch
    with (
        _stop_signals() as stop,
        (out / "log.jsonl").open("a", encoding="utf-8", buffering=1) as log,
        progress(bar_total, "word", f"train {out.name}") as bar,
        closing(words.batches((k * n, (k + 1) * n) for k in range(training.step, recipe.steps))) as batches,
    ):
        bar.update(training.step * recipe.batch)
        while training.step < recipe.steps:
            began, step = time.perf_counter(), training.step
            images, targets = next(batches)
            try:
                loss = training.advance(images, targets)
            except FloatingPointError as error:
                raise _diverged(out, step, last_saved, error) from None
            meter.seconds += time.perf_counter() - began
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
            bar.update(recipe.batch)
            entry: dict[str, Any] = {
                "step": training.step,
                "loss": round(loss, 6),
                "lr": learning_rate(recipe, step),
            }
            if recipe.validate_every and training.step % recipe.validate_every == 0:
                entry |= {"validation": _validate(training.reader(words.batch), words, recipe)}
            log.write(json.dumps(entry) + "\n")
            if stop or training.step % recipe.checkpoint_every == 0:
                kept = {"cost": meter.state(), "words": words.state()}
                run_folder.save_checkpoint(out, training.state() | kept)
                last_saved = training.step
            if stop:
                raise stop[0]


def _diverged(out: Path, step: int, last_saved: int, error: FloatingPointError) -> UserError:
    kept = f"Step {last_saved} is kept in {out / run_folder.BUILD / 'checkpoint.pt'}"
    return UserError(
        f"training {out} diverged at step {step} ({error}). "
        f"{kept if last_saved else 'No step was kept'}; lower lr and train to another folder."
    )


def _validate(network: Recognizer, words: Words, recipe: TrainRecipe) -> dict[str, Any] | None:
    """Word accuracy on the words held out of the mixture: for the log, never to choose weights by."""
    images, labels = words.validation()
    if not labels:
        return None
    readings = read_all(network, images, recipe.precision)
    n_correct = sum(reading.text == label for reading, label in zip(readings, labels, strict=True))
    low, high = wilson(n_correct, len(labels))
    return {
        "n_used": len(labels),
        "dropped": dict(sorted(words.dropped.items())),
        "n_correct": n_correct,
        "accuracy": n_correct / len(labels),
        "accuracy_low": low,
        "accuracy_high": high,
    }


def _record(
    recipe: TrainRecipe, seed: int, network: Recognizer, words: Words, chosen: Protocol
) -> dict[str, Any]:
    samples = recipe.steps * recipe.batch
    return {
        "recipe": resolved(recipe),
        "seed": seed,
        "charset": chosen.charset,
        **words.record(samples),
        "steps": recipe.steps,
        "samples_seen": samples,
        "validation": _validate(network, words, recipe),
        "unlearnable": dict(words.unlearnable),
        "parameters": count_parameters(network),
        "device": recipe.device,
        "versions": fingerprint.versions(PACKAGES),
        "git_commit": fingerprint.git_commit(),
    }


def _timing(recipe: TrainRecipe, meter: Meter) -> dict[str, float]:
    """What the run cost: the one part of its record that differs when it is repeated."""
    timing = {key: round(value, 1) for key, value in meter.state().items()}
    timing["words_per_second"] = round(recipe.steps * recipe.batch / meter.seconds, 1)
    if (peak := peak_gpu_memory_mb(torch.device(recipe.device))) is not None:
        timing["peak_gpu_memory_mb"] = round(peak, 1)
    return timing


@contextmanager
def _threads(n: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _stop_signals() -> Iterator[list[BaseException]]:
    """Collect Ctrl-C and SIGTERM, so that a step is never left half done; a second one acts at once."""
    stop: list[BaseException] = []

    def ask(number: int, frame: object) -> None:
        if stop:
            raise stop[0]
        stop.append(KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number))

    try:
        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not in the main thread, which alone may handle signals
        before = {}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
