"""In which order a recognizer meets its words, and what it knew before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from train.inits.timm_weights import FromTimm
from train.study.cells import Cell, unlike
from train.study.designs.base import Laid, Offer, Place, designs, listed, refuse_ratio

Order = Literal[
    "together", "synthetic_then_real", "real_then_synthetic", "together_then_real", "real", "imagenet"
]


@designs.add("pretrain")
@dataclass(frozen=True, kw_only=True)
class Pretrain:
    """The words stay, the order in which a recognizer meets them moves; all orders see equal samples.

    Source: the pretraining study of Rang et al. 2024, An Empirical Study of Scaling Law for OCR.

    Attributes:
        orders: ``real``: real words alone, from scratch. ``together``: both from scratch.
            ``synthetic_then_real``, ``real_then_synthetic``, ``together_then_real``: two trainings, the
            second beginning with the weights of the first. ``imagenet``: both, beginning with ``weights``.
        ratio: Synthetic words per real word.
        shares: Parts of the steps that the first and the second training get, together 1.
        second_lr: Greatest learning rate of a second training; None for that of the first.
        weights: What the order ``imagenet`` begins with: a table as of the training recipe's init of kind
            timm, with ``name`` or ``file``.
        real: The real part to learn from; None for all of them.
        synthetic: The synthetic part to learn from; None for all of them, in proportion.
        name: What tables call this design; None for its kind.
    """

    orders: tuple[Order, ...]
    ratio: float
    shares: tuple[float, ...] = (0.5, 0.5)
    second_lr: float | None = None
    weights: FromTimm | None = None
    real: str | None = None
    synthetic: str | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if not self.orders or len(set(self.orders)) < len(self.orders):
            raise ValueError(f"orders must be different ones of {', '.join(get_args(Order))}")
        refuse_ratio(self.ratio)
        if not self.ratio:
            raise ValueError("ratio must be above 0, or there are no words to put in an order")
        if len(self.shares) != 2 or min(self.shares) <= 0 or abs(sum(self.shares) - 1) > 1e-9:
            raise ValueError(f"shares must be two numbers above 0 that add up to 1, got {list(self.shares)}")
        if self.second_lr is not None and self.second_lr <= 0:
            raise ValueError(f"second_lr must be above 0, got {self.second_lr:g}")
        if ("imagenet" in self.orders) != (self.weights is not None):
            raise ValueError("the order imagenet needs weights, and no other order takes any")

    def lay_out(self, offer: Offer) -> Laid:
        together, called = offer.mixed(self)
        real = {part.name for part in offer.parts if part.kind == "real"}
        words = {
            "together": together,
            "real": {part: n for part, n in together.items() if part in real},
            "synthetic": {part: n for part, n in together.items() if part not in real},
        }
        places = [
            Place(cell=self._cell(order, words, offer), x=None, label=order.replace("_", " "))
            for order in self.orders
        ]
        base = self.orders.index("real") if "real" in self.orders else 0
        return Laid(
            sentence=self._sentence(offer, called, [place.label for place in places]),
            factor="order of training",
            scale="category",
            places=tuple(places),
            base=places[base].cell,
        )

    def _cell(self, order: Order, words: Mapping[str, dict[str, int]], offer: Offer) -> Cell:
        first, _, second = order.partition("_then_")
        if not second:
            changes = unlike(offer.train, init=self.weights) if order == "imagenet" else {}
            taken = words["together" if order == "imagenet" else first]
            return Cell.of(offer.stage(taken, label=order, **changes))
        n_first = min(max(1, round(self.shares[0] * offer.train.steps)), offer.train.steps - 1)
        rate: dict[str, Any] = {} if self.second_lr is None else {"lr": self.second_lr}
        changes = unlike(offer.train, steps=offer.train.steps - n_first, **rate)
        return Cell.of(
            offer.stage(words[first], label=order, **unlike(offer.train, steps=n_first)),
            offer.stage(words[second], label=order, **changes),
        )

    def _sentence(self, offer: Offer, called: str, labels: list[str]) -> str:
        parts = " and ".join(f"{100 * share:.0f} %" for share in self.shares)
        return (
            f"The order in which {called} are met moves ({listed(labels)}), and every run sees "
            f"{offer.samples_seen:,} samples, those of two trainings {parts} of them; not held fixed are how "
            "often each word is seen, and the learning rate, which rises and falls once in each training."
        )
