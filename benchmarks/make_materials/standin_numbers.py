"""Number, price, date and time strings for the stand-in of real words."""

from __future__ import annotations

import random
from collections.abc import Callable

N_STRINGS = 400
SEED = 20240


def one(stream: random.Random) -> str:
    """Draw one string; small integers, prices and years are the commonest, as on real signs."""
    n = stream.randint
    kinds: dict[str, tuple[int, Callable[[], str]]] = {
        "integer": (9, lambda: str(n(1, 10 ** n(1, 4)))),
        "price": (6, lambda: f"${n(1, 99)}.{stream.choice(('99', '95', '50', '00', f'{n(0, 99):02d}'))}"),
        "round price": (3, lambda: f"${n(1, 200)}"),
        "year": (4, lambda: str(n(1880, 2029))),
        "percent": (2, lambda: f"{n(1, 20) * 5}%"),
        "time": (3, lambda: f"{n(1, 12)}:{n(0, 11) * 5:02d}{stream.choice(('', 'am', 'pm'))}"),
        "date": (2, lambda: f"{n(1, 12)}/{n(1, 28)}/{n(10, 29)}"),
        "phone": (2, lambda: f"{n(200, 999)}-{n(0, 9999):04d}"),
        "code": (3, lambda: f"{stream.choice('ABCDEFGHKLMNPRSTW')}{n(1, 999)}"),
        "thousands": (1, lambda: f"{n(1, 99)},{n(0, 999):03d}"),
    }
    weights = [weight for weight, _ in kinds.values()]
    return stream.choices([draw for _, draw in kinds.values()], weights)[0]()


def number_strings() -> list[str]:
    """Return the same distinct strings each time, sorted."""
    stream = random.Random(SEED)
    found: set[str] = set()
    while len(found) < N_STRINGS:
        found.add(one(stream))
    return sorted(found)
