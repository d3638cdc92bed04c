"""The vision transformer below several recognizers, and timm behind it."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from train.models.base import count_parameters
from train.models.vit import SIZES, VitSizes, vit_encoder

TINY = VitSizes(width=16, depth=2, heads=2)


def test_tokens_are_normed_and_go_row_by_row() -> None:
    torch.manual_seed(0)
    encoder = vit_encoder(TINY, image_size=(8, 32), patch=(4, 8)).eval()
    with torch.inference_mode():
        tokens = encoder.forward_features(torch.zeros(3, 3, 8, 32))
        assert tokens.shape == (3, 8, 16)
        torch.testing.assert_close(tokens.mean(-1), torch.zeros(3, 8))  # norm's weights are still 1 and 0
        patches = encoder.patch_embed(torch.arange(32.0).expand(1, 3, 8, 32))
    assert torch.equal(patches[:, :4], patches[:, 4:])  # the picture is the same in each of the two rows


@pytest.mark.parametrize(
    ("size", "n_parameters"),
    # Blocks: d * (12 w^2 + 13 w); patches: 96 w + w; positions: 128 w; last norm: 2 w.
    [(size, s.depth * (12 * s.width**2 + 13 * s.width) + 227 * s.width) for size, s in SIZES.items()],
)
def test_sizes_have_the_parameters_of_their_formula(size: str, n_parameters: int) -> None:
    with torch.device("meta"):
        assert count_parameters(vit_encoder(SIZES[size])) == n_parameters


def test_all_models_import_without_timm() -> None:
    code = "import sys, train.recipe; print(sorted({'timm', 'torchvision'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"width": 0, "depth": 1, "heads": 1}, "width must be 1 or more, got 0"),
        ({"width": 16, "depth": 1, "heads": 3}, "width must be a multiple of heads, got 16 and 3"),
        ({"width": 16, "depth": 1, "heads": 2, "mlp_ratio": 0}, "mlp_ratio must be above 0, got 0"),
    ],
)
def test_sizes_outside_their_range_are_refused(sizes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        VitSizes(**sizes)
