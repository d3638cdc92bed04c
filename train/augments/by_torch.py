"""A plan carried out on any device, in a few passes over the batch."""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from train.augments.plan import Columns, Plan, grain


def carry_out(plan: Plan, images: Tensor) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32 in [-1, 1], channels-last, as ``plan`` says."""
    n, height, width, _ = images.shape
    put = partial(torch.as_tensor, dtype=torch.float32, device=images.device)
    # Plane by plane: products with a 3 x 3 matrix are an order of magnitude slower pixel by pixel.
    planes = images.permute(0, 3, 1, 2).contiguous().float().view(n, 3, height * width)
    out = torch.baddbmm(put(plan.offset)[:, :, None], put(plan.mix), planes).view(n, 3, height, width)
    homography, bend = (part[plan.geometry] for part in (plan.geometries.homography, plan.geometries.bend))
    grid = _grid(put(homography), put(bend), height, width)
    out = F.grid_sample(out, grid, padding_mode="border", align_corners=False)
    _blur(out, plan.blur, put)
    _add_noise(out, plan, put)
    return out.clamp_(-1, 1).contiguous(memory_format=torch.channels_last)


def _grid(homography: Tensor, bend: Tensor, height: int, width: int) -> Tensor:
    """Where each pixel of the output comes from: (B, H, W, 2), x before y."""
    device = homography.device
    x = (torch.arange(width, device=device) * 2 + 1) / width - 1
    y = (torch.arange(height, device=device) * 2 + 1) / height - 1
    bent = y[None, :, None] - bend[:, None, None] * (x**2 - 0.5)
    h = homography[:, :, :, None, None]
    # A point behind the camera would come out mirrored; perspective is bounded so that none is near.
    depth = torch.addcmul(h[:, 2, 0] * x + h[:, 2, 2], h[:, 2, 1], bent).clamp_(min=0.1)
    grid = torch.empty(*bent.shape, 2, device=device)
    for axis in (0, 1):
        place = torch.addcmul(h[:, axis, 0] * x + h[:, axis, 2], h[:, axis, 1], bent)
        torch.div(place, depth, out=grid[..., axis])
    return grid


def _blur(images: Tensor, weight: Columns, put: Callable[..., Tensor]) -> None:
    """Move images in place towards their 3 x 3 average, or away from it where ``weight`` is below 0."""
    chosen = np.flatnonzero(weight)
    rows = put(chosen, dtype=torch.int64)
    sharp = images[rows]
    soft = F.avg_pool2d(F.pad(sharp, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    images[rows] = sharp.lerp(soft, put(weight[chosen])[:, None, None, None])


def _add_noise(images: Tensor, plan: Plan, put: Callable[..., Tensor]) -> None:
    chosen = np.flatnonzero(plan.noise)
    height, width = images.shape[2:]
    at = put(plan.grain[chosen], dtype=torch.int64)[:, None]
    noise = _grain_on(images.device, height * width)[at + torch.arange(height * width, device=images.device)]
    noise *= put(plan.noise[chosen])[:, None]
    images[put(chosen, dtype=torch.int64)] += noise.view(-1, 1, height, width)


@functools.cache
def _grain_on(device: torch.device, length: int) -> Tensor:
    return torch.tensor(grain(length), device=device)
