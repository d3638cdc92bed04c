"""What a recipe's files leave out, in sentences: broken fonts, unusable lines, pictures that are none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from synthgen.materials import is_shipped

MOST_NAMED = 5


def notices(inputs: Mapping[str, Any]) -> list[str]:
    """Tell what drawing will do without.

    Args:
        inputs: As ``Engine.inputs`` gives it. Nothing is said of shipped lists and of fonts that the
            recipe excludes: that it takes only part of them is meant.

    Returns:
        One sentence for each of fonts, word list and photos that lacks something; none if all is well.
    """
    return [*_fonts(inputs.get("fonts", {})), *_words(inputs.get("words", ())), *_photos(inputs)]


def _fonts(found: Mapping[str, Any]) -> Iterator[str]:
    skipped = {name: reason for name, reason in found.get("skipped", {}).items() if reason != "excluded"}
    if skipped:
        named = [f"{name} ({reason})" for name, reason in skipped.items()]
        yield f"Left out {_of(len(skipped), len(skipped) + found['count'], 'font')}: {_listed(named)}."


def _words(sources: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for source in sources:
        for file, found in source.items():
            left_out = found.get("left_out") if isinstance(found, Mapping) else None
            if left_out and not is_shipped(file):
                counts = ", ".join(f"{n} {reason}" for reason, n in left_out.items())
                yield f"Left out of word list {Path(file).name}: {counts}."


def _photos(inputs: Mapping[str, Any]) -> Iterator[str]:
    for name, found in inputs.items():
        if name.startswith("background_") and (unreadable := found.get("unreadable")):
            yield (
                f"Cannot read {_of(len(unreadable), found['count'], 'photo')}: {_listed(unreadable)}. "
                "Words that fall on one are drawn again elsewhere."
            )


def _of(some: int, total: int, what: str) -> str:
    return f"{some} of {total} {what}{'' if total == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
