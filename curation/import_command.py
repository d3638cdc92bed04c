"""The command that turns published sets into datasets."""

from __future__ import annotations

import json
import tomllib
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from curation.core import options
from curation.core.errors import UserError
from curation.core.text import counted
from curation.import_help import help_text

IMPORT_HELP = help_text()


class Listing(click.Command):
    """A command that asks for neither FORMAT nor SOURCE nor --out when it is to list the formats."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--list" in args and not ctx.resilient_parsing:
            from curation.catalogue import as_table, facts
            from curation.importers import importers

            rows = [facts(kind) for kind in importers]
            as_json = "--json" in args
            click.echo(json.dumps(rows, indent=2, ensure_ascii=False) if as_json else as_table(rows))
            ctx.exit()
        return super().parse_args(ctx, args)


@click.command("import", cls=Listing, help=IMPORT_HELP)
@click.argument("format_name", metavar="FORMAT")
@options.source
@options.out
@click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    default="train",
    help="Which of the publisher's parts to import.",
)
@click.option("--name", help="What to call the set. By default like its format or, if general, its folder.")
@click.option("--root", metavar="FOLDER", help="Where relative paths of a label file begin.")
@click.option("--encoding", help="Of a label file that is not UTF-8: cp1252, gb18030, ...")
@click.option(
    "--crop",
    type=click.Choice(["box", "rectify"]),
    help="How words are cut out of photos: by the least upright box (default), or straightened.",
)
@click.option("--pad-px", type=click.IntRange(0, 1000), help="What is added on every side of such a word.")
@click.option(
    "--all-scripts",
    is_flag=True,
    default=None,
    help="Keep every legible word. By default sets in several scripts keep what PARSeq trains on.",
)
@click.option(
    "--option",
    "given",
    metavar="NAME=VALUE",
    multiple=True,
    help="Any other option of the format, as 'import --list --json' names them; may be repeated.",
)
@click.option(
    "--max-dropped",
    type=click.FloatRange(0, 1),
    default=0.01,
    help="Greatest share that may be unusable of the words that no rule of the set leaves out.",
)
@options.jobs
@options.dry_run
@options.as_json
@click.option("--list", is_flag=True, expose_value=False, help="List all formats, and do nothing else.")
def import_(
    format_name: str,
    source: Path,
    out: Path,
    split: str,
    name: str | None,
    given: Sequence[str],
    max_dropped: float,
    jobs: int,
    dry_run: bool,
    as_json: bool,
    **flags: str | int | bool | None,
) -> None:
    """Run ``glyphmix import``; see ``IMPORT_HELP``. ``flags`` are the format's, None if not given."""
    from curation.core.shards import refuse_finished
    from curation.importing import Source, check_unread, default_name, import_set, make_importer, survey

    importer = make_importer(format_name, flags, _options(format_name, given))
    what = Source(importer=importer, src=source, split=split, name=name or default_name(importer, source))
    if dry_run:
        refuse_finished(out)
        surveyed = survey(what)
        check_unread(what, surveyed, max_dropped)
        found = surveyed.facts() | {"rejected_by_reason": surveyed.rejected_unread}
        kept = surveyed.found - sum(surveyed.rejected_unread.values())
        done = f"would read {kept:,} pictures into {out}"
    else:
        found = import_set(what, out, max_dropped=max_dropped, jobs=jobs)
        done = f"wrote {found['n_rows']:,} words to {out}, fingerprint {found['fingerprint'][:16]}"
    for warning in found["warnings"]:
        click.echo(f"warning: {warning}", err=True)
    if as_json:
        click.echo(json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False))
        return
    of = "" if found["expected"] is None else f" of {found['expected']:,} expected"
    click.echo(f"{what.name} {split}: found {found['found']:,}{of}")
    click.echo(f"left out: {counted(found['rejected_by_reason'])}")
    click.echo(done)


def _options(format_name: str, given: Sequence[str]) -> dict[str, Any]:
    """Read ``NAME=VALUE`` as the format has it."""
    from curation.importers import importers

    hints = typing.get_type_hints(importers.get(format_name))
    table = {}
    for text in given:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise UserError(f"--option {text!r} has no value. Write it as NAME=VALUE.")
        table[name] = _typed(hints.get(name), value)
    return table


def _typed(hint: Any, text: str) -> Any:
    """Read a value as the option's type has it: lists with commas, numbers and truth values as in TOML."""
    if typing.get_origin(hint) is tuple:
        return [_typed(typing.get_args(hint)[0], part.strip()) for part in text.split(",")]
    if hint not in (int, float, bool) and not {int, float, bool} & {*typing.get_args(hint)}:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text  # then its complaint is about the type
