from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import train_words
from torch import Tensor, nn

from train import fit
from train.averages import averages
from train.averages.base import Averaged, renew_norms
from train.averages.ema import Ema
from train.averages.none import NoAverage
from train.averages.swa import Swa
from train.models.base import half_precision
from train.training import Training

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))


def words(images: Tensor, targets: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
    """The same batch at every position."""
    return images, targets


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


def moved(net: nn.Sequential, step: int) -> None:
    """As an optimizer would: other weights, other statistics, one more batch counted."""
    torch.manual_seed(step)
    for parameter in net.parameters():
        parameter.data = torch.randn_like(parameter)
    net(torch.randn(5, 3))


@pytest.mark.parametrize("kind", list(averages))
def test_weights_of_every_average_are_shares_that_begin_once(kind: str) -> None:
    weights = [averages.get(kind)().weight(step, 40) for step in range(1, 41)]
    assert all(0 <= weight <= 1 for weight in weights)
    begun = [weight > 0 for weight in weights]
    assert begun == sorted(begun)


def test_ema_is_the_sum_by_its_definition() -> None:
    net = network()
    averaged = Averaged(net, with_norms=True)
    expected = {key: value.clone() for key, value in net.state_dict().items()}
    for step in range(1, 6):
        moved(net, step)
        averaged.update(Ema(decay=0.9, warmup=False).weight(step, 5))
        for key, value in net.state_dict().items():
            is_count = key.endswith("num_batches_tracked")
            expected[key] = value if is_count else 0.9 * expected[key] + 0.1 * value
    for key, value in averaged.network.state_dict().items():
        torch.testing.assert_close(value, expected[key])
    assert averaged.network.state_dict()["1.num_batches_tracked"] == 5


def test_the_decay_of_ema_warms_up() -> None:
    weights = [1 - Ema(decay=0.99).weight(step, 10_000) for step in (1, 2, 10, 10_000)]
    assert weights == pytest.approx([2 / 11, 3 / 12, 11 / 20, 0.99])


def test_swa_is_the_plain_mean_from_its_share_on() -> None:
    net, swa = network(), Swa(start=0.6)
    seen, averaged = [], None
    for step in range(1, 11):
        moved(net, step)
        if not (weight := swa.weight(step, 10)):
            assert step <= 6
            continue
        seen.append(net[0].weight.detach().clone())
        if averaged is None:
            averaged = Averaged(net, with_norms=False)
        else:
            averaged.update(weight)
    assert averaged is not None
    assert len(seen) == 4
    torch.testing.assert_close(averaged.network[0].weight, torch.stack(seen).mean(0))


@pytest.mark.parametrize(
    ("start", "steps", "first"), [(0.0, 5, 1), (0.75, 8, 7), (0.99, 10, 10), (0.5, 1, 1)]
)
def test_swa_always_counts_the_last_step(start: float, steps: int, first: int) -> None:
    weights = [Swa(start=start).weight(step, steps) for step in range(1, steps + 1)]
    assert weights == [0.0] * (first - 1) + [1 / n for n in range(1, steps - first + 2)]


def test_renewed_statistics_are_the_means_over_the_batches() -> None:
    net = network()
    batches = [torch.randn(6, 3) for _ in range(3)]
    moved(net, 9)
    renew_norms(net, (net(batch) for batch in batches))
    hidden = [net[0](batch).detach() for batch in batches]
    torch.testing.assert_close(net[1].running_mean, torch.stack([h.mean(0) for h in hidden]).mean(0))
    torch.testing.assert_close(net[1].running_var, torch.stack([h.var(0) for h in hidden]).mean(0))
    assert net[1].momentum == 0.1
    assert not net.training


@pytest.mark.parametrize("average", [Ema(decay=0.8), Swa(start=0.3, norm_batches=2)])
def test_the_average_is_what_is_measured_and_kept_and_goes_on_to_the_same_bits(
    average: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixture = train_words.two_sets(tmp_path)
    recipe = train_words.recipe(average=average, steps=10, validate_every=1, checkpoint_every=3)
    plain = fit.fit(train_words.recipe(steps=10), tmp_path / "plain", seed=0, mixture=mixture)
    whole = fit.fit(recipe, tmp_path / "whole", seed=0, mixture=mixture)
    advance = Training.advance

    def killed(self: Training, *batch: Any) -> float:
        if self.step == 8:
            raise KeyboardInterrupt
        return advance(self, *batch)

    monkeypatch.setattr(Training, "advance", killed)
    with pytest.raises(KeyboardInterrupt):
        fit.fit(recipe, tmp_path / "killed", seed=0, mixture=mixture)
    monkeypatch.setattr(Training, "advance", advance)
    resumed = fit.fit(recipe, tmp_path / "killed", seed=0, mixture=mixture)
    assert train_words.same_weights(tmp_path / "whole", tmp_path / "killed")
    assert not train_words.same_weights(tmp_path / "whole", tmp_path / "plain")
    logs = [(tmp_path / name / "log.jsonl").read_text(encoding="utf-8") for name in ("whole", "killed")]
    assert logs[0] == logs[1]
    assert json.loads(logs[0].splitlines()[-1])["validation"] == whole["validation"] == resumed["validation"]
    assert whole["recipe"]["average"]["kind"] == average.kind
    assert whole["parameters"] == plain["parameters"]


def test_training_with_an_average_moves_the_trained_weights_as_without(tmp_path: Path) -> None:
    states = []
    for average in (NoAverage(), Ema(), Swa(start=0.0, norm_batches=1)):
        training = Training(train_words.recipe(average=average), 0, "abc", CPU)
        images = torch.zeros(4, 32, 128, 3, dtype=torch.uint8)
        targets, _ = training.network.encode(["a", "b", "c", "ab"])
        for _ in range(3):
            training.advance(images, targets)
            training.reader(partial(words, images, targets))
        states.append(training.state()["network"])
    for state in states[1:]:
        assert all(torch.equal(state[key], states[0][key]) for key in states[0])


def test_swa_reads_with_statistics_of_its_own_weights() -> None:
    recipe = train_words.recipe(average=Swa(start=0.0, norm_batches=2), precision="float32")
    training = Training(recipe, 0, "abc", CPU)
    images = torch.randint(0, 255, (8, 32, 128, 3), dtype=torch.uint8)
    targets, _ = training.network.encode(["a", "b", "c", "ab", "cc", "ba", "cab", "b"])
    for _ in range(4):
        training.advance(images, targets)
    reader = training.reader(partial(words, images, targets))
    first = next(m for m in reader.modules() if isinstance(m, nn.BatchNorm2d))
    with torch.no_grad(), half_precision(CPU, "float32"):
        batch = training.recipe.augment(images, None)
        hidden = next(m for m in reader.modules() if isinstance(m, nn.Conv2d))(batch)
    torch.testing.assert_close(first.running_mean, hidden.mean((0, 2, 3)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ema(decay=1.0), "decay must be above 0 and below 1, got 1"),
        (lambda: Swa(start=1.0), "start must be from 0 to below 1, got 1"),
        (lambda: Swa(norm_batches=0), "norm_batches must be 1 or more, got 0"),
    ],
)
def test_numbers_out_of_range(make: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole message is compared
        make()
    assert str(error.value) == message
