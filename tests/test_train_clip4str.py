"""CLIP's visual tower with two branches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import train_words
from safetensors.torch import save_file
from torch import Tensor

from curation.core.errors import UserError
from curation.core.labels import CHARSET_36, CHARSET_94
from curation.core.recipe import build
from train.augments.base import to_float
from train.data.packing import scale
from train.inits.timm_weights import FromTimm
from train.models.base import count_parameters
from train.models.clip4str import Clip4Str, Clip4StrNet
from train.timm_models import load_timm

LITTLE = Clip4Str(**train_words.SMALL["clip4str"])


def little() -> Clip4StrNet:
    torch.manual_seed(0)
    return LITTLE.build(CHARSET_36)


def images(n: int) -> Tensor:
    torch.manual_seed(1)
    return torch.rand(n, 3, 32, 32) * 2 - 1


@pytest.mark.parametrize(
    ("size", "published", "pieces_of_words"),
    # Published of the code at VamosC/CLIP4STR: 158 M and 446 M parameters, with CLIP's embedding of pieces of
    # words, 49,408 of 512 and 768 values, in whose place we have one of 95 characters.
    [("base", 158e6, 49_408 * 512), ("large", 446e6, 49_408 * 768)],
)
def test_it_has_the_published_parameters_but_for_the_vocabulary(
    size: Any, published: float, pieces_of_words: int
) -> None:
    with torch.device("meta"):
        n = count_parameters(Clip4Str(size=size).build(CHARSET_94))
    assert n == pytest.approx(published - pieces_of_words, rel=0.005)


@pytest.mark.parametrize(
    ("size", "name"),
    [
        ("base", "vit_base_patch16_clip_quickgelu_224"),
        ("large", "vit_large_patch14_clip_quickgelu_224"),
        ("huge", "vit_huge_patch14_clip_quickgelu_224"),
    ],
)
def test_the_tower_is_that_of_clip_as_timm_has_it(size: Any, name: str) -> None:
    sizes = Clip4Str(size=size)
    with torch.device("meta"):
        ours = sizes.build("ab").timm_backbone()
        theirs = load_timm().create_model(name, num_classes=sizes.text.width)
    assert [(n, p.shape) for n, p in ours.named_parameters()] == [
        (n, p.shape) for n, p in theirs.named_parameters()
    ]
    assert str(ours.blocks[0].mlp) == str(theirs.blocks[0].mlp)


def test_weights_of_timm_load_into_the_tower_whole(tmp_path: Path) -> None:
    torch.manual_seed(2)
    given = LITTLE.build("ab").timm_backbone().state_dict()
    save_file(given, tmp_path / "clip.safetensors")
    network = little()
    line = FromTimm(file=tmp_path / "clip.safetensors").apply(network, LITTLE)
    assert line == f"file {tmp_path / 'clip.safetensors'}: {len(given)} tensors of the vision transformer"
    loaded = network.timm_backbone().state_dict()
    assert all(torch.equal(loaded[name], given[name]) for name in given)


def other_clip(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Any:
    """Let timm have a CLIP of its own, of random weights, that wants images in -1 to 1."""
    torch.manual_seed(2)
    source = replace(LITTLE, **changes).build("ab").timm_backbone().eval()
    source.pretrained_cfg = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}
    monkeypatch.setattr(load_timm(), "create_model", lambda name, *, pretrained: source)
    return source


@torch.no_grad()
def test_weights_of_another_brightness_see_what_they_have_learned_on(monkeypatch: pytest.MonkeyPatch) -> None:
    source, network = other_clip(monkeypatch), little().eval()
    FromTimm(name="vit_large_patch14_clip_224.laion2b").apply(network, LITTLE)
    expected = source.head(source.forward_features(images(2)))
    torch.testing.assert_close(network.tokens(images(2)), expected, rtol=1e-4, atol=1e-4)


def test_weights_of_another_activation_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other_clip(monkeypatch, activation="gelu")
    with pytest.raises(UserError) as error:
        FromTimm(name="vit_large_patch14_clip_224.laion2b").apply(little(), LITTLE)
    assert str(error.value) == (
        "timm model vit_large_patch14_clip_224.laion2b computes with GELU, and the model with QuickGELU. "
        "Set the model's activation to gelu or quick_gelu accordingly, or choose other weights."
    )
    FromTimm(name="vit_large_patch14_clip_224.openai").apply(little(), LITTLE)  # whose weights want QuickGELU


def test_images_get_the_brightness_of_clips() -> None:
    network = little()
    seen: list[Tensor] = []
    network.tower.forward_features = lambda x: seen.append(x) or torch.zeros(len(x), 5, 32)
    network.tokens(
        torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(1, 3, 1, 1).expand(2, 3, 32, 32) * 2 - 1
    )
    torch.testing.assert_close(seen[0], torch.zeros(2, 3, 32, 32), atol=1e-6, rtol=0)


def test_the_second_branch_leaves_the_tower_alone() -> None:
    network = little()
    network.visual.loss = lambda tokens, targets: torch.zeros(len(targets))
    targets, _ = network.encode(["one", "two"])
    network.loss(images(2), targets).sum().backward()
    changed = {name.partition(".")[0] for name, p in network.named_parameters() if p.grad is not None}
    assert changed == {"text", "cross"}


def test_the_loss_is_the_sum_of_both_branches() -> None:
    network = little().eval()
    targets, _ = network.encode(["one", "two"])
    network.visual.loss = lambda tokens, targets: torch.tensor([1.0, 2.0])
    network.cross.loss = lambda tokens, targets: torch.tensor([10.0, 20.0])
    assert network.loss(images(2), targets).tolist() == [11, 22]


def test_what_is_read_is_the_second_branchs_reading_of_image_and_text() -> None:
    network = little().eval()
    with torch.inference_mode():
        before, _ = network.decode(images(8))
        network.text.projection.weight.mul_(100)
        after, _ = network.decode(images(8))
        assert not torch.equal(before, after)  # the text is looked at
        network.cross.head.bias[3] = 1e4
        classes, confidence = network.decode(images(2))
    assert (classes == 3).all()
    assert (confidence > 0.99).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_px": 225}, "image_px must be a multiple of 16, got 225"),
        ({"size": "large", "image_px": 240}, "image_px must be a multiple of 14, got 240"),
        ({"width": 100}, "width must be a multiple of heads, got 100 and 12"),
        ({"text_heads": 0}, "heads must be 1 or more, got 0"),
        ({"permutations": 3}, "permutations must be 1 or an even number, got 3"),
        ({"dropout": 1.5}, "dropout must be from 0 to below 1, got 1.5"),
        ({"refine": 0}, "refine must be 1 or more, got 0"),
        ({"max_length": 0}, "max_length must be 1 or more, got 0"),
    ],
)
def test_it_refuses_impossible_sizes(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        build(Clip4Str, change, where="train.toml, model")
    assert str(error.value) == f"train.toml, model: {message}."


def test_it_overfits_64_words() -> None:
    words = train_words.random_words(64)
    sizes = replace(LITTLE, width=64, text_width=48, dropout=0.0, permutations=4, max_length=3)
    pixels = np.stack([scale(train_words.draw(word), sizes.image_size) for word in words])
    pictures = to_float(torch.from_numpy(pixels))
    torch.manual_seed(0)
    network, n_steps = sizes.build(CHARSET_36), 200
    targets, _ = network.encode(words)
    optimizer = torch.optim.AdamW(network.parameters(), lr=6e-3, betas=(0.9, 0.98))
    rise_and_fall = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / 15, 2 * (n_steps - step) / n_steps)
    )
    for _ in range(n_steps):
        optimizer.zero_grad()
        network.loss(pictures, targets).mean().backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        rise_and_fall.step()
    network.eval()
    assert [reading.text for reading in network.read(pictures)] == words
