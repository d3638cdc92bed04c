"""Figures of the page, each with the place in ``laws.json`` or ``runs.jsonl`` that it was read from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from train.study.page.axes import short_number

UNKNOWN = "–"
Key = str | int | tuple[str | int, ...]


def points(fraction: float) -> str:
    """A difference of accuracies in percentage points, with its sign."""
    return f"{100 * fraction:+.1f}".replace("-", "−")


def rate(value: float) -> str:
    """A rate, a price or a parameter to three digits; without an exponent where it can be read without."""
    size = abs(value)
    if size >= 1000:
        text = f"{float(f'{value:.3g}'):,.0f}" if size < 1e7 else f"{value:.2e}"
    elif size >= 1e-3 or size == 0:
        text = f"{value:.3g}"
    else:
        text = f"{value:.6f}".rstrip("0").rstrip(".") if size >= 5e-6 else f"{value:.1e}"
    return text.replace("-", "−")


def p_value(value: float) -> str:
    """A probability; below a thousandth only that."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


FORMS: dict[str, Callable[[Any], str]] = {
    "percent": lambda value: f"{100 * value:.1f}",
    "fine": lambda value: f"{100 * value:.2f}",
    "points": points,
    "count": lambda value: f"{value:,}",
    "words": lambda value: f"{round(value):,}",
    "money": lambda value: f"{value:,.2f}" if abs(value) < 1000 else f"{value:,.0f}",
    "short": short_number,
    "rate": rate,
    "p": p_value,
    "text": str,
}


@dataclass(frozen=True)
class Figures:
    """Writes values of one file into the page.

    Attributes:
        file: What the page calls the file.
        content: JSON values.
    """

    file: str
    content: Any

    def __call__(self, form: str, *path: Key) -> Markup:
        """The value at ``path`` as a ``<data>`` element; a dash for null. Keys may come in tuples.

        Raises:
            KeyError: there is no such place.
        """
        value, keys = self.content, list(_flat(path))
        for key in keys:
            value = value[key]
        if value is None:
            return Markup(UNKNOWN)
        place = self.file + "#" + "".join("/" + str(k).replace("~", "~0").replace("/", "~1") for k in keys)
        return Markup('<data data-from="{}" data-form="{}">{}</data>').format(place, form, FORMS[form](value))

    def interval(self, form: str, *path: Key, size: int = 95, to: str = " to ") -> Markup:
        """Both ends of an interval."""
        return self(form, *path, f"low{size}") + Markup(escape(to)) + self(form, *path, f"high{size}")


def _flat(path: Iterable[Key]) -> Iterator[str | int]:
    for key in path:
        if isinstance(key, tuple):
            yield from key
        else:
            yield key


def breakable(name: str) -> Markup:
    """A name that a narrow column may break after each underline."""
    return Markup("_<wbr>").join(name.split("_"))


def refusal(found: Mapping[str, Any] | None) -> str | None:
    """Why there is no result where one might be; None if there is one."""
    if not found:
        return "it was not asked for"
    return str(found["refused"]) if "refused" in found else None
