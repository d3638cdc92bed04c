"""Weights of timm's for a vision transformer of ours; nothing here is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from curation.core.errors import UserError
from curation.core.labels import CHARSET_36
from curation.core.recipe import build
from train.inits import inits
from train.inits.timm_weights import FromTimm
from train.models import Recognizer
from train.models.conv_ctc import ConvCtc
from train.models.vit_ctc import VitCtc
from train.timm_models import load_timm

MODEL = VitCtc(size="tiny", width=32, depth=2, heads=2)
REMEDY = "Give the model the width, depth and heads of these weights, or choose others."


def vision_transformer(width: int = 32, depth: int = 2, **changes: Any) -> Any:
    """A vision transformer with random weights, of square images and patches, with a class token."""
    torch.manual_seed(3)
    timm = load_timm()
    sizes = {"img_size": 64, "patch_size": 16, "embed_dim": width, "depth": depth, "num_heads": 2}
    network = timm.models.VisionTransformer(**(sizes | {"num_classes": 5} | changes))
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    return network


def ours() -> Recognizer:
    torch.manual_seed(0)
    return MODEL.build(CHARSET_36)


def check(loaded: Recognizer, given: dict[str, Tensor]) -> None:
    """All weights of the transformer are the given ones, resampled as timm does it; the others are fresh."""
    timm, fresh = load_timm(), ours().state_dict()
    for name, value in loaded.state_dict().items():
        if not name.startswith("encoder."):
            assert torch.equal(value, fresh[name]), name
            continue
        want = given[name.removeprefix("encoder.")]
        if name == "encoder.pos_embed":
            want = timm.layers.resample_abs_pos_embed(want[:, 1:], [8, 16], [4, 4], num_prefix_tokens=0)
        if name == "encoder.patch_embed.proj.weight":
            want = timm.layers.resample_patch_embed(want, (4, 8))
        torch.testing.assert_close(value, want, msg=name)


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth"])
def test_a_file_is_resampled_and_loaded(name: str, tmp_path: Path) -> None:
    given = vision_transformer().state_dict()
    if name.endswith(".pth"):
        torch.save({"model": given}, tmp_path / name)
    else:
        save_file(given, tmp_path / name)
    network = ours()
    line = FromTimm(file=tmp_path / name).apply(network, MODEL)
    assert line == (
        f"file {tmp_path / name}: 29 tensors of the vision transformer; positions resampled to 8x16; "
        "patches resampled from 16x16 to 4x8; left out: cls_token, head.bias, head.weight"
    )
    check(network, given)


def test_a_name_brings_weights_that_take_our_brightness(monkeypatch: pytest.MonkeyPatch) -> None:
    given = vision_transformer()
    mean, std = (0.48, 0.46, 0.41), (0.27, 0.26, 0.28)
    given.pretrained_cfg = {"mean": mean, "std": std}
    asked: list[Any] = []

    def create_model(name: str, *, pretrained: bool) -> Any:
        asked.append((name, pretrained))
        return given

    monkeypatch.setattr(load_timm(), "create_model", create_model)
    network = ours()
    line = FromTimm(name="vit_small_patch16_224.augreg_in21k").apply(network, MODEL)
    assert line.startswith(
        "timm model vit_small_patch16_224.augreg_in21k: 29 tensors of the vision transformer;"
    )
    assert asked == [("vit_small_patch16_224.augreg_in21k", True)]
    torch.manual_seed(0)
    image = torch.rand(1, 3, 32, 128)
    theirs = (image - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    patches = load_timm().layers.resample_patch_embed(given.patch_embed.proj.weight.detach(), (4, 8))
    want = nn.functional.conv2d(theirs, patches, given.patch_embed.proj.bias, stride=(4, 8))
    found = network.timm_backbone().patch_embed(2 * image - 1)
    torch.testing.assert_close(found, want.flatten(2).transpose(1, 2), rtol=1e-3, atol=1e-3)


def refusal(init: FromTimm, model: Any = MODEL) -> str:
    with pytest.raises(UserError) as error:
        init.apply(model.build(CHARSET_36), model)
    return str(error.value)


def saved(path: Path, state: dict[str, Tensor]) -> FromTimm:
    save_file(state, path)
    return FromTimm(file=path)


def test_another_width_or_depth_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    assert refusal(saved(path, vision_transformer(width=48).state_dict())) == (
        f"file {path} has width 48, and the model 32. {REMEDY}"
    )
    assert refusal(saved(path, vision_transformer(depth=3).state_dict())) == (
        f"file {path} has weights blocks.2.attn.proj.bias, which the model has not. {REMEDY}"
    )
    assert refusal(saved(path, vision_transformer(depth=1).state_dict())) == (
        f"file {path} has no weights blocks.1.norm1.weight, which the model has. {REMEDY}"
    )


@pytest.mark.parametrize("class_token", [False, True])
def test_positions_of_the_models_own_grid_stay_as_they_are(class_token: bool, tmp_path: Path) -> None:
    sizes = {"img_size": (32, 128), "patch_size": (4, 8), "class_token": class_token}
    given = vision_transformer(**sizes, global_pool="").state_dict()
    network = ours()
    saved(tmp_path / "w.safetensors", given).apply(network, MODEL)
    assert torch.equal(network.timm_backbone().pos_embed, given["pos_embed"][:, int(class_token) :])


def test_positions_of_an_oblong_grid_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    given = vision_transformer(img_size=(32, 64), patch_size=4).state_dict()  # 8 x 16, and the class token
    given["pos_embed"] = given["pos_embed"][:, :120]
    assert refusal(saved(path, given)) == (
        f"file {path} has 120 positions, neither of a square of patches nor of the model's 128. "
        "Choose other weights."
    )


def test_what_is_no_vision_transformer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    assert refusal(saved(path, {"fc.weight": torch.zeros(2, 3)})) == (
        f"file {path} has no weights pos_embed, which the model has. {REMEDY}"
    )
    odd = vision_transformer().state_dict() | {"pos_embed": torch.zeros(7)}
    assert refusal(saved(path, odd)) == (
        f"file {path} holds no vision transformer as timm has them. Choose other weights."
    )


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_cut_short_is_refused(name: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / name
    (torch.save if name == "w.pth" else save_file)(vision_transformer().state_dict(), path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert refusal(FromTimm(file=path)) == (
        f"weights {path} are cut short, damaged or of another format. "
        "Download them again, as .safetensors or .pth."
    )


def test_a_missing_file_is_refused_before_any_work(tmp_path: Path) -> None:
    init = FromTimm(file=tmp_path / "none.pth")
    with pytest.raises(UserError) as error:
        init.content()
    message = f"weights {tmp_path / 'none.pth'} do not exist. Check the key 'file' of the recipe's init."
    assert str(error.value) == message
    assert refusal(init) == message


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    assert refusal(FromTimm(name="vit_tiny_patch16_224.augreg_in22k")) == (
        "timm has no weights of a vision transformer called 'vit_tiny_patch16_224.augreg_in22k'. "
        "Did you mean 'vit_tiny_patch16_224.augreg_in21k' or 'vit_tiny_patch16_224.augreg_in21k_ft_in1k' or "
        "'vit_base_patch16_224.augreg_in21k'?"
    )
    assert refusal(FromTimm(name="resnet50")) == (
        "timm has no weights of a vision transformer called 'resnet50'. "
        "List them with timm.list_models('vit*')."
    )


def test_without_network_a_name_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    assert refusal(FromTimm(name="vit_tiny_patch16_384.augreg_in21k_ft_in1k")) == (
        "weights vit_tiny_patch16_384.augreg_in21k_ft_in1k are not in the cache and could not be downloaded. "
        "Connect to the network once, or give a file of weights."
    )


def test_a_model_without_vision_transformer_is_refused(tmp_path: Path) -> None:
    assert refusal(FromTimm(file=tmp_path / "any.pth"), ConvCtc()) == (
        "model conv_ctc has no vision transformer that weights of timm's fit. "
        "Set init to scratch or run, or choose a model such as vit_ctc."
    )


@pytest.mark.parametrize("table", [{}, {"name": "a", "file": "b"}])
def test_a_name_or_a_file_must_be_given(table: dict[str, str]) -> None:
    with pytest.raises(UserError) as error:
        build(inits.get("timm"), table, where="train.toml, init")
    assert str(error.value) == "train.toml, init: init of kind timm takes a name or a file, one of them."
