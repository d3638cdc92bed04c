"""Components with their shares, as the native engine's recipes list them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from curation.core.recipe import component
from synthgen.backgrounds import backgrounds
from synthgen.choices import Portion, Weight
from synthgen.effects import effects
from synthgen.layouts import layouts


@dataclass(frozen=True, kw_only=True, slots=True)
class LayoutShare(Weight):
    """A layout and its weight among the others."""

    layout: Any = component(layouts)  # noqa: RUF009


@dataclass(frozen=True, kw_only=True, slots=True)
class BackgroundShare(Weight):
    """A background and its weight among the others."""

    background: Any = component(backgrounds)  # noqa: RUF009


@dataclass(frozen=True, kw_only=True, slots=True)
class EffectShare(Portion):
    """An effect and the share of images it acts on, 0 to 1.

    Attributes:
        name: Tells effects of the same kind apart, in small letters, digits and underscores; empty where a
            kind stands once.
        effect: The effect.
    """

    name: str = ""
    effect: Any = component(effects)  # noqa: RUF009

    def __post_init__(self) -> None:
        Portion.__post_init__(self)  # a class with slots is made anew, which super() does not follow
        if self.name and not re.fullmatch(r"[a-z0-9_]+", self.name):
            raise ValueError(f"name must be of small letters, digits and underscores, got {self.name!r}")

    @property
    def called(self) -> str:
        """What its decisions are stored under."""
        return f"{self.effect.kind}_{self.name}" if self.name else str(self.effect.kind)
