"""Suspects: folds that keep copies together, trainings without them, and what is made of the answers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import train_words
from click.testing import CliRunner, Result

from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.images import encode_png
from curation.core.sample import Sample
from curation.mixture import Mixture
from curation.subtracting import subtract
from glyphmix import main
from train.fit import fit
from train.inits.run import FromRun
from train.learned import short_hashes
from train.run_folder import Run
from train.suspects import search as suspects
from train.suspects.folds import Folds
from train.suspects.report import list_worst
from train.suspects.search import Judged, Search, judge

N = 260
WRONG = {5: "jjj", 77: "bad", 140: "a", 201: "ghgh"}


def labelled(
    path: Path, words: list[str], labels: list[str], photos: list[str | None] | None = None
) -> Dataset:
    """Write pictures of ``words`` under ``labels``."""
    photos = photos or [None] * len(words)
    samples = [
        Sample(
            uid=f"{path.name}:{i}",
            image=encode_png(train_words.draw(word)),
            label=label,
            size=(40, 32),
            source="set",
            origin_image=photo,
        )
        for i, (word, label, photo) in enumerate(zip(words, labels, photos, strict=True))
    ]
    shards.start(path, {"recipe": path.name})
    shards.write_shard(path, 0, samples)
    shards.finish(path, allow_empty=True)
    return Dataset.open(path)


class TestFolds:
    def test_each_word_lies_in_one_and_those_of_a_photo_or_picture_together(self, tmp_path: Path) -> None:
        words = [f"w{i}" for i in range(40)]
        words[7] = words[31]  # the same picture
        photos = [f"photo{i // 4}" if i < 20 else None for i in range(40)]
        folds = Folds([labelled(tmp_path / "a", words, words, photos)], 3)
        assert sorted(set(folds.of.tolist())) == [0, 1, 2]
        assert all(len(set(folds.of[i : i + 4].tolist())) == 1 for i in range(0, 20, 4))
        assert folds.of[7] == folds.of[31]
        assert folds.n_groups == 24  # 5 photos and 20 single words, of which one hangs on a photo

    def test_a_further_dataset_moves_no_word(self, tmp_path: Path) -> None:
        words = [f"w{i}" for i in range(30)]
        a, b = (labelled(tmp_path / name, [name + w for w in words], words) for name in "ab")
        alone = Folds([a], 3).of
        assert Folds([a, b], 3).of[:30].tolist() == alone.tolist()
        assert Folds([b, a], 3).of[30:].tolist() == alone.tolist()

    def test_copies_elsewhere_are_found(self, tmp_path: Path) -> None:
        words = [f"w{i}" for i in range(12)]
        folds = Folds([labelled(tmp_path / "a", words, words)], 2)
        other = labelled(tmp_path / "b", ["new", words[3], "newer", words[8]], list("abcd"))
        expected: list[list[int]] = [[], []]
        for row, word in ((1, 3), (3, 8)):
            expected[folds.of[word]].append(row)
        assert [rows.tolist() for rows in folds.of_copies(other)] == expected

    def test_too_few_words(self, tmp_path: Path) -> None:
        dataset = labelled(tmp_path / "a", ["x", "y", "z"], ["x", "y", "z"], ["one"] * 3)
        with pytest.raises(UserError) as error:
            Folds([dataset], 2)
        assert str(error.value) == (
            f"3 words in 1 groups of one photo or picture are too few for 2 folds: {tmp_path / 'a'}. "
            "Give more words, or fewer --folds."
        )


class TestSubtract:
    def test_what_is_left_keeps_its_order_in_every_pass(self, tmp_path: Path) -> None:
        mixture = Mixture.open(train_words.two_sets(tmp_path))
        out = {0: mixture.training_rows(0)[::3], 1: np.array([2, 5])}
        less = subtract(mixture, out, tmp_path / "less")
        numbers, rows = mixture.positions(0, len(mixture))
        kept = ~np.array([row in out[n] for n, row in zip(numbers.tolist(), rows.tolist(), strict=True)])
        for found, before in zip(less.positions(0, len(less)), (numbers, rows), strict=True):
            assert found.tolist() == before[kept].tolist()
        again = less.positions(len(less), 2 * len(less))
        assert again[0].tolist() == numbers[kept].tolist()
        assert sorted(zip(*map(list, again), strict=True)) == sorted(
            zip(numbers[kept], rows[kept], strict=True)
        )
        assert [s["unique"] for s in less.manifest["sources"]] == [20, 18]
        assert less.fingerprint != mixture.fingerprint
        assert less.validation()[1].tolist() == mixture.validation()[1].tolist()

    def test_nothing_left(self, tmp_path: Path) -> None:
        mixture = Mixture.open(train_words.two_sets(tmp_path))
        with pytest.raises(
            UserError, match=r"^no word of the mixture .* would be left\. Leave fewer words out\.$"
        ):
            subtract(mixture, {0: np.arange(40), 1: np.arange(20)}, tmp_path / "less")
        assert not (tmp_path / "less").exists()


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a set of which a few labels are wrong, a run on it and more words, and its suspects."""
    folder = tmp_path_factory.mktemp("suspects")
    words = train_words.random_words(N)
    labels = [WRONG.get(i, word) for i, word in enumerate(words)]
    noisy = labelled(folder / "noisy", words, labels)
    more = train_words.dataset(folder / "more", train_words.random_words(150, seed=1))
    mixture = train_words.mixture(folder / "mixture", noisy, more)
    recipe = train_words.recipe(mixture=mixture, steps=2, batch=32, lr=1e-2, checkpoint_every=500)
    fit(recipe, folder / "run", seed=0)
    result = call(folder / "run", folder / "noisy", "-o", folder / "out", *OPTIONS)
    assert result.exit_code == 0, result.output
    (folder / "said.txt").write_text(result.stdout)
    return folder


OPTIONS = ("--folds", 2, "--steps", 140, "--share", 4 / N)


def call(*args: object) -> Result:
    return CliRunner().invoke(main, ["suspects", *map(str, args)], prog_name="glyphmix")


class TestSearch:
    def test_wrong_labels_come_first(self, ground: Path) -> None:
        table = pq.read_table(ground / "out" / "suspects.parquet")
        assert set(table["uid"].to_pylist()[:4]) == {f"noisy:{i}" for i in WRONG}
        assert table["rank"].to_pylist() == list(range(1, N + 1))
        scores = table["score"].to_numpy()
        assert (np.diff(scores) <= 0).all()
        alike = np.array(table["label_normalised"].to_pylist()) == np.array(table["prediction"].to_pylist())
        assert (scores[alike] == 0).all()
        assert alike.mean() > 0.5

    def test_no_recognizer_saw_what_it_judges(self, ground: Path) -> None:
        table = pq.read_table(ground / "out" / "suspects.parquet").to_pylist()
        noisy, more = Dataset.open(ground / "noisy"), Dataset.open(ground / "more")
        for fold in (1, 2):
            seen = Run.open(ground / "out" / f"fold_{fold}" / "run").trained_on
            rows = np.array([word["row"] for word in table if word["fold"] == fold])
            assert not np.isin(short_hashes(noisy, "uid", rows), seen.uids).any()
            assert not np.isin(short_hashes(noisy, "sha256", rows), seen.images).any()
            others = np.setdiff1d(np.arange(N), rows)
            assert np.isin(short_hashes(noisy, "uid", others), seen.uids).all()
            assert np.isin(short_hashes(more, "uid"), seen.uids).mean() > 0.5

    def test_filter_takes_the_list(self, ground: Path, tmp_path: Path) -> None:
        said = (ground / "said.txt").read_text()
        recipe = said.partition("a recipe with\n\n")[2]
        (tmp_path / "filter.toml").write_text(recipe)
        args = ["filter", tmp_path / "filter.toml", ground / "noisy", "-o", tmp_path / "clean"]
        assert CliRunner().invoke(main, list(map(str, args))).exit_code == 0
        left = set(Dataset.open(tmp_path / "clean").table(["uid"])["uid"].to_pylist())
        assert left == {f"noisy:{i}" for i in range(N) if i not in WRONG}

    def test_what_it_says_and_writes(self, ground: Path) -> None:
        facts = json.loads((ground / "out" / "suspects.json").read_text())
        lines = (ground / "said.txt").read_text().splitlines()
        assert lines[0] == "fold  words  read as labelled %"
        assert lines[3] == f"{N} words judged; left out: none"
        least = facts["least_score_listed"]
        assert lines[4] == (
            f"the worst 4, those with a score of {least:.2f} or more, are listed in "
            f"{ground / 'out' / 'rejects.parquet'}"
        )
        assert lines[5] == f"look at them in {ground / 'out' / 'suspects.html'}"
        assert facts["trained_on"] == "mixture"
        table = pq.read_table(ground / "out" / "suspects.parquet").to_pylist()
        alike = sum(word["label_normalised"] == word["prediction"] for word in table)
        assert sum(fold["n_read_as_labelled"] for fold in facts["folds"]) == alike
        assert [fold["n_words"] for fold in facts["folds"]] == np.bincount(
            Folds([Dataset.open(ground / "noisy")], 2).of
        ).tolist()
        tsv = (ground / "out" / "suspects.tsv").read_text().splitlines()
        assert (tsv[0].split("\t")[:3], len(tsv)) == (["rank", "uid", "dataset"], N + 1)
        page = (ground / "out" / "suspects.html").read_text()
        assert page.count('<img src="data:image/jpeg;base64,') == N
        assert "http" not in page.replace("http://www.w3.org", "")
        assert not (ground / "out" / suspects.BUILD).exists()

    def test_a_finished_search_is_not_written_over(self, ground: Path) -> None:
        result = call(ground / "run", ground / "noisy", "-o", ground / "out", *OPTIONS)
        assert result.stderr == (
            f"Error: output {ground / 'out'} exists already. Remove it or give another name with -o.\n"
        )


class TestInterrupted:
    def test_it_goes_on_where_it_stopped(
        self, ground: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        search = Search(run=ground / "run", datasets=(ground / "noisy",), out=tmp_path / "out", folds=2)
        trained: list[str] = []

        def stopping(*args: Any, **options: Any) -> Any:
            trained.append(args[1].parent.name)
            if len(trained) == 2:
                raise KeyboardInterrupt
            return fit(*args, **options)

        monkeypatch.setattr(suspects, "fit", stopping)
        with pytest.raises(KeyboardInterrupt):
            judge(search)
        found = judge(search)
        assert trained == ["fold_1", "fold_2", "fold_2"]
        again = judge(Search(run=search.run, datasets=search.datasets, out=tmp_path / "new", folds=2))
        assert found.table.equals(again.table)

    def test_with_other_options_it_is_refused(self, ground: Path, tmp_path: Path) -> None:
        search = Search(run=ground / "run", datasets=(ground / "noisy",), out=tmp_path / "out", folds=2)
        judge(search)
        result = call(ground / "run", ground / "noisy", "-o", tmp_path / "out", "--folds", 3, "--steps", 3)
        assert result.stderr == (
            f"Error: output {tmp_path / 'out'} holds an unfinished search that differs in: folds, "
            "recipe.steps. Repeat the command it was begun with, or remove the folder.\n"
        )


def test_datasets_that_the_mixture_lacks_are_trained_on_alone(ground: Path, tmp_path: Path) -> None:
    other = train_words.dataset(
        tmp_path / "other", ["abc", "def", *train_words.random_words(30, seed=2), "-"]
    )
    result = call(ground / "run", other.path, "-o", tmp_path / "out", "--folds", 2, "--score", 0.5, "--json")
    assert result.stderr.splitlines()[0] == (
        f"The mixture {ground / 'mixture'} lacks a dataset, so the datasets alone are trained on."
    )
    facts = json.loads(result.stdout)
    assert (facts["trained_on"], facts["n_words"], facts["dropped"]) == ("datasets", 32, {"empty": 1})
    scores = pq.read_table(tmp_path / "out" / "suspects.parquet")["score"].to_numpy()
    assert facts["n_listed"] == np.count_nonzero(scores >= 0.5)
    assert facts["cut"] == {"score": 0.5}


def test_the_cut_is_a_share_or_a_score_and_spares_what_is_read_as_labelled() -> None:
    table = pa.table({"score": [3.0, 2.0, 2.0, 0.5, 0.0, 0.0]})
    judged = Judged(table=table, dropped=Counter(), folds=[], trained_on="mixture")
    assert [list_worst(judged, share=share, score=None) for share in (0.01, 0.34, 0.5, 1.0)] == [0, 2, 3, 4]
    assert [list_worst(judged, share=1.0, score=score) for score in (9.0, 2.0, 0.1)] == [0, 3, 4]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("{run}", "{noisy}", "{noisy}"), "{noisy} is the same dataset as {noisy}. Name it once."),
        (("{noisy}", "{noisy}"), "{noisy} is no training run: it has no run.json. Make one with 'train'."),
        (("{run}", "{run}"), "{run} is no glyphmix dataset: it has no manifest.json. "
         "Make one with 'import' or 'render'."),
        (("{run}", "{noisy}", "--share", "0.1", "--score", "1"),
         "--share and --score both say what to list. Give one of them."),
    ],
)  # fmt: skip
def test_mistakes(ground: Path, tmp_path: Path, args: tuple[str, ...], message: str) -> None:
    names = {name: ground / name for name in ("run", "noisy")}
    result = call(*(arg.format(**names) for arg in args), "-o", tmp_path / "out")
    assert (result.exit_code, result.stderr) == (1, f"Error: {message.format(**names)}\n")
    assert not (tmp_path / "out").exists()


def test_weights_that_had_learned_the_words_are_refused(ground: Path, tmp_path: Path) -> None:
    recipe = train_words.recipe(mixture=ground / "mixture", steps=2, init=FromRun(path=ground / "run"))
    fit(recipe, tmp_path / "run", seed=0)
    result = call(tmp_path / "run", ground / "noisy", "-o", tmp_path / "out", "--folds", 2)
    assert result.exit_code == 1
    assert "the weights that the run began from had learned " in result.stderr.splitlines()[-1]
