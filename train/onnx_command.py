"""The command ``export onnx``; nothing heavy is imported until it runs."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from curation.core import options

if TYPE_CHECKING:
    from train.onnx_export import Exported


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@options.out
@options.as_json
def onnx(run: Path, out: Path, as_json: bool) -> None:
    """Write the recognizer trained in the folder RUN as an ONNX model.

    The model takes batches of any size of words as RGB bytes and gives characters and confidences; how to
    spell words out of them stands in its metadata. It is checked against torch before it is written.
    Recognizers that read one character after another take minutes, for each of their steps becomes a part
    of the model.
    """
    from train.onnx_export import export_onnx

    exported = export_onnx(run, out)
    click.echo(_json(exported) if as_json else _text(exported, out))


def _json(exported: Exported) -> str:
    facts = dataclasses.asdict(exported) | {"files": [str(path) for path in exported.files]}
    return json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False)


def _text(exported: Exported, out: Path) -> str:
    size = sum(path.stat().st_size for path in exported.files) / 1e6
    n = len(exported.different)
    alike = f"{exported.n_words - n} of {exported.n_words}" if n else f"all {exported.n_words}"
    lines = [
        f"wrote {out}: {exported.metadata['model']}, {exported.parameters:,} parameters, {size:,.1f} MB",
        f"checked on {exported.n_words} rendered words: torch and ONNX Runtime read {alike} alike, "
        f"confidences within {exported.greatest_difference:.1g}",
    ]
    for one in exported.different:
        pair = [f"{reading.text!r} ({reading.confidence:.3f})" for reading in (one.torch, one.onnx)]
        lines.append(f"a tie: torch reads {pair[0]}, ONNX Runtime {pair[1]}")
    return "\n".join(lines)
