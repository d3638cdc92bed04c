"""Words rendered as it goes: which stand where, and that they are those of the renderer."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import small_recipe
import torch
import train_words

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.labels import CHARSET_36, PROTOCOLS, protocol
from curation.mixture import Mixture
from synthgen.render import load, render
from train.data import drawing
from train.data.batches import Words
from train.data.drawing import Drawers, blocks
from train.data.packing import pack
from train.data.rendered import Order, Rendered
from train.data.word_stream import WordStream
from train.run_folder import TrainedOn

ROOT = Path(__file__).parents[1]
SIZE = (32, 128)
LEAVES_WORKERS_BEHIND = """
import os, signal, sys
import numpy as np
from curation.core.labels import protocol
from train.data import drawing
from train.data.drawing import Drawers
from train.data.rendered import Rendered
drawing.BLOCK = 8
stream = Rendered(recipe=sys.argv[1]).open(protocol("parseq36"), (32, 128))
with Drawers(stream, 2, [np.arange(100)]) as drawers:
    drawers.take(10)
    masks = [open(f"/proc/{worker.process.pid}/status").read() for worker in drawers._workers]
    assert all(int(mask.split("SigBlk:")[1].split()[0], 16) & 2 for mask in masks)  # bit 1: SIGINT
    print(*(worker.process.pid for worker in drawers._workers), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_recipe.write_recipe(tmp_path_factory.mktemp("recipe"))


@pytest.fixture(scope="module")
def dataset(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """What ``glyphmix render RECIPE -n 40 --seed 5`` writes."""
    out = tmp_path_factory.mktemp("rendered") / "words"
    render(load(str(recipe)), out, n=40, seed=5)
    return Dataset.open(out)


@pytest.fixture
def stream(recipe: Path) -> WordStream:
    return Rendered(recipe=str(recipe), seed=5).open(protocol("parseq36"), SIZE)


@pytest.fixture(autouse=True)
def small_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(drawing, "BLOCK", 8)


@pytest.mark.parametrize(
    ("per_word", "share"), [(3.0, Fraction(1, 4)), (0.5, Fraction(2, 3)), (1.37, Fraction(100, 237))]
)
def test_every_prefix_has_the_ratio_to_within_half_a_word(per_word: float, share: Fraction) -> None:
    order = Order.of(per_word, has_mixture=True)
    rendered = order.is_rendered(0, 2_000)
    for k in (1, 2, 7, 100, 1_999):
        n_mixture = int((~rendered[:k]).sum())
        assert abs(n_mixture - share * k) <= Fraction(1, 2)
        assert order.of_mixture(0, k) == (0, n_mixture)
        assert order.of_rendered(0, k) == (0, k - n_mixture)
    late = 10**12 + 17
    assert order.of_mixture(late, late + 1_000)[1] - order.of_mixture(late, late)[0] == pytest.approx(
        1_000 * share, abs=1
    )
    np.testing.assert_array_equal(order.is_rendered(500, 700), rendered[500:700])


def test_without_a_mixture_all_are_rendered_and_without_a_table_none() -> None:
    assert Order.of(3.0, has_mixture=False).of_rendered(5, 9) == (5, 9)
    assert Order.of(None, has_mixture=True).of_mixture(5, 9) == (5, 9)


def test_blocks_are_cut_where_words_are_planned_apart() -> None:
    wanted = [np.arange(3, 6), np.arange(6, 6), np.arange(6, 10), np.arange(14, 18)]
    assert [block.tolist() for block in blocks(wanted)] == [
        [3, 4, 5, 6, 7], [8, 9, 14, 15], [16, 17],
    ]  # fmt: skip


def test_words_are_those_that_render_writes(dataset: Dataset, stream: WordStream) -> None:
    images = np.zeros((40, *SIZE, 3), np.uint8)
    labels = stream.draw(range(40), images)
    np.testing.assert_array_equal(images, pack(dataset).images)
    written = dataset.table(["label"])["label"].to_pylist()
    assert [label.text for label in labels] == [text.lower() for text in written]
    assert len(set(written)) > 4


def taken(stream: WordStream, jobs: int, sizes: list[int], start: int = 0) -> tuple[np.ndarray, list[str]]:
    """The words from ``start``, in takes of ``sizes``."""
    images, texts = [], []
    with Drawers(stream, jobs, iter([np.arange(start, start + sum(sizes))])) as drawers:
        for n in sizes:
            part, labels = drawers.take(n)
            images.append(part)
            texts += [label.text for label in labels]
    assert not multiprocessing.active_children()
    return np.concatenate(images), texts


@pytest.mark.parametrize(("jobs", "sizes"), [(1, [40]), (3, [7, 1, 20, 12])])
def test_words_do_not_depend_on_processes_nor_on_how_they_are_taken(
    jobs: int, sizes: list[int], dataset: Dataset, stream: WordStream
) -> None:
    images, _ = taken(stream, jobs, sizes)
    np.testing.assert_array_equal(images, pack(dataset).images)
    if jobs > 1:
        np.testing.assert_array_equal(taken(stream, jobs, [9], start=13)[0], pack(dataset).images[13:22])


def test_a_killed_process_is_replaced(
    dataset: Dataset, stream: WordStream, capsys: pytest.CaptureFixture[str]
) -> None:
    with Drawers(stream, 2, iter([np.arange(40)])) as drawers:
        drawers.take(3)
        os.kill(drawers._workers[0].process.pid, signal.SIGKILL)
        drawers._workers[0].process.join()
        images, _ = drawers.take(37)
    np.testing.assert_array_equal(images, pack(dataset).images[3:])
    assert not multiprocessing.active_children()
    assert capsys.readouterr().err == (
        "Warning: a process that draws words was killed; another one does its work.\n"
    )


def killed(self: WordStream, *task: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Deadly(WordStream):
    draw = killed  # type: ignore[assignment]


class Faulty(WordStream):
    def draw(self, *task: object) -> list:  # type: ignore[override,type-arg]
        raise UserError("the font a.ttf is gone. Put it back.")


def test_processes_that_are_killed_again_and_again_are_one_sentence(
    stream: WordStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "RERUNS", 1)
    deadly = Deadly(recipe=stream.recipe, seed=0, protocol=stream.protocol, size=SIZE)
    with pytest.raises(UserError) as error, Drawers(deadly, 1, iter([np.arange(4)])) as drawers:
        drawers.take(1)
    assert str(error.value) == (
        "processes that draw words were killed again and again, perhaps for want of memory. Run the same "
        "command again with fewer jobs in the recipe's table 'rendered': it goes on where it stopped."
    )
    assert not multiprocessing.active_children()


def test_what_goes_wrong_in_a_process_is_raised_here(stream: WordStream) -> None:
    faulty = Faulty(recipe=stream.recipe, seed=0, protocol=stream.protocol, size=SIZE)
    with pytest.raises(UserError) as error, Drawers(faulty, 1, iter([np.arange(4)])) as drawers:
        drawers.take(1)
    assert str(error.value) == "the font a.ttf is gone. Put it back."


def semaphores() -> set[Path]:
    return set(Path("/dev/shm").glob("sem.*")) | set(Path("/dev/shm").glob("p*"))


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")")[-1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")
def test_processes_end_when_the_training_is_killed(recipe: Path) -> None:
    before = semaphores()
    killed = subprocess.run(
        [sys.executable, "-c", LEAVES_WORKERS_BEHIND, str(recipe)], cwd=ROOT, capture_output=True, text=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left = [int(pid) for pid in killed.stdout.split()]
    assert len(left) == 2
    for pid in left:
        for _ in range(1_000):  # the system needs a moment to tell them
            if not is_alive(pid):
                break
            signal.sigtimedwait([], 0.01)
        assert not is_alive(pid)
    assert not semaphores() - before


@pytest.fixture
def words(recipe: Path, tmp_path: Path) -> Iterator[Words]:
    mixture = Mixture.open(train_words.two_sets(tmp_path))
    network = train_words.TINY.build(CHARSET_36)
    rendered = Rendered(recipe=str(recipe), seed=5, per_word=1.5, jobs=1)
    return Words(mixture, network, protocol("parseq36"), SIZE, rendered=rendered)


def test_batches_hold_the_words_of_both_in_their_order(words: Words, dataset: Dataset) -> None:
    alone = Words(words.mixture, train_words.TINY.build(CHARSET_36), protocol("parseq36"), SIZE)
    images, targets = words.batch(10, 30)
    where = torch.from_numpy(words.order.is_rendered(10, 30))
    assert int(where.sum()) == 12
    mixed = alone.batch(*words.order.of_mixture(10, 30))
    assert torch.equal(images[~where], mixed[0])
    assert torch.equal(targets[~where], mixed[1])
    first, last = words.order.of_rendered(10, 30)
    np.testing.assert_array_equal(images[where], pack(dataset).images[first:last])
    labels = [text.lower() for text in dataset.table(["label"])["label"][first:last].to_pylist()]
    assert torch.equal(targets[where], train_words.TINY.build(CHARSET_36).encode(labels)[0])


def test_parts_of_a_batch_are_drawn_alone_and_make_up_the_whole(words: Words) -> None:
    """As processes that train together do, each of which takes its part of every batch."""
    whole = list(words.batches((k, k + 8) for k in (40, 48)))
    assert words.rendered is not None
    assert words.rendered.n_counted == 10
    for half in (0, 4):
        part = list(words.batches((k + half, k + half + 4) for k in (40, 48)))
        for (images, targets), (all_images, all_targets) in zip(part, whole, strict=True):
            assert torch.equal(images, all_images[half : half + 4])
            assert torch.equal(targets, all_targets[half : half + 4])
    assert torch.equal(whole[1][0], words.batch(48, 56)[0])


class TestRefusals:
    def refused(self, recipe: Path | str, name: str = "parseq36") -> str:
        with pytest.raises(UserError) as error:
            Rendered(recipe=str(recipe)).open(PROTOCOLS[name], SIZE)
        return str(error.value)

    def test_a_recipe_that_does_not_exist(self) -> None:
        assert self.refused("mjst_plux") == "unknown recipe 'mjst_plux'. Did you mean 'mjst_plus'?"

    def test_a_recipe_of_other_characters(self, recipe: Path, tmp_path: Path) -> None:
        other = tmp_path / "other.toml"
        text = recipe.read_text(encoding="utf-8")
        other.write_text(text.replace('charset = "', 'charset = "!?" #'), encoding="utf-8")
        assert self.refused(other) == (
            "recipe other draws not one character of protocol parseq36. "
            "Train with another protocol, or draw with another charset."
        )

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"jobs": 0}, "jobs must be 1 or more, got 0"),
            ({"seed": -1}, "seed must be 0 or more, got -1"),
            ({"validation": -1}, "validation must be 0 or more, got -1"),
            ({"per_word": 0.0}, "per_word must be from 0.0001 to 10,000, got 0"),
        ],
    )
    def test_numbers_out_of_range(self, change: dict[str, float], message: str) -> None:
        with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole message is compared
            Rendered(recipe="mjst_plus", **change)  # type: ignore[arg-type]
        assert str(error.value) == message


def test_uids_of_rendered_words_are_told_by_prefix_and_number() -> None:
    none = np.empty(0, np.uint64)
    run = TrainedOn(images=none, uids=none, rendered={"small-0123-5": 12})
    uids = ["small-0123-5:0", "small-0123-5:11", "small-0123-5:12", "small-0123-6:0", "iiit5k:word_3.png"]
    assert run.was_rendered(uids).tolist() == [True, True, False, False, False]
    assert not TrainedOn.nothing().was_rendered(uids).any()
    both = run | TrainedOn(images=none, uids=none, rendered={"small-0123-5": 3, "other-4567-0": 4})
    assert both.rendered == {"small-0123-5": 12, "other-4567-0": 4}
    assert TrainedOn.of(both.arrays()).rendered == both.rendered
    assert TrainedOn.of({"images": none, "uids": none}).rendered == {}
