"""What ``glyphmix import --help`` says, from the importers' own facts, without running their modules."""

from __future__ import annotations

import ast
import shutil
import textwrap
from pathlib import Path

HEAD = """Turn the published set at SOURCE into a dataset.

FORMAT and what SOURCE is then ('glyphmix import --list' says more):
"""


def help_text() -> str:
    """The command's help: every format's name and what SOURCE is then."""
    sources = formats()
    width = max(map(len, sources))
    room = max(min(shutil.get_terminal_size().columns, 100) - width - 6, 30)
    lines = []
    for name, text in sources.items():
        first, *more = textwrap.wrap(text, room)
        lines += [f"{name.ljust(width)}  {first}", *(" " * (width + 2) + line for line in more)]
    return f"{HEAD}\n\b\n" + "\n".join(lines)


def formats() -> dict[str, str]:
    """What SOURCE is in each format, by the formats' sorted names.

    The modules are parsed, not run: the arrays and pictures that they import would slow every help down.
    A fact must so be a literal in the class, or in a class of the same package that it inherits from.
    """
    classes = {
        node.name: node
        for path in sorted((Path(__file__).parent / "importers").glob("*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    }
    named = {name: node for node in classes.values() if (name := _registered(node)) is not None}
    return {name: _what(named[name], classes) for name in sorted(named)}


def _registered(node: ast.ClassDef) -> str | None:
    """The name under which ``@importers.add`` registers a class."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "importers.add":
            return str(ast.literal_eval(decorator.args[0]))
    return None


def _what(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> str:
    facts = _facts(node, classes)
    doc = (ast.get_docstring(node) or node.name).splitlines()[0]
    return facts.get("source_is") or facts.get("title") or doc


def _facts(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> dict[str, str]:
    found: dict[str, str] = {}
    for base in reversed(node.bases):
        if (inherited := classes.get(ast.unparse(base))) is not None:
            found |= _facts(inherited, classes)
    for part in node.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.value, ast.Constant):
            found[ast.unparse(part.target)] = str(part.value.value)
    return found
