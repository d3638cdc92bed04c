"""CLIP4STR: the visual tower of CLIP, read twice, the second time beside the text of the first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from train.models.attention import small_weights
from train.models.autoregressive import END, AutoregressiveRecognizer, most_likely
from train.models.base import models
from train.models.permuted import PermutedReader
from train.models.vit import SIZES, VitSizes, changed, refuse_no_shares
from train.timm_models import load_timm

PATCH_PX = {"tiny": 16, "base": 16, "large": 14, "huge": 14}
# Of the text encoder. Sources: Radford et al. 2021 for base (B/16) and large (L/14), OpenCLIP's ViT-H-14 for
# huge; tiny is ours.
TEXTS = {
    "tiny": VitSizes(width=128, depth=4, heads=2),
    "base": VitSizes(width=512, depth=12, heads=8),
    "large": VitSizes(width=768, depth=12, heads=12),
    "huge": VitSizes(width=1024, depth=24, heads=16),
}
# Of the images CLIP was trained on, red, green, blue, in 0-1. Source: Radford et al. 2021, its code.
CLIP_MEAN = 0.48145466, 0.4578275, 0.40821073
CLIP_STD = 0.26862954, 0.26130258, 0.27577711


@models.add("clip4str")
@dataclass(frozen=True, kw_only=True)
class Clip4Str:
    """CLIP's visual tower with two branches, each a decoder of PARSeq's.

    The visual branch reads the image. What it has read is encoded as text, and the cross-modal branch reads
    image and text together, knowing every character but the one it reads. Both losses are added; the second
    changes the text encoder and its own decoder, not the tower.

    The text encoder has the size of CLIP's and not its weights: CLIP's takes 49,408 pieces of words, ours
    characters, and looks in both directions. It begins fresh, so no part of it is frozen, as one is in the
    original; without the vocabulary the model has 25 M parameters fewer at base, 38 M at large. The tower
    can begin with CLIP's weights by ``init`` of kind timm: ``vit_base_patch16_clip_quickgelu_224.openai``.

    Reading is shorter than in the original, where the cross-modal branch also reads one by one before it
    refines, and the visual branch refines too. In training the text is what the visual branch reads once,
    all at once; there it is what that branch predicts in each order, six texts to encode instead of one.

    Source: Zhao et al. 2023, CLIP4STR: A Simple Baseline for Scene Text Recognition with Pre-trained
    Vision-Language Model.

    Attributes:
        size: Row of the sizes; the keys below it change single values of the row.
        width: Values of a token of the tower.
        depth: Blocks of the tower.
        heads: Of the tower's attention.
        text_width: Values of a character, and of a token as the decoders see it.
        text_depth: Blocks of the text encoder.
        text_heads: Of the text encoder's attention, and of the decoders'.
        image_px: Height and width of the images; a multiple of the patches', which are 14 or 16.
        activation: Of tower and text encoder. OpenAI's weights want ``quick_gelu``, as do those of timm's
            models that have it in their name; the others want ``gelu``.
        permutations: Orders in which a batch is learned, by both branches, as for PARSeq.
        dropout: Of the decoders.
        drop_path: Share of the words that skip the tower's last block in training; less in those before it.
        refine: Times that the cross-modal branch reads, 1 or more.
        max_length: Characters of the longest word it learns.
    """

    size: Literal["tiny", "base", "large", "huge"] = "base"
    width: int | None = None
    depth: int | None = None
    heads: int | None = None
    text_width: int | None = None
    text_depth: int | None = None
    text_heads: int | None = None
    image_px: int = 224
    activation: Literal["quick_gelu", "gelu"] = "quick_gelu"
    permutations: int = 6
    dropout: float = 0.1
    drop_path: float = 0.0
    refine: int = 1
    max_length: int = 25

    def __post_init__(self) -> None:
        _ = self.tower, self.text
        if self.image_px < 1 or self.image_px % PATCH_PX[self.size]:
            raise ValueError(f"image_px must be a multiple of {PATCH_PX[self.size]}, got {self.image_px}")
        if self.permutations != 1 and (self.permutations < 1 or self.permutations % 2):
            raise ValueError(f"permutations must be 1 or an even number, got {self.permutations}")
        refuse_no_shares(dropout=self.dropout, drop_path=self.drop_path)
        for key in ("refine", "max_length"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key} must be 1 or more, got {getattr(self, key)}")

    @property
    def tower(self) -> VitSizes:
        """Sizes of the visual tower."""
        return changed(SIZES[self.size], width=self.width, depth=self.depth, heads=self.heads)

    @property
    def text(self) -> VitSizes:
        """Sizes of the text encoder."""
        return changed(TEXTS[self.size], width=self.text_width, depth=self.text_depth, heads=self.text_heads)

    @property
    def image_size(self) -> tuple[int, int]:
        return self.image_px, self.image_px

    def build(self, charset: str) -> Clip4StrNet:
        return Clip4StrNet(self, charset)


class Clip4StrNet(AutoregressiveRecognizer):
    """The network of ``Clip4Str``."""

    brightness = CLIP_MEAN, CLIP_STD  # that the tower's images have
    mean: Tensor
    std: Tensor

    def __init__(self, sizes: Clip4Str, charset: str) -> None:
        super().__init__(charset, sizes.max_length)
        self.n_refine = sizes.refine
        self.tower = _tower(sizes)
        self.text = TextEncoder(sizes.text, 1 + len(charset), self.n_steps, sizes.activation)
        self.visual, self.cross = Branch(sizes, charset), Branch(sizes, charset)
        # Ours are in -1 to 1: (x + 1) / 2 is in 0 to 1.
        self.register_buffer("mean", torch.tensor(CLIP_MEAN).view(3, 1, 1) * 2 - 1, persistent=False)
        self.register_buffer("std", torch.tensor(CLIP_STD).view(3, 1, 1) * 2, persistent=False)

    def timm_backbone(self) -> Any:
        """The tower, which can begin with weights of timm's."""
        return self.tower

    def tokens(self, images: Tensor) -> Tensor:
        """Tokens of the images, (B, 1 + N, text_width), that of the whole image first."""
        found: Tensor = self.tower.head(self.tower.forward_features((images - self.mean) / self.std))
        return found

    def loss(self, images: Tensor, targets: Tensor, progress: float = 1.0) -> Tensor:
        """Sum of both branches' losses; the text is what the visual branch reads all at once."""
        tokens = self.tokens(images)
        with torch.no_grad():
            read, _ = most_likely(self.visual.read_at_once(self.visual.attended(tokens)))
        both = torch.cat([tokens.detach(), self.text(read)], 1)
        return self.visual.loss(tokens, targets) + self.cross.loss(both, targets)

    def decode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Classes, (B, T) int64, ends after the first end; and their confidence: the cross-modal branch's."""
        tokens = self.tokens(images)
        read, _ = most_likely(self.visual.read_one_by_one(self.visual.attended(tokens)))
        read = F.pad(read, (0, self.n_steps - read.shape[1]), value=END)
        memory = self.cross.attended(torch.cat([tokens, self.text(read)], 1))
        for _ in range(self.n_refine):
            logits = self.cross.read_again(read, memory)
            read, confidence = most_likely(logits)
        return read, confidence


class Branch(PermutedReader):
    """A decoder of PARSeq's; what it takes for images are tokens already, (B, N, width)."""

    def __init__(self, sizes: Clip4Str, charset: str) -> None:
        super().__init__(
            charset,
            width=sizes.text.width,
            depth=1,
            heads=sizes.text.heads,
            max_length=sizes.max_length,
            permutations=sizes.permutations,
            dropout=sizes.dropout,
        )

    def tokens(self, images: Tensor) -> Tensor:
        return images


class TextEncoder(nn.Module):
    """A transformer over the characters of a word.

    Args:
        sizes: Its sizes.
        n_classes: Classes of characters.
        n_steps: Characters of every word, ends after it included.
        activation: Of the perceptrons, as timm calls it.
    """

    def __init__(self, sizes: VitSizes, n_classes: int, n_steps: int, activation: str) -> None:
        super().__init__()
        timm = load_timm()
        self.embedding = nn.Embedding(n_classes, sizes.width)
        self.positions = nn.Parameter(torch.empty(n_steps, sizes.width))
        block = partial(
            timm.models.vision_transformer.Block,
            sizes.width,
            sizes.heads,
            sizes.mlp_ratio,
            qkv_bias=True,
            act_layer=timm.layers.get_act_layer(activation),
        )
        self.blocks = nn.Sequential(*(block() for _ in range(sizes.depth)))
        self.norm = nn.LayerNorm(sizes.width)
        self.projection = nn.Linear(sizes.width, sizes.width, bias=False)
        for part in (self.embedding, self.blocks):
            part.apply(small_weights)
        for parameter in (self.positions, self.projection.weight):
            nn.init.trunc_normal_(parameter, std=0.02)

    def forward(self, classes: Tensor) -> Tensor:
        """Tokens of words, (B, n_steps, width), of their classes, (B, n_steps)."""
        x = self.blocks(self.embedding(classes) + self.positions)
        out: Tensor = self.projection(self.norm(x))
        return out


def _tower(sizes: Clip4Str) -> Any:
    """CLIP's visual tower as timm has it: class token, norm before the blocks, projection as head."""
    return load_timm().models.VisionTransformer(
        img_size=sizes.image_px,
        patch_size=PATCH_PX[sizes.size],
        embed_dim=sizes.tower.width,
        depth=sizes.tower.depth,
        num_heads=sizes.tower.heads,
        mlp_ratio=sizes.tower.mlp_ratio,
        num_classes=sizes.text.width,
        pre_norm=True,
        norm_layer=partial(nn.LayerNorm, eps=1e-5),
        act_layer=sizes.activation,
        drop_path_rate=sizes.drop_path,
    )
