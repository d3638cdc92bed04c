"""A name-to-class table, filled by decorators when a package of components is imported."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Generic, TypeVar

from curation.core.errors import unknown_name

T = TypeVar("T", bound=type[Any])


class Registry(Generic[T]):
    """Components of one kind, by the name a recipe calls them.

    Args:
        kind: What the components are, in the singular; it appears in error messages.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._classes: dict[str, T] = {}

    def add(self, name: str) -> Callable[[T], T]:
        """Register the decorated class as ``name``, which it then carries as its attribute ``kind``.

        Raises:
            ValueError: the name is taken (a programming error, so not a UserError).
        """

        def register(cls: T) -> T:
            if name in self._classes:
                raise ValueError(f"two {self.kind}s are called {name!r}: {self._classes[name]} and {cls}")
            self._classes[name] = cls
            cls.kind = name
            return cls

        return register

    def get(self, name: str, *, where: str = "") -> T:
        """Look a class up; ``where`` is the recipe position to name in the error."""
        try:
            return self._classes[name]
        except KeyError:
            raise unknown_name(self.kind, name, self._classes, where=where) from None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._classes))  # sorted: file-system order must never leak into results


def import_all(package: ModuleType) -> None:
    """Import every module of ``package``, so that one new file is all a new component needs."""
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        importlib.import_module(f"{package.__name__}.{info.name}")
