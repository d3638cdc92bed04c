from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import train_words
from torch import Tensor, nn

from train import fit
from train.averages.ema import Ema
from train.models.base import to_channels_last
from train.optimizers import KernelMuon, hidden, optimizers
from train.processes import parts
from train.training import Training

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))


def batch(training: Training, n: int) -> tuple[Tensor, Tensor]:
    images = torch.randint(0, 255, (n, 32, 128, 3), generator=torch.Generator().manual_seed(n))
    targets, _ = training.network.encode(["abc"[i % 3] * (1 + i % 4) for i in range(n)])
    return images.to(torch.uint8), targets


@pytest.mark.parametrize("accumulate", [2, 3, 7])
def test_a_batch_in_parts_has_the_gradient_of_the_whole(accumulate: int) -> None:
    gradients, losses = [], []
    for count in (1, accumulate):
        recipe = train_words.recipe(
            model=train_words.Plain(), accumulate=count, precision="float32", clip=1e9
        )
        training = Training(recipe, 0, "abc", CPU)
        losses.append(training.advance(*batch(training, 7)))
        gradients.append([p.grad for p in training.network.parameters()])
    torch.testing.assert_close(losses[0], losses[1])
    torch.testing.assert_close(gradients[0], gradients[1])


def test_parts_cover_all_words_once() -> None:
    assert parts(7, 3) == [slice(0, 2), slice(2, 4), slice(4, 7)]
    assert parts(8, 2) == [slice(0, 4), slice(4, 8)]


def test_muon_moves_hidden_matrices_and_kernels_and_adamw_the_rest() -> None:
    net = train_words.PlainNet("abc")
    to_channels_last(net)
    assert [id(w) for w in hidden(net)] == [id(net.body.weight), id(net.mix.weight)]
    with_embedding = nn.ModuleDict({"embed": nn.Embedding(5, 4), "attend": nn.MultiheadAttention(4, 2)})
    attend = with_embedding["attend"]
    assert [id(w) for w in hidden(with_embedding)] == [id(attend.in_proj_weight), id(attend.out_proj.weight)]
    recipe = train_words.recipe(optimizer="muon", betas=(0.8, 0.95), momentum=0.9, ns_steps=3)
    adamw, muon = optimizers(recipe, net)
    n_moved = sum(len(group["params"]) for optimizer in (adamw, muon) for group in optimizer.param_groups)
    assert n_moved == len(list(net.parameters()))
    assert adamw.param_groups[0]["betas"] == (0.8, 0.95)
    assert muon.param_groups[0]["momentum"] == 0.9
    assert muon.param_groups[0]["ns_steps"] == 3


def test_a_kernel_moves_as_its_matrix_would() -> None:
    torch.manual_seed(0)
    kernel = nn.Parameter(torch.randn(6, 3, 2, 4).contiguous(memory_format=torch.channels_last))
    matrix = nn.Parameter(kernel.detach().permute(0, 2, 3, 1).reshape(6, -1).clone())
    ours = KernelMuon([kernel], lr=0.1, weight_decay=0.2)
    theirs = torch.optim.Muon([matrix], lr=0.1, weight_decay=0.2)
    for _ in range(3):
        gradient = torch.randn(6, 3, 2, 4)
        kernel.grad = gradient
        matrix.grad = gradient.permute(0, 2, 3, 1).reshape(6, -1)
        ours.step()
        theirs.step()
    assert torch.equal(kernel.permute(0, 2, 3, 1).reshape(6, -1), matrix)


def test_muon_learns() -> None:
    recipe = train_words.recipe(model=train_words.Plain(), optimizer="muon", lr=0.01, steps=30, warmup=0.1)
    training = Training(recipe, 0, "abc", CPU)
    words = batch(training, 6)
    losses = [float(training.advance(*words)[0]) for _ in range(30)]
    assert losses[-1] < 0.6 * losses[0]


def test_every_knob_together_goes_on_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixture = train_words.two_sets(tmp_path)
    recipe = train_words.recipe(optimizer="muon", accumulate=3, average=Ema(), steps=7, validate_every=0)
    fit.fit(recipe, tmp_path / "whole", seed=0, mixture=mixture)
    advance = Training.advance

    def killed(self: Training, *words: Any) -> float:
        if self.step == 5:
            raise KeyboardInterrupt
        return advance(self, *words)

    monkeypatch.setattr(Training, "advance", killed)
    with pytest.raises(KeyboardInterrupt):
        fit.fit(recipe, tmp_path / "killed", seed=0, mixture=mixture)
    monkeypatch.setattr(Training, "advance", advance)
    fit.fit(recipe, tmp_path / "killed", seed=0, mixture=mixture)
    assert train_words.same_weights(tmp_path / "whole", tmp_path / "killed")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accumulate": 0}, "accumulate must be 1 or more, got 0"),
        ({"accumulate": 9}, "accumulate must be up to batch, 8, got 9"),
        ({"betas": (0.9, 1.0)}, "betas and momentum must be from 0 to below 1, got [0.9, 1.0] and 0.95"),
    ],
)
def test_numbers_out_of_range(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole message is compared
        train_words.recipe(**change)
    assert str(error.value) == message
