"""The command-line options that every command shares, so that they read the same everywhere."""

from __future__ import annotations

import os
from pathlib import Path

import click

from curation.core.executors import EXECUTORS

out = click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="Where to write; must not exist yet."
)
seed = click.option("--seed", type=click.IntRange(min=0), default=0, help="Seed of every random draw.")
jobs = click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    default=lambda: len(os.sched_getaffinity(0)),
    show_default="all cores",
    help="Worker processes; results do not depend on it.",
)
executor = click.option(
    "--executor",
    type=click.Choice(EXECUTORS),
    default="processes",
    show_default=True,
    help="Where the work runs; results do not depend on it.",
)
ray_address = click.option(
    "--ray-address",
    metavar="ADDRESS",
    help="A running Ray cluster, whose machines must share the storage of input and output; "
    "without it, Ray runs on this machine.",
)
dry_run = click.option("--dry-run", is_flag=True, help="Check everything and say what would be done.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
source = click.argument("source", type=click.Path(path_type=Path))
dataset = click.argument("dataset", type=click.Path(path_type=Path))
