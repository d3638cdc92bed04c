"""What there is to spend on words, as command-line options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from curation.core.errors import UserError

if TYPE_CHECKING:
    from train.laws.purse import Purse

F = TypeVar("F", bound=Callable[..., Any])
money = {"type": click.FloatRange(min=0), "metavar": "PRICE"}
words = {"type": click.IntRange(min=0), "default": 0, "metavar": "N"}
OPTIONS = (
    click.option("--budget", type=click.FloatRange(min=0), help="Say how to spend so much on words."),
    click.option("--price-real", **money, help="Of one real word; by default the recipe's price."),
    click.option("--price-synthetic", **money, help="Of one synthetic word; by default the recipe's price."),
    click.option("--have-real", **words, help="Real words there are already, beside those to buy."),
    click.option("--have-synthetic", **words, help="Synthetic words there are already."),
)


def purse_options(command: F) -> F:
    """Give a command the options that ``purse_of`` takes."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def purse_of(
    parts: Sequence[Mapping[str, Any]],
    *,
    budget: float | None,
    price_real: float | None,
    price_synthetic: float | None,
    have_real: int,
    have_synthetic: int,
) -> Purse | None:
    """What there is to spend, None without a budget.

    Args:
        parts: Of the study; where all of a kind have one price, it stands in for one not given.
        budget: Money, in any one currency.
        price_real: Of one real word.
        price_synthetic: Of one synthetic word.
        have_real: Words there are already.
        have_synthetic: The same of synthetic ones.

    Raises:
        UserError: a price is missing or cannot be, or there is no budget for it.
    """
    from train.laws.purse import Purse

    if budget is None:
        if price_real is not None or price_synthetic is not None or have_real or have_synthetic:
            raise UserError("prices and words one has need a budget to spend. Give --budget too.")
        return None
    prices = []
    for kind, price in (("real", price_real), ("synthetic", price_synthetic)):
        of_parts = {part["price"] for part in parts if part["kind"] == kind}
        found = next(iter(of_parts)) if price is None and len(of_parts) == 1 else price
        if found is None:
            raise UserError(
                f"a budget cannot be split without the price of a {kind} word. Give --price-{kind}, or give "
                "the parts of the recipe a price."
            )
        prices.append(found)
    return Purse(
        budget=budget,
        price_real=prices[0],
        price_synthetic=prices[1],
        have_real=have_real,
        have_synthetic=have_synthetic,
    )
