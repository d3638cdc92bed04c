"""The folder of a training run: what it holds at each stage, and how an interrupted one goes on."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from curation.core.errors import UserError
from curation.core.files import (
    read_json,
    refuse_existing,
    remove_folder,
    whole,
    whole_folder,
    write_json,
    write_text,
)
from curation.core.manifest import refuse_odd
from curation.core.recipe import build
from train.models import Recognizer, models
from train.models.base import to_channels_last

FORMAT = 1  # raised when a reader of today could no longer read what is written
BUILD = ".build"
BAD_ZIP = (zipfile.BadZipFile, zlib.error, NotImplementedError)  # what a zip file with wrong bytes raises


def is_begun(out: Path, job: Mapping[str, Any]) -> bool:
    """Say whether ``out`` holds this job's unfinished work; writes nothing.

    Args:
        out: The folder; it must not exist, unless as this job's unfinished work.
        job: All that the weights depend on, as JSON values.

    Raises:
        UserError: ``out`` holds a finished run, other files, or another job's unfinished work.
    """
    record = out / BUILD / "job.json"
    if (out / "run.json").is_file():
        raise UserError(f"output {out} holds a finished run. Remove it or give another name with -o.")
    if not record.is_file():
        refuse_existing(out)
        return False
    if keys := differing(read_json(record), json.loads(json.dumps(job))):
        raise UserError(
            f"output {out} holds an unfinished run that differs in: {', '.join(keys)}. "
            "Repeat the command it was begun with, or remove the folder."
        )
    return True


def differing(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Keys whose values differ, those of tables one by one: ``recipe.steps``."""
    found = []
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            found += differing(before, after, f"{prefix}{key}.")
        elif before != after:
            found.append(prefix + key)
    return found


def begin(out: Path, job: Mapping[str, Any]) -> None:
    """Begin the run ``out``, which ``is_begun`` has found free: its record is there from the first moment."""
    with whole_folder(out) as draft:
        (draft / BUILD).mkdir()
        write_json(draft / BUILD / "job.json", job)


def finish(out: Path, recognizer: Recognizer, record: Mapping[str, Any], trained_on: TrainedOn) -> None:
    """Close the run: weights, fingerprints of the words and record are written, in that order."""
    write_tensors(out / "model.pt", {"format": FORMAT, "state": recognizer.state_dict()})
    with whole(out / "trained_on.npz") as draft, draft.open("wb") as file:
        np.savez(file, **trained_on.arrays())
    write_json(out / "run.json", {"format": FORMAT, "kind": "run", **record})
    remove_folder(out / BUILD, out)


def cut_log(out: Path, step: int) -> None:
    """Drop the log's lines after ``step``, which will be written again.

    Raises:
        UserError: what is in a line of it was not written by a training.
    """
    path = out / "log.jsonl"
    content = path.read_bytes() if path.is_file() else b""
    kept = []
    for number, line in enumerate(content.splitlines(keepends=True), 1):
        try:
            if line.endswith(b"\n") and json.loads(line)["step"] <= step:
                kept.append(line.decode())
        except (ValueError, KeyError, TypeError):
            raise UserError(
                f"{path} is damaged in line {number}. Remove it to go on without the log so far, "
                f"or remove {out} and train again."
            ) from None
    write_text(path, "".join(kept))


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainedOn:
    """Short fingerprints of the words that a run learned from, to find them in a test set.

    Attributes:
        images: Sorted first 8 bytes of each image file's SHA-256, uint64.
        uids: The same of each word's uid.
        rendered: Of words rendered as it went, whose uids are a prefix, a colon and a number: how many, from
            number 0 on, by prefix.
    """

    images: NDArray[np.uint64]
    uids: NDArray[np.uint64]
    rendered: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def nothing(cls) -> TrainedOn:
        """No words at all."""
        return cls(images=np.empty(0, np.uint64), uids=np.empty(0, np.uint64))

    def __or__(self, other: TrainedOn) -> TrainedOn:
        """The words of both."""
        most = {
            prefix: max(self.rendered.get(prefix, 0), other.rendered.get(prefix, 0))
            for prefix in {**self.rendered, **other.rendered}
        }
        return TrainedOn(
            images=np.union1d(self.images, other.images),
            uids=np.union1d(self.uids, other.uids),
            rendered=most,
        )

    def was_rendered(self, uids: Sequence[str]) -> NDArray[np.bool_]:
        """Which of ``uids`` are of words that were rendered as it went."""
        split = [uid.rpartition(":") for uid in uids]
        return np.array(
            [n.isdecimal() and int(n) < self.rendered.get(prefix, 0) for prefix, _, n in split], bool
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it, as ``of`` reads it."""
        prefixes = np.array(list(self.rendered), str)
        counts = np.array(list(self.rendered.values()), np.int64)
        return {"images": self.images, "uids": self.uids, "prefixes": prefixes, "counts": counts}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> TrainedOn:
        """What ``arrays`` gave; runs of before have no rendered words."""
        rendered = {}
        if "prefixes" in arrays:
            rendered = dict(zip(arrays["prefixes"].tolist(), arrays["counts"].tolist(), strict=True))
        return cls(images=arrays["images"], uids=arrays["uids"], rendered=rendered)


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A finished run, ready to read words.

    Attributes:
        path: The folder.
        record: The content of its ``run.json``.
        recognizer: The network, in evaluation mode.
        image_size: Height and width of the images it wants, in pixels.
        trained_on: The words it learned from.
    """

    path: Path
    record: dict[str, Any]
    recognizer: Recognizer
    image_size: tuple[int, int]
    trained_on: TrainedOn

    @classmethod
    def open(cls, path: Path, device: torch.device | None = None) -> Run:
        """Load the run in the folder ``path``.

        Raises:
            UserError: no such folder, no run in it, unfinished, of a newer format, or damaged.
        """
        record = read_record(path)
        again = f"Restore it, or train {path} anew."
        device = device or torch.device("cpu")
        model = build(models.get(record["recipe"]["model"]["kind"]), _sizes(record), where=f"{path}/run.json")
        recognizer: Recognizer = model.build(record["charset"])
        content = read_tensors(path / "model.pt", device, again)
        try:
            recognizer.load_state_dict(content["state"])
        except (RuntimeError, KeyError):
            raise UserError(f"{path / 'model.pt'} does not fit the sizes in run.json. {again}") from None
        recognizer.to(device).eval()
        to_channels_last(recognizer)
        return cls(
            path=path,
            record=record,
            recognizer=recognizer,
            image_size=model.image_size,
            trained_on=read_trained_on(path),
        )


def read_record(path: Path) -> dict[str, Any]:
    """Read the ``run.json`` of the finished run in the folder ``path``, without its weights.

    Raises:
        UserError: no such folder, no run in it, unfinished, or of a newer format.
    """
    if not path.is_dir():
        raise UserError(f"run {path} does not exist. Check the path.")
    if not (path / "run.json").is_file():
        if (path / BUILD).is_dir():
            raise UserError(f"run {path} is unfinished. Run the command that trains it again: it resumes.")
        raise UserError(f"{path} is no training run: it has no run.json. Make one with 'train'.")
    record: Any = read_json(path / "run.json")
    kind = record.get("kind") if isinstance(record, dict) else None
    if kind != "run":
        raise UserError(f"{path} holds a {kind}, not a training run. Give the folder of a run.")
    if isinstance(record.get("format"), int) and record["format"] > FORMAT:
        raise UserError(
            f"{path} has format {record['format']}; this glyphmix reads up to {FORMAT}. Update it."
        )
    file, remedy = path / "run.json", f"Restore it, or train {path} anew."
    refuse_odd(record, {"format": int, "recipe": dict, "charset": str}, file, remedy)
    refuse_odd(record["recipe"], {"model": dict}, file, remedy, at="recipe")
    refuse_odd(record["recipe"]["model"], {"kind": str}, file, remedy, at="recipe.model")
    found: dict[str, Any] = record
    return found


def _sizes(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record["recipe"]["model"].items() if key != "kind"}


def write_tensors(path: Path, content: Mapping[str, Any]) -> None:
    """Write ``content`` whole or not at all."""
    # To memory first: where torch writes to a file, a full disk is an error about its own count of bytes.
    memory = io.BytesIO()
    torch.save(dict(content), memory)
    with whole(path) as draft:
        draft.write_bytes(memory.getbuffer())


def read_tensors(path: Path, device: torch.device, remedy: str) -> dict[str, Any]:
    """Read what ``write_tensors`` wrote.

    Raises:
        UserError: the file is missing or damaged; ``remedy`` says what to do then.
    """
    try:
        with zipfile.ZipFile(path) as file:  # torch itself does not look at the checksums
            if file.testzip() is not None:
                raise zipfile.BadZipFile
        content: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError:
        raise UserError(f"{path} is missing. {remedy}") from None
    except (RuntimeError, EOFError, ValueError, OSError, pickle.UnpicklingError, *BAD_ZIP):
        raise UserError(f"{path} is damaged or cut short. {remedy}") from None
    return content


def read_trained_on(run: Path) -> TrainedOn:
    """Read which words the finished run in the folder ``run`` learned from.

    Raises:
        UserError: they are missing or damaged.
    """
    path, remedy = run / "trained_on.npz", f"Restore it, or train {run} anew."
    try:
        with np.load(path) as content:
            return TrainedOn.of(content)
    except FileNotFoundError:
        raise UserError(f"{path} is missing. {remedy}") from None
    except (ValueError, OSError, EOFError, KeyError, *BAD_ZIP):
        raise UserError(f"{path} is damaged or cut short. {remedy}") from None
