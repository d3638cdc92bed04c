"""Weights that others have trained and timm can read: ImageNet, CLIP."""

from __future__ import annotations

import difflib
import math
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from train.inits.base import inits, refuse_shapes
from train.models.base import Model, Recognizer
from train.run_folder import TrainedOn
from train.timm_models import load_timm

# What a transformer has for classifying pictures; a recognizer may be without.
EXTRAS = ("cls_token", "dist_token", "reg_token", "head.", "head_dist.", "fc_norm.", "pre_logits.")
MOST_EXTRAS = 5  # positions of no patch: a class token and four registers
Brightness = tuple[Sequence[float], Sequence[float]]  # mean and deviation of red, green, blue, in 0-1
REMEDY = "Give the model the width, depth and heads of these weights, or choose others."


@inits.add("timm")
@dataclass(frozen=True, kw_only=True)
class FromTimm:
    """Begin the recognizer's vision transformer with weights of timm's; the rest stays as it was drawn.

    Width, depth and heads must be the model's. The size of images and patches need not be: positions and
    patches are resampled. What the weights have seen is not known to us, so no evaluation can warn of it.

    Attributes:
        name: A vision transformer of timm's with its weights, such as
            ``vit_small_patch16_224.augreg_in21k``; downloaded if they are not in timm's cache. If they want
            images of another brightness than ours, the first layer is changed to take ours.
        file: Or a file of weights, ``.safetensors`` or ``.pth``, taken to want images as ours are.
    """

    name: str | None = None
    file: Path | None = None

    def __post_init__(self) -> None:
        if (self.name is None) == (self.file is None):
            raise ValueError("init of kind timm takes a name or a file, one of them")

    def apply(self, network: Recognizer, model: Model) -> str:
        if not hasattr(network, "timm_backbone"):
            raise UserError(
                f"model {getattr(model, 'kind', '')} has no vision transformer that weights of timm's fit. "
                "Set init to scratch or run, or choose a model such as vit_ctc."
            )
        backbone: Any = network.timm_backbone()
        if self.file is not None:
            who = f"file {self.file}"
            fitted, changes = fit_weights(_read(self.file), backbone, who)
        else:
            assert self.name is not None
            who, source = f"timm model {self.name}", _download(self.name)
            fitted, changes = fit_weights(source.state_dict(), backbone, who)
            _refuse_activation(self.name, source, backbone)
            theirs = source.pretrained_cfg["mean"], source.pretrained_cfg["std"]
            take_brightness(fitted, theirs, getattr(network, "brightness", ((0.5,) * 3, (0.5,) * 3)))
        backbone.load_state_dict(fitted)
        return f"{who}: {len(fitted)} tensors of the vision transformer{changes}"

    def content(self) -> dict[str, Any]:
        if self.file is None:
            return {"name": self.name}
        _refuse_missing(self.file)
        return {"file_sha256": sha256_file(self.file)}

    def trained_on(self) -> TrainedOn:
        return TrainedOn.nothing()


def fit_weights(state: Mapping[str, Tensor], backbone: Any, who: str) -> tuple[dict[str, Tensor], str]:
    """Turn weights into those of ``backbone``, a ``VisionTransformer`` of timm's.

    Positions and patches are resampled as timm does it; what only serves to classify pictures is left out.

    Returns:
        The weights, and what was changed and left out, for the record.

    Raises:
        UserError: a width, the depth or a part is another.
    """
    wanted, given = backbone.state_dict(), dict(state)
    positions = given.get("pos_embed")
    if positions is not None and positions.ndim == 3 and not backbone.num_prefix_tokens:
        given["pos_embed"] = _of_patches(positions, wanted["pos_embed"].shape[1], who)
    before = {name: given[name].shape for name in ("pos_embed", "patch_embed.proj.weight") if name in given}
    for name, shape in before.items():
        axis = 2 if name == "pos_embed" else 0
        if len(shape) > axis and shape[axis] != wanted[name].shape[axis]:
            raise UserError(
                f"{who} has width {shape[axis]}, and the model {wanted[name].shape[axis]}. {REMEDY}"
            )
    try:
        found = load_timm().models.vision_transformer.checkpoint_filter_fn(given, backbone)
    except (RuntimeError, KeyError, ValueError, AttributeError, IndexError):
        raise UserError(
            f"{who} holds no vision transformer as timm has them. Choose other weights."
        ) from None
    fitted = {name: value for name, value in found.items() if name in wanted or not name.startswith(EXTRAS)}
    refuse_shapes(fitted, wanted, who, REMEDY)
    notes = [_resampled(name, before[name], wanted[name].shape, backbone) for name in before]
    left_out = sorted(set(found) - set(fitted))
    notes.append(f"left out: {', '.join(left_out)}" if left_out else "")
    return fitted, "".join(f"; {note}" for note in notes if note)


def take_brightness(state: dict[str, Tensor], theirs: Brightness, ours: Brightness) -> None:
    """Change the first layer, which wants (x - mean) / std of ``theirs``, to take that of ``ours``.

    CLIP's layer has no bias; there the positions of the patches, which are added next, take it.
    """
    weight = state["patch_embed.proj.weight"]
    (mean, std), (our_mean, our_std) = (
        [torch.tensor(values, dtype=weight.dtype) for values in pair] for pair in (theirs, ours)
    )
    shift = (weight * ((our_mean - mean) / std)[:, None, None]).sum((1, 2, 3))
    state["patch_embed.proj.weight"] = weight * (our_std / std)[:, None, None]
    if "patch_embed.proj.bias" in state:
        state["patch_embed.proj.bias"] = state["patch_embed.proj.bias"] + shift
    else:
        n_prefix = sum(state[name].shape[1] for name in ("cls_token", "reg_token") if name in state)
        positions = state["pos_embed"]
        state["pos_embed"] = torch.cat([positions[:, :n_prefix], positions[:, n_prefix:] + shift], 1)


def _of_patches(positions: Tensor, wanted: int, who: str) -> Tensor:
    """Leave out the positions of the class token and the like, which come first.

    Patches are as many as are ``wanted``, and then in the same rows, or a square.
    """
    n = positions.shape[1]
    for n_patches in (wanted, math.isqrt(n) ** 2):
        if 0 <= n - n_patches <= MOST_EXTRAS:
            return positions[:, n - n_patches :]
    raise UserError(
        f"{who} has {n} positions, neither of a square of patches nor of the model's {wanted}. "
        "Choose other weights."
    )


def _refuse_activation(name: str, source: Any, backbone: Any) -> None:
    """Raise a UserError if the perceptrons of ``source`` bend otherwise than the model's."""
    theirs, ours = (type(network.blocks[0].mlp.act).__name__ for network in (source, backbone))
    # Of OpenAI's weights timm has a version with either; what they learned with is QuickGELU.
    if theirs != ours and not (".openai" in name and ours == "QuickGELU"):
        raise UserError(
            f"timm model {name} computes with {theirs}, and the model with {ours}. "
            "Set the model's activation to gelu or quick_gelu accordingly, or choose other weights."
        )


def _resampled(name: str, before: Sequence[int], after: Sequence[int], backbone: Any) -> str:
    if tuple(before) == tuple(after):
        return ""
    if name == "pos_embed":
        height, width = backbone.patch_embed.grid_size
        return f"positions resampled to {height}x{width}"
    return f"patches resampled from {before[2]}x{before[3]} to {after[2]}x{after[3]}"


def _refuse_missing(path: Path) -> None:
    if not path.is_file():
        raise UserError(f"weights {path} do not exist. Check the key 'file' of the recipe's init.")


def _read(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError

    _refuse_missing(path)
    try:
        state: dict[str, Any] = load_timm().models.load_state_dict(str(path))
    except (
        SafetensorError,
        RuntimeError,
        OSError,
        EOFError,
        ValueError,
        AttributeError,
        pickle.UnpicklingError,
    ):
        raise UserError(
            f"weights {path} are cut short, damaged or of another format. "
            "Download them again, as .safetensors or .pth."
        ) from None
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}


def _download(name: str) -> Any:
    timm = load_timm()
    known = [
        m for module in ("vision_transformer", "deit") for m in timm.list_models("", module, pretrained=True)
    ]
    if name not in known and name not in {full.partition(".")[0] for full in known}:
        near = difflib.get_close_matches(name, known, n=3)
        hint = (
            f"Did you mean {' or '.join(map(repr, near))}?"
            if near
            else "List them with timm.list_models('vit*')."
        )
        raise UserError(f"timm has no weights of a vision transformer called {name!r}. {hint}")
    try:
        return timm.create_model(name, pretrained=True)
    except OSError:
        raise UserError(
            f"weights {name} are not in the cache and could not be downloaded. "
            "Connect to the network once, or give a file of weights."
        ) from None
