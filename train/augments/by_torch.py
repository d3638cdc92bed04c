"""A plan carried out on any device, in a few passes over the batch."""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from train.augments.plan import MOST_PX, Columns, Plan, grain, kept, streak


def carry_out(plan: Plan, images: Tensor) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32 in [-1, 1], channels-last, as ``plan`` says."""
    n, height, width, _ = images.shape
    put = partial(torch.as_tensor, dtype=torch.float32, device=images.device)
    # Plane by plane: products with a 3 x 3 matrix are an order of magnitude slower pixel by pixel.
    planes = _cover(images, plan).permute(0, 3, 1, 2).contiguous().float().view(n, 3, height * width)
    out = torch.baddbmm(put(plan.offset)[:, :, None], put(plan.mix), planes).view(n, 3, height, width)
    homography, bend = (part[plan.geometry] for part in (plan.geometries.homography, plan.geometries.bend))
    grid = _grid(put(homography), put(bend), height, width)
    out = F.grid_sample(out, grid, padding_mode="border", align_corners=False)
    _blur(out, plan.blur, put)
    _smear(out, plan, put)
    _lose_detail(out, plan, put)
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


def _cover(images: Tensor, plan: Plan) -> Tensor:
    chosen = np.flatnonzero(plan.cut[:, 2] > plan.cut[:, 0])
    if not len(chosen):
        return images
    images = images.clone()
    for i in chosen.tolist():
        images[i][plan.cut_px(i, *images.shape[1:3])] = torch.from_numpy(plan.cover[i]).to(images.device)
    return images


def _smear(images: Tensor, plan: Plan, put: Callable[..., Tensor]) -> None:
    """Blur images in place along their motion."""
    if not len(chosen := np.flatnonzero(plan.motion.any(1))):
        return
    rows = put(chosen, dtype=torch.int64)
    kernels = put(np.stack([streak(plan.motion[i]) for i in chosen])).repeat_interleave(3, 0)[:, None]
    reach = MOST_PX // 2
    planes = F.pad(images[rows], (reach,) * 4, mode="replicate").flatten(0, 1)[None]
    images[rows] = F.conv2d(planes, kernels, groups=len(kernels)).view(-1, *images.shape[1:])


def _lose_detail(images: Tensor, plan: Plan, put: Callable[..., Tensor]) -> None:
    """Make images small and large again, in place."""
    if not len(chosen := np.flatnonzero(plan.detail < 1)):
        return
    rows, shares = put(chosen, dtype=torch.int64), plan.detail[chosen].tolist()
    down, across = (
        put(np.stack([_there_and_back(side, kept(side, share)) for share in shares]))[:, None]
        for side in images.shape[2:]
    )
    images[rows] = down @ images[rows] @ across.transpose(2, 3)


@functools.cache
def _there_and_back(length: int, kept: int) -> NDArray[np.float32]:
    """What OpenCV's scaling of one side to ``kept`` pixels and back multiplies it with: (length, length)."""
    small = cv2.resize(np.eye(length, dtype=np.float32), (length, kept), interpolation=cv2.INTER_AREA)
    back: NDArray[np.float32] = np.asarray(
        cv2.resize(small, (length, length), interpolation=cv2.INTER_LINEAR), np.float32
    )
    return back


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
