"""Writing a trained recognizer as an ONNX model, which is checked against torch before it gets its name.

What reads a word with it, without torch or glyphmix::

    import numpy as np
    import onnxruntime
    from PIL import Image

    session = onnxruntime.InferenceSession("model.onnx")
    charset = session.get_modelmeta().custom_metadata_map["charset"]
    word = Image.open("word.png").convert("RGB").resize((128, 32), Image.Resampling.BICUBIC)
    classes, confidence = session.run(None, {"images": np.asarray(word)[None]})  # any number of words
    for row, sure in zip(classes, confidence):
        print("".join(charset[c - 1] for c in row if c), sure)
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from curation.core.errors import UserError
from curation.core.files import refuse_existing
from curation.core.fingerprint import sha256_file, versions
from curation.core.images import Pixels
from train.augments.base import to_float
from train.data.packing import scale
from train.models import Reading, Recognizer
from train.models.base import count_parameters
from train.run_folder import Run

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
OPSET = 20
ONE_FILE = 1_900_000_000  # bytes of weights; a protocol buffer, which an ONNX file is, ends at 2 GiB
BATCHES = (1, 2, 7, 54)  # words that go through the network at once in the check
TOLERANCE = 1e-3  # greatest difference of two confidences that may come from roundings
MOST_DIFFERENT = 1 / 32  # share of the words that may be read otherwise, by ties between two characters
CLASSES = "i + 1 stands for charset[i], 0 for nothing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A word that torch and ONNX Runtime read otherwise."""

    torch: Reading
    onnx: Reading


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What was written, and how near it is to the network in torch.

    Attributes:
        files: The model, and a file of weights beside it where one file cannot hold all.
        parameters: Values of the network.
        metadata: What stands in the model's own metadata.
        n_words: Words that both have read.
        greatest_difference: Between the two confidences in a word that both read alike.
        different: Words that they do not read alike.
    """

    files: list[Path]
    parameters: int
    metadata: dict[str, str]
    n_words: int
    greatest_difference: float
    different: list[Difference]


class OnnxRecognizer(nn.Module):
    """A recognizer that takes pixels and gives characters, with nothing left for its user to know."""

    def __init__(self, recognizer: Recognizer) -> None:
        super().__init__()
        self.recognizer = recognizer

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Read (B, H, W, 3) uint8 RGB: characters, (B, T) int64, by ``CLASSES``; confidence, (B,) float32."""
        classes, confidence = self.recognizer.decode(to_float(images))
        return self.recognizer.characters(classes), confidence


def export_onnx(run: Path, out: Path) -> Exported:
    """Write the recognizer of the run in the folder ``run`` as the ONNX model ``out``.

    The model computes in float32. It has one input, ``images`` (B, H, W, 3) uint8 RGB, of any B, and the
    outputs ``classes`` (B, T) int64 and ``confidence`` (B,) float32. Before the file is there, rendered
    words are read by both torch and ONNX Runtime, in batches of several sizes.

    Raises:
        UserError: a package is missing, no finished run is in that folder, ``out`` exists, or ONNX Runtime
            reads otherwise than torch.
    """
    _refuse_missing_packages()
    for path in (out, out.with_name(out.name + ".data")):
        refuse_existing(path)
    opened = Run.open(run)
    images = check_words(opened.image_size)
    metadata = _metadata(opened)
    program = trace(opened.recognizer, images, metadata)
    with _draft_folder(out) as draft:
        n_bytes = sum(tensor.nbytes for tensor in opened.recognizer.state_dict().values())
        program.save(draft / out.name, external_data=n_bytes > ONE_FILE)
        greatest, different = compare(opened.recognizer, draft / out.name, images)
        _refuse_disagreement(out, greatest, different, len(images))
        # The weights first: a model whose weights are not there yet must not have its name.
        files = [path.replace(out.with_name(path.name)) for path in sorted(draft.iterdir(), reverse=True)]
    return Exported(
        files=sorted(files),
        parameters=count_parameters(opened.recognizer),
        metadata=metadata,
        n_words=len(images),
        greatest_difference=greatest,
        different=different,
    )


def check_words(size: tuple[int, int]) -> Pixels:
    """Words that a recognizer should read alike in torch and elsewhere: (64, H, W, 3) uint8 RGB, rendered."""
    from synthgen.render import load
    from synthgen.rows import draw

    engine, words = load("mjst_plus").engine, []
    index = 0
    while len(words) < sum(BATCHES):
        drawn, _, _ = draw(engine, 0, index)
        index += 1
        if drawn is not None:
            words.append(scale(drawn.image, size))
    return np.stack(words)


def _refuse_missing_packages() -> None:
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"exporting to ONNX needs {' and '.join(missing)}, not installed here. "
            "Install what it needs: pip install 'glyphmix[onnx]'."
        )


def _metadata(run: Run) -> dict[str, str]:
    """What a user of the model alone must know."""
    return {
        "charset": run.recognizer.charset,
        "classes": CLASSES,
        "glyphmix_version": versions(("glyphmix",)).get("glyphmix", "from source"),
        "image_size": json.dumps(list(run.image_size)),
        "images": "RGB, uint8, one word each, the whole picture stretched to image_size (height, width)",
        "model": run.record["recipe"]["model"]["kind"],
        "protocol": run.record["recipe"]["protocol"],
        "weights_sha256": sha256_file(run.path / "model.pt"),
    }


def trace(recognizer: Recognizer, images: Pixels, metadata: dict[str, str]) -> Any:
    """Make an ONNX program of ``recognizer``, which is in evaluation mode, for batches of any size."""
    with warnings.catch_warnings(), torch.no_grad():
        # torch's own exporter still asks its trees in the old way.
        warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)`", FutureWarning)
        program = torch.onnx.export(
            OnnxRecognizer(recognizer).eval(),
            (torch.from_numpy(images[:2]),),
            input_names=["images"],
            output_names=["classes", "confidence"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()  # which line of which file of this machine made it
    program.model.metadata_props.clear()
    program.model.metadata_props.update(metadata)
    return program


def compare(
    recognizer: Recognizer, path: Path, images: Pixels, batches: Sequence[int] = BATCHES
) -> tuple[float, list[Difference]]:
    """Read ``images`` with both, in batches of the sizes ``batches``.

    Returns:
        The greatest difference between confidences in words that both read alike; the other words.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    alike, different, first = [0.0], [], 0
    for size in batches:
        batch = images[first : first + size]
        first += size
        classes, confidence = session.run(None, {"images": batch})
        ours = recognizer.read(to_float(torch.from_numpy(batch)))
        for reading, text, sure in zip(ours, spell(classes, recognizer.charset), confidence, strict=True):
            if text == reading.text:
                alike.append(abs(float(sure) - reading.confidence))
            else:
                other = Reading(text=text, confidence=float(sure))
                different.append(Difference(torch=reading, onnx=other))
    return max(alike), different


def spell(classes: NDArray[np.int64], charset: str) -> list[str]:
    """Spell out words by ``CLASSES``."""
    return ["".join(charset[c - 1] for c in row if c) for row in classes]


def _refuse_disagreement(out: Path, greatest: float, different: list[Difference], n_words: int) -> None:
    if greatest <= TOLERANCE and len(different) <= MOST_DIFFERENT * n_words:
        return
    raise UserError(
        f"ONNX Runtime reads otherwise than torch: {len(different)} of {n_words} words, and confidences "
        f"differ by up to {greatest:.2g}. {out} is not written; try other versions of {', '.join(PACKAGES)}."
    )


@contextmanager
def _draft_folder(out: Path) -> Iterator[Path]:
    """An empty folder beside ``out``, which is removed in the end."""
    draft = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True)
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
