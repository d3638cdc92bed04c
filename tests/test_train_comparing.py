from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from measured_words import measured

from curation.core.errors import UserError
from train.evaluation.comparing import compare, stored_predictions


def test_two_runs_word_by_word(tmp_path: Path) -> None:
    labels = [f"word{i}" for i in range(40)]
    one = measured(tmp_path / "a", labels, [*labels[:30], *["x"] * 10])
    same = measured(tmp_path / "b", labels[:4], labels[:4])
    other = one.table.set_column(6, "correct", [[i < 20 or i >= 38 for i in range(40)]])
    found = compare([one, same], [other, same.table])
    assert [c.name for c in found] == ["a", "b", "all sets"]
    first, equal, both = found
    assert (first.gained, first.lost, first.n) == (10, 2, 40)
    # Exact two-sided binomial test: 2 * (C(12,0) + C(12,1) + C(12,2)) / 2**12.
    assert first.p == pytest.approx(2 * 79 / 4096)
    assert first.difference == pytest.approx(8 / 40)
    assert first.difference_low < 8 / 40 < first.difference_high
    assert (equal.p, equal.difference, equal.gained, equal.lost) == (1.0, 0.0, 0, 0)
    assert equal.difference_low < 0 < equal.difference_high, "four words prove nothing"
    assert (both.n, both.gained, both.lost) == (44, 10, 2)
    assert both.difference == pytest.approx(8 / 44)


def test_other_words_are_refused(tmp_path: Path) -> None:
    one = measured(tmp_path / "a", ["x", "y"], ["x", "y"])
    with pytest.raises(UserError) as error:
        compare([one], [one.table.slice(1)])
    assert str(error.value) == (
        "the predictions to compare with are on other words of a: 1 against 2. Evaluate that run again."
    )


def test_stored_predictions(tmp_path: Path) -> None:
    one = measured(tmp_path / "a", ["x", "y"], ["x", "y"])
    folder = tmp_path / "stored"
    folder.mkdir()
    file = folder / "a.parquet"

    def refused() -> str:
        with pytest.raises(UserError) as error:
            stored_predictions(folder, [one.dataset], "parseq36")
        return str(error.value)

    def store(dataset: str, protocol: str) -> None:
        facts = {"dataset": dataset, "protocol": protocol}
        pq.write_table(one.table.replace_schema_metadata(facts), file)

    assert refused() == (
        f"{file} is missing, and without it there is nothing to compare with on a. "
        "Evaluate that run on the same datasets first."
    )
    store("other", "parseq36")
    assert refused() == (
        f"{file} holds predictions on another dataset than {one.dataset.path}. "
        "Evaluate both runs on the same one."
    )
    store(one.dataset.fingerprint, "dtrb36")
    assert refused() == (
        f"{file} holds predictions under protocol dtrb36, not parseq36. "
        "Give --protocol dtrb36, or evaluate that run again."
    )
    pq.write_table(one.table.replace_schema_metadata(None), file)
    assert refused() == (
        f"{file} holds no predictions on words. Give --against a run, or a folder of its predictions."
    )
    file.write_bytes(b"junk")
    assert refused() == f"{file} is damaged. Remove it, and evaluate that run again."
    store(one.dataset.fingerprint, "parseq36")
    (table,) = stored_predictions(folder, [one.dataset], "parseq36")
    assert table.equals(one.table)
