"""Two runs on the same words: which reads more of them, and could chance have done it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from train.evaluation.metrics import bootstrap_mean
from train.evaluation.scores import Measured, alike_of, correct_of
from train.study.answers.draws import draw_outcome, mcnemar

ALL = "all sets"


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A run against another, word by word. Shares are 0-1, intervals 95 %.

    Attributes:
        name: The dataset, or ``all sets``, where every word counts once.
        n: Words.
        accuracy: Word accuracy of the run.
        accuracy_against: That of the other.
        difference: The first less the second.
        difference_low: Lower end of its interval, by a bootstrap over words, the same for both.
        difference_high: Upper end.
        gained: Words only the run reads.
        lost: Words only the other reads.
        p: McNemar's exact two-sided p value.
        one_minus_ned_difference: 1-NED of the run less that of the other.
        one_minus_ned_difference_low: Lower end of its interval.
        one_minus_ned_difference_high: Upper end.
    """

    name: str
    n: int
    accuracy: float
    accuracy_against: float
    difference: float
    difference_low: float
    difference_high: float
    gained: int
    lost: int
    p: float
    one_minus_ned_difference: float
    one_minus_ned_difference_low: float
    one_minus_ned_difference_high: float


def compare(measured: Sequence[Measured], against: Sequence[pa.Table]) -> list[Comparison]:
    """Compare the run with the predictions ``against`` on each set, and on all of them if there are several.

    Raises:
        UserError: ``against`` are predictions on other words.
    """
    for one, table in zip(measured, against, strict=True):
        if not table["uid"].equals(one.table["uid"]):
            raise UserError(
                f"the predictions to compare with are on other words of {one.score.name}: {len(table):,} "
                f"against {one.score.n_used:,}. Evaluate that run again."
            )
    sides = [
        ((one.correct, one.alike), (correct_of(table), alike_of(table)))
        for one, table in zip(measured, against, strict=True)
    ]
    names = [one.score.name for one in measured]
    if len(sides) > 1:
        both = tuple(
            tuple(np.concatenate([side[who][what] for side in sides]) for what in (0, 1)) for who in (0, 1)
        )
        sides.append(both)  # type: ignore[arg-type]
        names.append(ALL)
    return [_compare(name, *side) for name, side in zip(names, sides, strict=True)]


def stored_predictions(folder: Path, datasets: Sequence[Dataset], protocol: str) -> list[pa.Table]:
    """Read the predictions on ``datasets`` that a run made earlier and left in ``folder``.

    Raises:
        UserError: a file is missing or damaged, or its predictions are on another dataset or under another
            protocol.
    """
    return [_stored(folder / f"{dataset.name}.parquet", dataset, protocol) for dataset in datasets]


def _stored(path: Path, dataset: Dataset, protocol: str) -> pa.Table:
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise UserError(
            f"{path} is missing, and without it there is nothing to compare with on {dataset.name}. "
            "Evaluate that run on the same datasets first."
        ) from None
    except (pa.ArrowException, OSError):
        raise UserError(f"{path} is damaged. Remove it, and evaluate that run again.") from None
    facts = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    if "protocol" not in facts:
        raise UserError(
            f"{path} holds no predictions on words. Give --against a run, or a folder of its predictions."
        )
    if (before := facts["protocol"]) != protocol:
        raise UserError(
            f"{path} holds predictions under protocol {before}, not {protocol}. "
            f"Give --protocol {before}, or evaluate that run again."
        )
    if facts.get("dataset") != dataset.fingerprint:
        raise UserError(
            f"{path} holds predictions on another dataset than {dataset.path}. "
            "Evaluate both runs on the same one."
        )
    return table


def _compare(
    name: str, run: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]
) -> Comparison:
    outcome = draw_outcome({"run": run[0][None], "against": other[0][None]}, key=name)
    interval = outcome.difference("run", "against")
    apart = run[1] - other[1]
    low, high = bootstrap_mean(apart)
    words = mcnemar(run[0], other[0])
    return Comparison(
        name=name,
        n=len(apart),
        accuracy=outcome.accuracy["run"],
        accuracy_against=outcome.accuracy["against"],
        difference=interval.estimate,
        difference_low=interval.low95,
        difference_high=interval.high95,
        gained=int(words["gained"]),
        lost=int(words["lost"]),
        p=float(words["p"]),
        one_minus_ned_difference=float(apart.mean()),
        one_minus_ned_difference_low=low,
        one_minus_ned_difference_high=high,
    )
