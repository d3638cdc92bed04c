"""The command that checks datasets and mixtures to the last row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curation.core import options
from curation.core.errors import UserError
from curation.core.text import counted

if TYPE_CHECKING:
    from curation.core.dataset import Dataset
    from curation.verifying import Fault, Verified

SHOWN = 20  # faults of one dataset in the terminal; --json has them all


@click.command()
@click.argument("paths", metavar="DATASET...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--quick", is_flag=True, help="Check the shards only, not every row.")
@click.option(
    "-o",
    "--salvage",
    type=click.Path(path_type=Path),
    help="Write what is whole of one DATASET to this new one, and the rest to its rejects.",
)
@options.jobs
@options.as_json
def verify(paths: tuple[Path, ...], quick: bool, salvage: Path | None, jobs: int, as_json: bool) -> None:
    """Check every shard and every row of datasets, or of a mixture and its datasets.

    Shards must have their size, SHA-256 and rows; rows their bytes, a readable picture of the size and
    hash stated, a label, and a uid of their own. Damage is named, and the rest is checked all the same.
    The exit status is 1 if anything is damaged, unless --salvage has saved what is whole.
    """
    from curation.core.shards import refuse_finished

    if salvage is not None:
        if quick or len(paths) > 1:
            odd = "--quick" if quick else "more than one DATASET"
            raise UserError(f"--salvage checks every row of one dataset, so it cannot go with {odd}.")
        refuse_finished(salvage)
    found, datasets = _verify(paths, jobs, quick)
    facts: dict[str, Any] = {"verified": [one.facts() for one in found]}
    whole = not any(one.faults for one in found)
    facts["whole"] = whole
    lines = [line for one in found for line in _lines(one, quick)]
    if salvage is not None and not whole:
        facts["salvaged"], told = _salvage(found, datasets, salvage, jobs)
        lines.append(told)
    elif salvage is not None:
        lines.append(f"nothing to salvage: {salvage} is not written")
    click.echo(json.dumps(facts, indent=2, ensure_ascii=False) if as_json else "\n".join(lines))
    if not whole and salvage is None:
        click.get_current_context().exit(1)


def _verify(paths: Sequence[Path], jobs: int, quick: bool) -> tuple[list[Verified], list[Dataset]]:
    """Check all that ``paths`` name, each dataset once, in that order."""
    from curation.core.dataset import Dataset
    from curation.core.files import read_json
    from curation.verifying import Fault, Verified, verify
    from curation.verifying_mixture import verify_mixture

    found: list[Verified | Dataset] = []
    for path in paths:
        try:
            manifest = read_json(path / "manifest.json") if (path / "manifest.json").is_file() else None
            if isinstance(manifest, dict) and manifest.get("kind") == "mixture":
                mixture, datasets = verify_mixture(path)
                found += [mixture, *datasets]
            else:
                found.append(Dataset.open(path, damaged=True))
        except UserError as error:
            fault = Fault(what=str(error))
            found.append(Verified(path=path, n_rows=0, n_shards=0, faults=(fault,)))
    opened = {one.path.resolve(): one for one in found if not isinstance(one, Verified)}
    results = dict(zip(opened, verify(list(opened.values()), jobs=jobs, quick=quick), strict=True))
    return (
        [one if isinstance(one, Verified) else results.pop(one.path.resolve()) for one in _once(found)],
        list(opened.values()),
    )


def _once(found: Sequence[Any]) -> list[Any]:
    return list({one.path.resolve(): one for one in found}.values())


def _salvage(
    found: Sequence[Verified], datasets: Sequence[Dataset], out: Path, jobs: int
) -> tuple[dict[str, Any], str]:
    from curation.verifying import salvage

    if len(datasets) != 1 or len(found) != 1:
        raise UserError(f"{found[0].path} has no dataset to salvage. {found[0].faults[0].what}")
    manifest = salvage(datasets[0], found[0], out, jobs=jobs)
    lost = counted(manifest["rejected_by_reason"])
    return manifest, f"wrote {manifest['n_rows']:,} words to {out}; left out: {lost}"


def _lines(one: Verified, quick: bool) -> list[str]:
    what = f"{one.n_rows:,} words in {one.n_shards:,} shard{'s' if one.n_shards != 1 else ''}"
    if not one.n_shards:
        what = f"{one.n_rows:,} positions" if one.n_rows else "nothing"
    if not one.faults:
        return [f"{one.path}: {what}, whole" + (" as far as its shards tell" if quick else "")]
    lines = [f"{one.path}: {what}, DAMAGED"]
    lines += [f"  {_line(fault)}" for fault in one.faults[:SHOWN]]
    if len(one.faults) > SHOWN:
        lines.append(f"  and {len(one.faults) - SHOWN:,} more; --json names them all")
    return lines


def _line(fault: Fault) -> str:
    place = [] if fault.shard is None else [fault.shard]
    if fault.row_group is not None:
        place.append(f"row group {fault.row_group}")
    if fault.row is not None:
        last = f" to {fault.row + fault.n_rows - 1:,}" if fault.n_rows > 1 else ""
        place.append(
            f"row{'s' if last else ''} {fault.row:,}{last}" + (f" ({fault.uid})" if fault.uid else "")
        )
    return f"{', '.join(place)}: {fault.what}" if place else fault.what
