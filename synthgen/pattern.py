r"""A small part of regular expressions, read backwards: ``[A-Z]{3}-\d{4}`` gives ``KLM-0417``.

Literals stand for themselves, the dot too; ``[A-Z09]`` is one of its characters, ``\d`` one digit,
``(a|bc|)`` one of its alternatives, ``\`` takes the next character literally; ``?``, ``{m}`` and ``{m,n}``
repeat what stands before them.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from dataclasses import dataclass

# Why no library. rstr 3.2.2 (BSD) iterates over sets for negated classes, so that equal seeds give other
# words in another process; it cannot say beforehand how long a word may get or what it may hold, takes `a*`
# up to 100 letters, and took 90 us a word (the shipped templates, a NumPy generator passed in); this takes 5.
# exrex is AGPL; sre_yield numbers all strings alike, so that nearly every price would have the most digits.
Uniform = Callable[[], float]  # a fresh number in [0, 1) a call
_REPEAT = re.compile(r"\?|\{(\d+)(?:,(\d+))?\}")
_CLASS = re.compile(r"\[((?:\\.|[^\]\\])+)\]")


@dataclass(frozen=True)
class _Part:
    """One of ``options``, ``least`` to ``most`` times over; an option is a text or a sequence of parts."""

    options: tuple[str | tuple[_Part, ...], ...]
    least: int = 1
    most: int = 1

    def expand(self, uniform: Uniform) -> str:
        count = self.least
        if self.most > self.least:
            count += int(uniform() * (self.most - self.least + 1))
        made = []
        for _ in range(count):
            many = len(self.options)
            option = self.options[int(uniform() * many) if many > 1 else 0]
            made.append(
                option if isinstance(option, str) else "".join(part.expand(uniform) for part in option)
            )
        return "".join(made)

    def longest(self) -> int:
        return self.most * max(
            len(o) if isinstance(o, str) else sum(p.longest() for p in o) for o in self.options
        )

    def alphabet(self) -> set[str]:
        return {
            c
            for option in self.options
            for c in (option if isinstance(option, str) else [c for part in option for c in part.alphabet()])
        }


@dataclass(frozen=True)
class Pattern:
    """A parsed pattern.

    Attributes:
        parts: What follows what.
        longest: Most characters it can give.
        alphabet: Every character it can give.
    """

    parts: tuple[_Part, ...]
    longest: int
    alphabet: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Parse ``text``.

        Raises:
            ValueError: it is empty, or a bracket, brace or backslash is left open or alone.
        """
        parts, end = _sequence(text, 0)
        if end < len(text):
            raise ValueError(f"{text[end]!r} at character {end + 1} closes or separates nothing")
        if not parts:
            raise ValueError("the pattern is empty")
        alphabet = frozenset(c for part in parts for c in part.alphabet())
        return cls(parts, sum(part.longest() for part in parts), alphabet)

    def expand(self, uniform: Uniform) -> str:
        """Make one word, from as many draws of ``uniform`` as it takes."""
        return "".join(part.expand(uniform) for part in self.parts)


def _sequence(text: str, at: int) -> tuple[tuple[_Part, ...], int]:
    parts = []
    while at < len(text) and text[at] not in "|)":
        options, at = _one(text, at)
        least = most = 1
        if found := _REPEAT.match(text, at):
            least = int(found[1]) if found[1] else 0
            most = int(found[2] or found[1] or 1)
            at = found.end()
            if most < least:
                raise ValueError(f"{found[0]} goes from {least} down to {most}")
        elif at < len(text) and text[at] == "{":
            raise ValueError(f"'{{' at character {at + 1} does not start {{m}} or {{m,n}}")
        parts.append(_Part(options, least, most))
    return tuple(parts), at


def _one(text: str, at: int) -> tuple[tuple[str | tuple[_Part, ...], ...], int]:
    if text[at] == "(":
        options, end = [], at
        while True:
            option, end = _sequence(text, end + 1)
            options.append(option)
            if end >= len(text):
                raise ValueError(f"'(' at character {at + 1} is not closed")
            if text[end] == ")":
                return tuple(options), end + 1
    if text[at] == "[":
        if not (found := _CLASS.match(text, at)):
            raise ValueError(f"'[' at character {at + 1} is empty or not closed")
        return tuple(_characters(found[1])), found.end()
    if text[at] == "\\":
        if at + 1 == len(text):
            raise ValueError("a backslash at the end takes nothing")
        return tuple(string.digits) if text[at + 1] == "d" else (text[at + 1],), at + 2
    return (text[at],), at + 1


def _characters(inside: str) -> list[str]:
    r"""The characters of a class such as ``A-Z09\]``, each once, in order."""
    tokens = re.findall(r"\\d|\\.|.", inside, re.DOTALL)
    found: list[str] = []
    i = 0
    while i < len(tokens):
        if tokens[i] == "\\d":
            found += string.digits
            i += 1
            continue
        first = tokens[i][-1]
        last = first
        if i + 2 < len(tokens) and tokens[i + 1] == "-":
            last = tokens[i + 2][-1]
            i += 2
        if last < first:
            raise ValueError(f"[{inside}] goes from {first!r} down to {last!r}")
        found += [chr(c) for c in range(ord(first), ord(last) + 1)]
        i += 1
    return list(dict.fromkeys(found))
