"""All that one call of ``evaluate`` finds out: the same figures for the terminal, as JSON and on a page."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from train.evaluation.alignment import CharacterScore, Confusion, character_scores, confused, confusions
from train.evaluation.calibration import Calibration, calibrate
from train.evaluation.comparing import Comparison
from train.evaluation.scores import Average, AverageIntervals, Measured, average, average_intervals
from train.evaluation.slices import Slicing, slice_by
from train.evaluation.suites import Membership, Suite

SPECIAL = ("character", "confidence")  # what --by knows beside columns
ALWAYS = ("length", "aspect", "height", "set")  # grouped by whether asked for or not


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Figures about one run on some datasets; where not said otherwise, over the words of all of them.

    Attributes:
        run: The run's folder.
        protocol: The protocol's name.
        measured: The datasets, in the order given.
        average: Averages over them.
        average_intervals: How sure those are.
        slices: Groups of words: those asked for, then by ``ALWAYS``.
        characters: How well each character is read.
        confusions: Which is read as which.
        calibration: Confidence against accuracy.
        against: The other run's folder, if the run was compared with one.
        others: That run's predictions, in the order of ``measured``.
        comparisons: How the two compare.
        suite: The suite, if one was evaluated.
        members: What was found of it.
    """

    run: Path
    protocol: str
    measured: tuple[Measured, ...]
    average: Average
    average_intervals: AverageIntervals
    slices: tuple[Slicing, ...]
    characters: tuple[CharacterScore, ...]
    confusions: tuple[Confusion, ...]
    calibration: Calibration
    against: Path | None = None
    others: tuple[pa.Table, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    suite: Suite | None = None
    members: tuple[Membership, ...] = ()

    def json(self) -> dict[str, Any]:
        """As JSON values."""
        found: dict[str, Any] = {
            "run": str(self.run),
            "protocol": self.protocol,
            "scores": [dataclasses.asdict(one.score) for one in self.measured],
            "average": dataclasses.asdict(self.average),
            "average_intervals": dataclasses.asdict(self.average_intervals),
            "slices": [dataclasses.asdict(one) for one in self.slices],
            "characters": [dataclasses.asdict(one) for one in self.characters],
            "confusions": [dataclasses.asdict(one) for one in self.confusions],
            "calibration": dataclasses.asdict(self.calibration),
        }
        if self.against is not None:
            found["against"] = str(self.against)
            found["comparisons"] = [dataclasses.asdict(one) for one in self.comparisons]
        if self.suite is not None:
            found["suite"] = dataclasses.asdict(self.suite)
            found["members"] = [dataclasses.asdict(one) for one in self.members]
        return found


def find(run: Path, measured: Sequence[Measured], by: Sequence[str] = ()) -> Findings:
    """Work out everything about one run but what needs another run or a suite."""
    labels, read = (
        [text for one in measured for text in one.table[name].to_pylist()]
        for name in ("label_normalised", "prediction_normalised")
    )
    grouped = dict.fromkeys([*by, *ALWAYS])
    pairs = confused(labels, read)
    confidence = np.concatenate([one.table["confidence"].to_numpy() for one in measured])
    return Findings(
        run=run,
        protocol=measured[0].score.protocol,
        measured=tuple(measured),
        average=average([one.score for one in measured]),
        average_intervals=average_intervals(measured),
        slices=tuple(slice_by(name, measured) for name in grouped if name not in SPECIAL),
        characters=tuple(character_scores(labels, read, pairs)),
        confusions=tuple(confusions(labels, pairs)),
        calibration=calibrate(confidence, np.concatenate([one.correct for one in measured])),
    )
