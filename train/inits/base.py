"""What every initialisation promises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor

from curation.core.errors import UserError
from curation.core.registry import Registry
from train.models.base import Model, Recognizer
from train.run_folder import TrainedOn

inits: Registry[Any] = Registry("initialisation")


class Init(Protocol):
    """Where the weights of a recognizer come from before its first step, as a recipe states it."""

    def apply(self, network: Recognizer, model: Model) -> str:
        """Change fresh weights in place.

        Args:
            network: Built by ``model``, on the processor.
            model: Its sizes.

        Returns:
            One line for the record: what was loaded, and what was left as it was.

        Raises:
            UserError: there are no such weights, they are damaged, or they do not fit.
        """
        ...

    def content(self) -> dict[str, Any]:
        """What the weights come from, by its content, so that a run goes on from nothing else; JSON values.

        Raises:
            UserError: it is not there.
        """
        ...

    def trained_on(self) -> TrainedOn:
        """The words of ours that the weights have learned from."""
        ...


def refuse_shapes(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], who: str, remedy: str) -> None:
    """Raise a UserError if weights of ``who`` do not have the names and shapes that are wanted of them."""
    for name in wanted:
        if name not in found:
            raise UserError(f"{who} has no weights {name}, which the model has. {remedy}")
        if found[name].shape != wanted[name].shape:
            both = f"{tuple(found[name].shape)}, and the model's {tuple(wanted[name].shape)}"
            raise UserError(f"{who} has weights {name} of shape {both}. {remedy}")
    for name in found:
        if name not in wanted:
            raise UserError(f"{who} has weights {name}, which the model has not. {remedy}")
