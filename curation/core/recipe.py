"""TOML recipes, read strictly into frozen dataclasses: a typo is an error with its position."""

from __future__ import annotations

import dataclasses
import math
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from curation.core.errors import UserError, unknown_name
from curation.core.registry import Registry

T = TypeVar("T")
NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", Path: "a path"}


def component(registry: Registry[Any], **options: Any) -> Any:
    """Declare a recipe field whose tables name a registered class by their key ``kind``."""
    return dataclasses.field(metadata={"registry": registry}, **options)


def find(name: str, shipped: Path) -> Path:
    """Find a recipe by its path, or by the name of one that is shipped in the folder ``shipped``."""
    path = Path(name)
    if path.is_file():
        return path
    if path.suffix or path.parent != Path():
        problem = "is a folder, not a file" if path.is_dir() else "does not exist"
        raise UserError(f"recipe {name} {problem}. Check the path; shipped: {', '.join(_names(shipped))}.")
    if (path := shipped / f"{name}.toml").is_file():
        return path
    raise unknown_name("recipe", name, _names(shipped))


def load(path: Path, into: type[T]) -> T:
    """Read the recipe at ``path`` into the dataclass ``into``.

    Raises:
        UserError: the file is missing, is not TOML, or has a key, type or value that does not fit.
    """
    return build(into, read(path), where=path.name)


def read(path: Path) -> dict[str, Any]:
    """Read the recipe at ``path`` as plain tables.

    Raises:
        UserError: the file is missing or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"recipe {path} does not exist. Check the path.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML: {error}. Mend that line and run again.") from None


def build(into: type[T], table: Mapping[str, Any], *, where: str) -> T:
    """Turn one TOML table into the dataclass ``into``; ``where`` is its position for messages."""
    hints = typing.get_type_hints(into)
    fields = {f.name: f for f in dataclasses.fields(into) if f.init}  # type: ignore[arg-type]
    for key in table:
        if key not in fields:
            raise unknown_name("key", key, fields, where=where)
    values = {}
    for name, field in fields.items():
        place = f"{where}, {name}"
        if name in table and table[name] is None and field.default is None:
            continue  # TOML has no such value, but what ``resolved`` writes out does
        if name in table:
            values[name] = _value(hints[name], table[name], place, field.metadata.get("registry"))
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise UserError(f"{where} lacks the key {name!r}. Add it; it has no default.")
    try:
        return into(**values)
    except ValueError as error:
        raise UserError(f"{where}: {error}.") from None


def resolved(value: Any) -> Any:
    """Turn a recipe into plain tables and lists, every default written out, for a manifest."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = getattr(type(value), "kind", None)  # the name under which a component is registered
        named = {} if kind is None else {"kind": kind}
        return named | {f.name: resolved(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
    if isinstance(value, Mapping):
        return {key: resolved(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [resolved(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.toml"))


def _value(hint: Any, value: Any, where: str, registry: Registry[Any] | None) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in get_args(hint):
            return None  # TOML has no such value, but what ``resolved`` has written out to JSON may
        options = [h for h in get_args(hint) if h is not type(None)]
        if len(options) > 1 and set(options) <= {int, float, str, bool}:
            return _one_of(options, value, where)
        if len(options) != 1:
            raise TypeError(f"{where}: a recipe field may be one type or None, not {hint}")
        return _value(options[0], value, where, registry)
    if origin is Literal:
        if value not in get_args(hint):
            raise unknown_name("value", str(value), map(str, get_args(hint)), where=where)
        return value
    if origin is tuple:
        return _tuple(get_args(hint), value, where, registry)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise UserError(f"{where} must be a table, got {value!r}. Write it as [{where.split(', ')[-1]}].")
        return {
            key: _value(get_args(hint)[1], item, f"{where}.{key}", registry) for key, item in value.items()
        }
    if registry is not None:
        return _component(registry, value, where)
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise UserError(f"{where} must be a table, got {value!r}. Write its keys below it.")
        return build(typing.cast(type, hint), value, where=where)
    return _scalar(hint, value, where)


def _component(registry: Registry[Any], value: Any, where: str) -> Any:
    if not isinstance(value, Mapping) or "kind" not in value:
        raise UserError(
            f"{where} must be a table with the key 'kind'. Known {registry.kind}s: {', '.join(registry)}."
        )
    if not isinstance(value["kind"], str):
        raise UserError(f"{where}, kind must be a text, got {value['kind']!r}. Mend the recipe.")
    options = {key: item for key, item in value.items() if key != "kind"}
    return build(registry.get(value["kind"], where=where), options, where=f"{where} ({value['kind']})")


def _tuple(of: tuple[Any, ...], value: Any, where: str, registry: Registry[Any] | None) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise UserError(f"{where} must be a list, got {value!r}. Write it in square brackets.")
    if of[-1] is Ellipsis:
        return tuple(_value(of[0], item, f"{where}[{i}]", registry) for i, item in enumerate(value))
    if len(value) != len(of):
        raise UserError(
            f"{where} must have {len(of)} values, got {len(value)}. Write it as [least, greatest]."
        )
    items = tuple(
        _value(h, item, f"{where}[{i}]", registry) for i, (h, item) in enumerate(zip(of, value, strict=True))
    )
    if len(items) == 2 and set(of) <= {int, float} and items[0] > items[1]:
        raise UserError(f"{where} goes from {items[0]} down to {items[1]}. Put the lesser value first.")
    return items


def _one_of(hints: list[Any], value: Any, where: str) -> Any:
    """Read a scalar that may be of several kinds, ``true`` being none of the numbers."""
    for hint in hints:
        if type(value) is hint or (hint is float and type(value) is int):
            return _scalar(hint, value, where)
    kinds = " or ".join(NAMES[hint] for hint in hints)
    raise UserError(f"{where} must be {kinds}, got {value!r}. Mend the recipe.")


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is Any:
        return value
    if hint is float and type(value) in (int, float):
        if not math.isfinite(value):
            raise UserError(f"{where} is {value}. Give a finite number.")
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if type(value) is not hint:
        raise UserError(f"{where} must be {NAMES.get(hint, hint)}, got {value!r}. Mend the recipe.")
    return value
