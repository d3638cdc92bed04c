"""What a study's folder tells of each dataset."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from train.study.rows import read_facts, refuse_format


def described(role: str, part: str, path: Path, dataset: Dataset) -> dict[str, Any]:
    """The entry of a dataset in ``study.json``; ``part`` is empty for a test set."""
    manifest = dataset.manifest
    return {
        "path": str(path),
        "name": dataset.name,
        "role": role,
        "part": part or None,
        "n_rows": len(dataset),
        "fingerprint": dataset.fingerprint,
        "rejected_by_reason": manifest["rejected_by_reason"],
        "command": remake(path, manifest),
    }


def refuse_changed(entries: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Refuse datasets that are not those a study in ``out`` was begun with; there need not be one yet.

    Raises:
        UserError: one of them has changed, or another glyphmix began the study.
    """
    if not (out / "study.json").is_file():
        return
    facts = read_facts(out)
    refuse_format(facts, out)
    before = {entry["path"]: entry for entry in facts["datasets"]}
    for entry in entries:
        was = before.get(entry["path"], entry)
        if was["fingerprint"] == entry["fingerprint"]:
            continue
        words = f"it has {entry['n_rows']:,} words, not {was['n_rows']:,}, and " * (
            entry["n_rows"] != was["n_rows"]
        )
        raise UserError(
            f"dataset {entry['path']} has changed since study {out} was begun: {words}its fingerprint is "
            f"{entry['fingerprint'][:16]}, not {was['fingerprint'][:16]}. "
            "Restore it, or give another name with -o."
        )


def remake(path: Path, manifest: Mapping[str, Any]) -> str:
    """The command that makes a dataset again, as far as its manifest tells; empty if it does not."""
    if manifest.get("command") == "import":
        return (
            f"glyphmix import {manifest['importer']} SOURCE --split {manifest['split']} "
            f"--name {shlex.quote(manifest['name'])} -o {shlex.quote(str(path))}"
        )
    if manifest.get("command") == "render":
        recipe, n, seed = manifest["recipe_name"], manifest["n"], manifest["seed"]
        return f"glyphmix render {shlex.quote(recipe)} -n {n} --seed {seed} -o {shlex.quote(str(path))}"
    return ""
