"""Larger models on the same words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from curation.core.recipe import component
from train.models import models
from train.study.cells import Cell, unlike
from train.study.designs.base import Laid, Offer, Place, designs, listed, refuse_ratio
from train.study.model_cost import n_parameters


@dataclass(frozen=True, kw_only=True)
class Sized:
    """One model of a ladder.

    Attributes:
        name: What tables call it: ``tiny``.
        model: The recognizer and its sizes.
        lr: Its greatest learning rate; None for the recipe's, which is right for one size at most.
    """

    name: str
    model: Any = component(models)  # noqa: RUF009
    lr: float | None = None

    def __post_init__(self) -> None:
        if self.lr is not None and self.lr <= 0:
            raise ValueError(f"lr must be above 0, got {self.lr:g}")


@designs.add("model_size")
@dataclass(frozen=True, kw_only=True)
class ModelSize:
    """The words and samples seen stay, the model grows, each size at a learning rate of its own.

    Attributes:
        models: The models, in any order.
        ratio: Synthetic words per real word in every cell; 0 for real words alone.
        real: The real part to learn from; None for all of them.
        synthetic: The synthetic part to learn from; None for all of them, in proportion.
        name: What tables call this design; None for its kind.
    """

    models: tuple[Sized, ...]
    ratio: float
    real: str | None = None
    synthetic: str | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        names = [sized.name for sized in self.models]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"models must be one or more with different names, got {names}")
        refuse_ratio(self.ratio)

    def lay_out(self, offer: Offer) -> Laid:
        words, called = offer.mixed(self)
        places = []
        for sized in self.models:
            changes = {"model": sized.model} if sized.lr is None else {"model": sized.model, "lr": sized.lr}
            stage = offer.stage(words, label=sized.name, **unlike(offer.train, **changes))
            n = n_parameters(sized.model, offer.train.protocol)
            places.append(Place(cell=Cell.of(stage), x=n, label=f"{sized.name}, {n:,}"))
        places.sort(key=lambda place: place.x or 0)
        return Laid(
            sentence=(
                f"The model grows from {places[0].x:,} to {places[-1].x:,} parameters "
                f"({listed([sized.name for sized in self.models])}), each with the learning rate that its "
                f"table gives, and every run sees {offer.samples_seen:,} samples of the same {called}; not "
                "held fixed is the computation, which grows with the model."
            ),
            factor="parameters",
            scale="log",
            places=tuple(places),
            base=places[0].cell,
            largest=places[-1].cell if len(places) > 1 else None,
            remarks=self._confounds(offer),
        )

    def _confounds(self, offer: Offer) -> tuple[str, ...]:
        """Say which sizes learn at a rate that was not chosen for them."""
        names = [s.name for s in self.models if s.lr is None and s.model != offer.train.model]
        if not names:
            return ()
        return (
            f"Design {offer.design} trains {listed(names)} at the recipe's learning rate, "
            f"{offer.train.lr:g}, which was not chosen for {'it' if len(names) == 1 else 'them'}: a size may "
            "look worse than it is. Give each model a key 'lr'.",
        )
