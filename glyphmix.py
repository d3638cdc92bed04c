"""The command line: a table of commands, nothing heavy imported until one is used."""

from __future__ import annotations

import errno
import importlib
from collections.abc import Mapping
from typing import Any, NoReturn

import click

from curation.core.errors import UserError, unknown_name

Table = Mapping[str, tuple[str, str]]  # name -> (where its click command lives, what --help says of it)

COMMANDS: Table = {
    "demo": ("train.demo:demo", "Render, mix, train, evaluate and report, small, in minutes."),
    "render": ("synthgen.commands:render", "Draw synthetic word images from a recipe."),
    "preview": ("synthgen.commands:preview", "Draw a contact sheet of what a recipe makes."),
    "palette": ("synthgen.palette_command:palette", "Learn text and background colours from word crops."),
    "fonts": ("synthgen.font_commands:fonts", "List fonts, and what each of them can draw."),
    "import": ("curation.import_command:import_", "Turn a published set into a dataset."),
    "export": ("glyphmix:export", "Write a dataset as LMDB or for the Hub, a recognizer as ONNX."),
    "inspect": ("curation.inspect_command:inspect", "Count and show what a dataset holds."),
    "verify": ("curation.verify_command:verify", "Check every shard and row, and save what is whole."),
    "filter": ("curation.filter_command:filter_", "Leave words out by a recipe, each with a reason."),
    "dedupe": ("curation.dedupe_command:dedupe", "Leave copies out, across all sets at once."),
    "decontaminate": (
        "curation.decontaminate_command:decontaminate",
        "Drop words to train on that copy words of a test.",
    ),
    "curate": ("curation.curate_command:curate", "Go from publishers' files to a clean mixture."),
    "mix": ("curation.mix_command:mix", "Select words from datasets at an exact ratio."),
    "materialise": ("curation.materialise_command:materialise", "Write the words of a mixture in order."),
    "train": ("train.commands:train", "Train a recognizer on a mixture."),
    "evaluate": ("train.evaluation.command:evaluate", "Measure a trained recognizer on datasets."),
    "read": ("train.read_command:read", "Read words on pictures with a trained recognizer."),
    "suspects": ("train.suspects.command:suspects", "Find words that are probably labelled wrongly."),
    "ablate": ("train.study.ablate_command:ablate", "Run a study: many mixtures, one cause."),
    "laws": ("train.study.laws_command:laws", "Fit how accuracy moves in a study."),
    "report": ("train.study.report_command:report", "Write a study's page and print its table."),
}

EXPORTS: Table = {
    "lmdb": ("curation.export_command:lmdb", "A dataset as PARSeq and DTRB read it."),
    "hub": ("curation.export_command:hub", "A dataset for the Hugging Face Hub, with card and Croissant."),
    "onnx": ("train.onnx_command:onnx", "A trained recognizer for ONNX Runtime."),
}


class Commands(click.Group):
    """A group that imports a command on first use and shows a UserError without a traceback."""

    kind, table = "command", COMMANDS

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.table:
            self.refuse(ctx, unknown_name(self.kind, name, self.table))
        module, attribute = self.table[name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def refuse(self, ctx: click.Context, error: UserError) -> NoReturn:
        """Say that no command has this name."""
        ctx.fail(str(error))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(f"{self.kind.capitalize()}s"):
            formatter.write_dl([(name, text) for name, (_, text) in self.table.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UserError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                place = f", writing to {error.filename}" if error.filename else ""
                raise click.ClickException(
                    f"the disk is full{place}. Free some space and run the same command again: "
                    "what was finished is kept."
                ) from error
            if error.filename is None:
                raise
            raise click.ClickException(
                f"cannot use {error.filename}: {error.strerror}. Check the path."
            ) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(package_name="glyphmix")
def main() -> None:
    """Render synthetic word images, mix them with real ones, and measure what helps."""


class Formats(Commands):
    """What ``export`` can write; datasets know nothing of recognizers, so only here do they meet."""

    kind, table = "format", EXPORTS

    def refuse(self, ctx: click.Context, error: UserError) -> NoReturn:
        raise error


@click.group(cls=Formats, subcommand_metavar="FORMAT [ARGS]...")
def export() -> None:
    """Write a dataset or a trained recognizer for other programs."""
