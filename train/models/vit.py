"""The vision transformer that reads an image into a row of tokens, for the recognizers built on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from train.timm_models import load_timm


@dataclass(frozen=True, kw_only=True, slots=True)
class VitSizes:
    """Sizes of a vision transformer.

    Attributes:
        width: Values of a token; ``heads`` divides it.
        depth: Blocks of attention and perceptron.
        heads: Of each attention.
        mlp_ratio: Width of the perceptrons' hidden layer, in widths of a token.
    """

    width: int
    depth: int
    heads: int
    mlp_ratio: float = 4.0

    def __post_init__(self) -> None:
        for key in ("width", "depth", "heads"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key} must be 1 or more, got {getattr(self, key)}")
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads, got {self.width} and {self.heads}")
        if self.mlp_ratio <= 0:
            raise ValueError(f"mlp_ratio must be above 0, got {self.mlp_ratio:g}")


# Sources: tiny and small are those of DeiT (Touvron et al. 2021); base, large and huge those of ViT
# (Dosovitskiy et al. 2021), Table 1.
SIZES = {
    "tiny": VitSizes(width=192, depth=12, heads=3),
    "small": VitSizes(width=384, depth=12, heads=6),
    "base": VitSizes(width=768, depth=12, heads=12),
    "large": VitSizes(width=1024, depth=24, heads=16),
    "huge": VitSizes(width=1280, depth=32, heads=16),
}


def changed(sizes: VitSizes, **values: int | None) -> VitSizes:
    """``sizes`` with other ``values``, but for those that are None.

    Raises:
        ValueError: they do not go together.
    """
    return replace(sizes, **{key: value for key, value in values.items() if value is not None})


@dataclass(frozen=True, kw_only=True)
class VitModel:
    """What the recipes of all models say that read images of 32x128 pixels with a vision transformer.

    Attributes:
        size: Row of the sizes; the keys below it change single values of the row.
        width: Values of a token of the image.
        depth: Blocks of the encoder.
        heads: Of the encoder's attention.
        drop_path: Share of the words that skip the encoder's last block in training; less in those before it.
        dropout: Share of the values that are set to 0 in training, in what comes after the encoder.
    """

    size: Literal["tiny", "small", "base", "large", "huge"] = "small"
    width: int | None = None
    depth: int | None = None
    heads: int | None = None
    drop_path: float = 0.0
    dropout: float = 0.1

    def __post_init__(self) -> None:
        _ = self.encoder
        refuse_no_shares(drop_path=self.drop_path, dropout=self.dropout)

    @property
    def encoder(self) -> VitSizes:
        """Sizes of the vision transformer."""
        return changed(SIZES[self.size], width=self.width, depth=self.depth, heads=self.heads)

    @property
    def image_size(self) -> tuple[int, int]:
        return 32, 128


def refuse_no_shares(**values: float) -> None:
    """Raise a ValueError for the first of ``values`` that is not from 0 to below 1."""
    for key, value in values.items():
        if not 0 <= value < 1:
            raise ValueError(f"{key} must be from 0 to below 1, got {value:g}")


def vit_encoder(
    sizes: VitSizes,
    *,
    image_size: tuple[int, int] = (32, 128),
    patch: tuple[int, int] = (4, 8),
    drop_path: float = 0.0,
) -> Any:
    """Build a vision transformer of timm with fresh weights, without class token and head.

    Args:
        sizes: Its sizes.
        image_size: Height and width of its images, in pixels.
        patch: Height and width of the part of an image that becomes a token; they divide the image's.
        drop_path: Share of the words that skip the last block in training, 0-1; less in those before it.

    Returns:
        ``timm.models.VisionTransformer``, whose ``forward_features`` turns (B, 3, H, W) images into tokens,
        (B, H / patch height * W / patch width, width), row by row and normed.
    """
    return load_timm().models.vision_transformer.VisionTransformer(
        img_size=image_size,
        patch_size=patch,
        embed_dim=sizes.width,
        depth=sizes.depth,
        num_heads=sizes.heads,
        mlp_ratio=sizes.mlp_ratio,
        class_token=False,
        global_pool="",
        num_classes=0,
        drop_path_rate=drop_path,
    )
