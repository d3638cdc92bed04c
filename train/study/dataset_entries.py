"""What a study's folder tells of each dataset."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curation.core.dataset import Dataset


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
