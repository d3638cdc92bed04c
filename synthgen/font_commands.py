"""The command ``fonts``."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curation.core import options
from curation.core.errors import UserError
from curation.core.files import refuse_existing
from curation.core.text import aligned

if TYPE_CHECKING:
    from synthgen.fonts import FontFile, FontIndex


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--charset", help="Characters to look for; the 94 of ASCII by default.")
@click.option("--recipe", help="Take fonts, charset and choice from this recipe instead.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Draw a contact sheet of them, as PNG.")
@click.option("--word", default="Sale 25", help="What the contact sheet shows.")
@options.as_json
def fonts(
    folder: Path | None, charset: str | None, recipe: str | None, out: Path | None, word: str, as_json: bool
) -> None:
    """List the fonts of FOLDER, and what each can draw.

    Without FOLDER, the shipped fonts. Fonts that cannot be used are named with the reason. What was found
    is kept in $GLYPHMIX_CACHE (~/.cache/glyphmix), so that thousands of fonts are looked into once.
    """
    if recipe is not None and (folder is not None or charset is not None):
        raise UserError("--recipe says which fonts and characters are meant. Leave out FOLDER and --charset.")
    if out is not None:
        if out.suffix.lower() != ".png":
            raise UserError(f"output {out} does not end in .png. Contact sheets are PNG files.")
        refuse_existing(out)
    index, characters = _index(folder, charset, recipe)
    if as_json:
        click.echo(json.dumps(_as_json(index, characters), ensure_ascii=False))
    else:
        click.echo(_as_text(index, characters))
    if out is not None:
        from curation.core.sheet import write_png
        from synthgen.font_sheet import font_sheet

        sheet = font_sheet(index, word)
        write_png(sheet, out)
        click.echo(f"{out}: {len(index.fonts)} fonts, {sheet.shape[1]} x {sheet.shape[0]} pixels", err=True)


def _index(folder: Path | None, charset: str | None, recipe: str | None) -> tuple[FontIndex, str]:
    from curation.core.labels import CHARSET_94
    from synthgen.fonts import index_fonts, look_into
    from synthgen.materials import FONTS

    if recipe is not None:
        from synthgen.engines.native import Native
        from synthgen.render import load

        engine = load(recipe).engine
        if not isinstance(engine, Native):
            raise UserError(f"recipe {recipe} is for an engine that keeps no index of fonts. Name FOLDER.")
        characters = "".join(dict.fromkeys(engine.charset))
        return index_fonts(engine.fonts or FONTS, engine.charset, engine.font_choice), characters
    characters = "".join(dict.fromkeys(CHARSET_94 if charset is None else charset))
    if not characters:
        raise UserError("--charset is empty. Give the characters to look for.")
    return look_into(folder or FONTS, characters), characters


def _rows(index: FontIndex, characters: str) -> list[dict[str, Any]]:
    return [
        {
            "name": font.name,
            "family": font.family,
            "style": font.style,
            "weight": font.weight,
            "width": font.width,
            "italic": font.italic,
            "class": font.font_class,
            "licence": font.licence,
            "axes": {axis.tag: [axis.low, axis.default, axis.high] for axis in font.axes},
            "n_characters": sum(c in font.characters for c in characters),
            "scripts": list(font.scripts),
        }
        for font in index.fonts
    ]


def _as_json(index: FontIndex, characters: str) -> dict[str, Any]:
    covered = frozenset().union(*(font.characters for font in index.fonts))
    return {
        "folder": str(index.folder),
        "n_fonts": len(index.fonts),
        "n_families": len({font.family for font in index.fonts}),
        "n_variable": sum(bool(font.axes) for font in index.fonts),
        "n_skipped": len(index.skipped),
        "n_charset": len(characters),
        "uncovered": "".join(c for c in characters if c not in covered),
        "by_class": dict(Counter(font.font_class or "-" for font in index.fonts).most_common()),
        "by_licence": dict(Counter(font.licence for font in index.fonts).most_common()),
        "fonts": _rows(index, characters),
        "skipped": [{"name": name, "reason": reason} for name, reason in index.skipped],
    }


def _as_text(index: FontIndex, characters: str) -> str:
    from synthgen.font_files import REASONS

    head = ("file", "family", "style", "weight", "width", "class", "licence", "axes", "draws", "scripts")
    table = [head, *(_cells(font, characters) for font in index.fonts)]
    lines = aligned(table, left=range(len(head)))
    lines += [f"skipped: {name}: {reason}, {REASONS[reason]}" for name, reason in index.skipped]
    numbers = _as_json(index, characters)
    counts = ", ".join(f"{n} {name}" for name, n in numbers["by_class"].items())
    lines.append(
        f"{index.folder}: {numbers['n_fonts']} fonts of {numbers['n_families']} families "
        f"({numbers['n_variable']} variable), {numbers['n_skipped']} skipped; classes: {counts}"
    )
    if numbers["uncovered"]:
        lines.append(f"no font draws: {' '.join(numbers['uncovered'])}")
    return "\n".join(lines)


def _cells(font: FontFile, characters: str) -> tuple[str, ...]:
    n_drawn = sum(c in font.characters for c in characters)
    return (
        font.name,
        font.family,
        font.style,
        str(font.weight),
        str(font.width),
        font.font_class or "-",
        font.licence,
        " ".join(f"{axis.tag} {axis.low:g}-{axis.high:g}" for axis in font.axes) or "-",
        f"{n_drawn}/{len(characters)}",
        " ".join(font.scripts[:6]),
    )
