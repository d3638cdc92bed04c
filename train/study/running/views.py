"""What a study is told to while it runs: plain lines, or what ``watch`` draws in the terminal."""

from __future__ import annotations

from typing import Protocol

import click


class View(Protocol):
    """What a study is shown with while it runs."""

    def tell(self, line: str) -> None:
        """Show a line that stays."""

    def look(self) -> None:
        """Show how far the runs are; called twice a second while processes are at work."""


class Plain:
    """Lines on stderr, nothing else."""

    def tell(self, line: str) -> None:
        """Print it."""
        click.echo(line, err=True)

    def look(self) -> None:
        """Show nothing."""


PLAIN = Plain()
