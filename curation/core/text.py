"""Counts and tables as every command prints them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence


def counted(reasons: Mapping[str, int], none: str = "none") -> str:
    """Counts by reason in one line, the reasons sorted: ``3 broken_image, 1,204 illegible``."""
    return ", ".join(f"{n:,} {reason}" for reason, n in sorted(reasons.items())) or none


def aligned(rows: Sequence[Sequence[str]], left: Collection[int]) -> list[str]:
    """Lay rows of equally many cells out in columns.

    Args:
        rows: The head among them.
        left: Numbers of the columns that begin on one line; the others end on one, as numbers should.

    Returns:
        A line for each row, without spaces at its end.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
