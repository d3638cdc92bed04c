"""Studies with gaps, and studies that do not carry what is asked of them: sentences, not figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from study_many import TRUTH, many

from curation.core.errors import UserError
from train.laws.joint import Joint
from train.study.answers import joint_findings
from train.study.answers.findings import study_laws
from train.study.answers.joint_findings import exchange_point
from train.study.answers.laws_text import law_sentences, laws_text
from train.study.answers.money_words import law_remarks
from train.study.rows import Study

TESTS = {"a": 400, "b": 40}


@pytest.fixture
def few_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = [Joint(floor=False, repeats="counted_once"), Joint(floor=False)]
    monkeypatch.setattr(joint_findings, "joint_forms", lambda columns: forms)


@pytest.mark.parametrize("gap", ["no test", "no count"])
@pytest.mark.parametrize("at", [0, 4])
def test_a_run_without_a_test_is_named(tmp_path: Path, gap: str, at: int) -> None:
    many(tmp_path, words=TESTS, seeds=(0,), kinds=("fixed_real",), held_out=())
    rows = [json.loads(line) for line in (tmp_path / "runs.jsonl").read_text().splitlines()]
    if gap == "no test":
        del rows[at]["tests"][1]
    else:
        rows[at]["tests"][1]["n_correct"] = None
    (tmp_path / "runs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = rows[at]["run"]
    with pytest.raises(UserError) as refusal:
        Study.open(tmp_path)
    assert str(refusal.value) == (
        f"the row of {run} does not say how many words of b were read. Restore it, or remove "
        f"runs/{run}/predictions and runs/{run}/row.json, and run ablate again: it only evaluates anew."
    )


def test_a_test_of_no_words_is_no_figure(tmp_path: Path) -> None:
    study = many(tmp_path, words=TESTS, seeds=(0,), kinds=("fixed_real",), held_out=())
    for file in tmp_path.glob("runs/*/predictions/b.parquet"):
        pq.write_table(pq.read_table(file).slice(0, 0), file)
    with pytest.raises(UserError) as refusal:
        study_laws(study)
    assert str(refusal.value) == (
        "the predictions of photos4000-s0 on b have no word, and a share of none is no figure. Restore them, "
        "or remove runs/photos4000-s0/predictions and runs/photos4000-s0/row.json, and run ablate again: it "
        "only evaluates anew."
    )


def grid(path: Path, **truth: float) -> tuple[Study, dict[str, Any]]:
    """A study of a grid alone, which compares its cells with none of them."""
    study = many(path, words={"a": 800}, kinds=("grid",), held_out=(), truth={**TRUTH, **truth})
    study.designs[0]["base"] = None
    return study, study_laws(study)


def test_a_grid_that_says_nothing_gives_the_reason(tmp_path: Path, few_forms: None) -> None:
    _, laws = grid(tmp_path, B=0.0, E=0.4)
    assert laws["answer"] == (
        "Not answered: the 9 cells differ by no more than seeds and test words do, so no law shows. "
        "Train cells further apart, more seeds, or take a larger test."
    )


def test_no_worse_law_prices_words_that_are_worth_nothing(tmp_path: Path, few_forms: None) -> None:
    """The best form says that nothing is sure; the next misses its cells a hundredfold, and has a rate."""
    study, laws = grid(tmp_path, k=0.0)
    assert "and perhaps nothing, so no rate can be told" in laws["answer"]
    assert laws["tests"][0]["exchange"] == laws["tests"][0]["joint"]
    assert "is worth" not in laws_text(study, laws).replace("one synthetic word is worth at most", "")


def test_the_exchange_rate_of_a_grid_is_not_told_beyond_its_words(tmp_path: Path) -> None:
    study = many(tmp_path, words={"a": 20}, seeds=(0,), kinds=("grid",), held_out=())
    assert exchange_point(study, study.points("a")) == (8_000, 24_000)


def test_a_law_that_nothing_checked_does_not_give_the_answer(tmp_path: Path, few_forms: None) -> None:
    study = many(tmp_path, words=TESTS, kinds=("fixed_real",), held_out=())
    laws = study_laws(study)
    assert laws["answer"].startswith("Adding 6 rendered words per photos word gained ")
    assert "is worth" not in laws["answer"]
    assert (
        "The form of the joint law is taken on trust on all tests, and what it says of photos and other "
        "words with it: without any one volume too few cells are left to test it on. Add cells with other "
        "numbers of photos words."
    ) in laws["remarks"]
    assert not any("what to get next" in remark for remark in laws["remarks"])
    laws["tests"][0] |= {key: {"refused": "too few words"} for key in ("joint", "exchange", "doubling")}
    text = laws_text(study, laws)
    assert "| a         |" in text, "a test on which the law was refused"
    assert "not told" in text


def test_cells_of_one_seed_are_not_said_to_be_alike(tmp_path: Path) -> None:
    """Paired over test words they may differ, and nobody knows what another seed would have done."""
    study = many(tmp_path, words={"a": 300}, seeds=(0,), kinds=("model_size",), held_out=())
    assert {law["refused"] for law in study_laws(study)["tests"][0]["designs"][0]["laws"]} == {
        "the 4 cells have one seed each, and differ by no more than seeds may do, so no law shows. "
        "Train more seeds, cells further apart, or take a larger test"
    }


def test_the_law_of_a_design_says_that_it_misses_its_cells(tmp_path: Path) -> None:
    study = many(tmp_path, words={"a": 300}, kinds=("volume",), held_out=())
    laws = study_laws(study)
    chosen = next(law for law in laws["tests"][0]["designs"][0]["laws"] if law.get("chosen"))
    for misses, said in ((1.0, False), (3.21, True)):
        chosen["misses"] = misses
        ((_, sentence),) = law_sentences(laws, 0)
        assert ("; it misses its cells (deviance 3.2 times what is expected)" in sentence) == said


def test_with_one_seed_nothing_is_said_of_what_seeds_explain(tmp_path: Path, few_forms: None) -> None:
    study = many(tmp_path, words={"a": 800}, kinds=("grid",), held_out=())
    test = study_laws(study)["tests"][0]
    test["joint"]["misses"] = 3.21
    for seed_sd, noise in ((0.01, "seeds and test words explain"), (None, "test words explain")):
        told = " ".join(law_remarks({**test, "seed_sd": seed_sd}))
        assert f"misses its cells by more than {noise} (deviance 3.2 times what is expected)" in told
