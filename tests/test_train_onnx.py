"""ONNX models of recognizers: what they compute, say of themselves, and when they are refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
import train_words
from click.testing import CliRunner, Result

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from curation.core.images import Pixels
from curation.core.labels import CHARSET_36
from glyphmix import main
from train import onnx_export
from train.augments.base import to_float
from train.data.packing import scale
from train.fit import fit
from train.models import Reading, Recognizer, models
from train.onnx_export import Difference, Exported, compare, export_onnx, spell, trace
from train.reading import Reader

WORDS = train_words.random_words(10)


def lively(name: str) -> Recognizer:
    """A network whose first weights are great enough to read different words."""
    torch.manual_seed(0)
    model = train_words.small(name)
    # Loops over the characters are traced step by step, which takes a second for each.
    short = {key: n for key, n in {"max_length": 2, "decoder_depth": 1}.items() if hasattr(model, key)}
    network: Recognizer = replace(model, **short).build(CHARSET_36).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 2:
                parameter *= 4
    return network


def pictures(size: tuple[int, int] = (32, 128)) -> Pixels:
    return np.stack([scale(train_words.draw(word), size) for word in WORDS])


@pytest.mark.parametrize("name", list(models))
def test_every_model_exports_for_batches_of_any_size(name: str, tmp_path: Path) -> None:
    network, images = lively(name), pictures(train_words.small(name).image_size)
    trace(network, images, {"charset": CHARSET_36}).save(tmp_path / "model.onnx")
    greatest, different = compare(network, tmp_path / "model.onnx", images, (1, 2, 7))
    assert (different, greatest) == ([], pytest.approx(0, abs=1e-4))
    assert len({reading.text for reading in network.read(to_float(torch.from_numpy(images)))}) > 1
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    assert [(i.name, i.shape, i.type) for i in session.get_inputs()] == [
        ("images", ["batch", *images.shape[1:]], "tensor(uint8)")
    ]
    assert [(o.name, o.shape[0], o.type) for o in session.get_outputs()] == [
        ("classes", "batch", "tensor(int64)"),
        ("confidence", "batch", "tensor(float)"),
    ]


@pytest.mark.parametrize("name", list(models))
def test_characters_are_what_texts_spells_out(name: str) -> None:
    network, images = lively(name), to_float(torch.from_numpy(pictures(train_words.small(name).image_size)))
    classes, _ = network.decode(images)
    assert spell(network.characters(classes).detach().numpy(), CHARSET_36) == network.texts(classes.numpy())


def test_characters_of_a_path() -> None:
    network = train_words.TINY.build("abc")
    path = torch.tensor([[0, 1, 1, 0, 1, 2, 2, 3], [3, 3, 0, 0, 3, 3, 1, 1]])
    assert network.characters(path).tolist() == [[0, 1, 0, 0, 1, 2, 0, 3], [3, 0, 0, 0, 3, 0, 1, 0]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    mixture = train_words.mixture(folder / "mixture", train_words.dataset(folder / "words", WORDS))
    fit(train_words.recipe(mixture=mixture, steps=60, batch=20, lr=1e-2), folder / "run", seed=0)
    return folder / "run"


@pytest.fixture(scope="module")
def written(run: Path) -> tuple[Path, str, Any]:
    """The model, what the command says, and the traced program, for tracing takes seconds."""
    out, traced = run.parent / "models" / "model.onnx", []

    def remember(*args: Any) -> Any:
        traced.append(trace(*args))
        return traced[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_export, "trace", remember)
        result = call(run, "-o", out)
    assert result.exit_code == 0, result.output
    return out, result.stdout, traced[0]


@pytest.fixture
def model(written: tuple[Path, str, Any]) -> Path:
    return written[0]


class TestExport:
    def test_the_command_says_how_near_it_is(self, written: tuple[Path, str, Any]) -> None:
        out, said, _ = written
        wrote, checked = said.splitlines()
        assert wrote.startswith(f"wrote {out}: conv_ctc, 38,061 parameters, 0.2 MB")
        assert checked.startswith(
            "checked on 64 rendered words: torch and ONNX Runtime read all 64 alike, confidences within "
        )
        assert float(checked.rpartition(" ")[2]) < 1e-4
        assert [path.name for path in out.parent.iterdir()] == ["model.onnx"]

    def test_it_says_what_its_users_must_know(self, model: Path, run: Path) -> None:
        session = onnxruntime.InferenceSession(model)
        found = session.get_modelmeta().custom_metadata_map
        assert {key: found[key] for key in found if key != "glyphmix_version"} == {
            "charset": CHARSET_36,
            "classes": "i + 1 stands for charset[i], 0 for nothing",
            "image_size": "[32, 128]",
            "images": "RGB, uint8, one word each, the whole picture stretched to image_size (height, width)",
            "model": "conv_ctc",
            "protocol": "parseq36",
            "weights_sha256": sha256_file(run / "model.pt"),
        }
        assert str(Path(onnx_export.__file__).parent).encode() not in model.read_bytes()

    def test_it_reads_without_torch(self, model: Path, run: Path, tmp_path: Path) -> None:
        """The lines in the documentation, as they stand there."""
        (tmp_path / "model.onnx").write_bytes(model.read_bytes())
        word = cv2.resize(train_words.draw(WORDS[0]), (128, 32), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(tmp_path / "word.png"), word[..., ::-1])
        assert onnx_export.__doc__ is not None
        program = textwrap.dedent(onnx_export.__doc__.partition("::\n")[2])
        check = "import sys\nassert not {'torch', 'train', 'curation'} & set(sys.modules)\n"
        done = subprocess.run(
            [sys.executable, "-c", program + check], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        reader = Reader.open(run)
        reader.run.record["recipe"]["precision"] = "float32"
        (reading,) = reader.read([word])
        text, confidence = done.stdout.rstrip("\n").split(" ")
        assert reading.text != ""
        assert (text, float(confidence)) == (reading.text, pytest.approx(reading.confidence, abs=1e-4))

    def test_weights_beside_another_model_are_not_written_over(self, run: Path, tmp_path: Path) -> None:
        (tmp_path / "model.onnx.data").write_bytes(b"another's")
        with pytest.raises(UserError, match=r"^output .*model\.onnx\.data exists already\. Remove"):
            export_onnx(run, tmp_path / "model.onnx")

    def test_it_is_not_written_over(self, model: Path, run: Path) -> None:
        result = call(run, "-o", model)
        assert result.stderr == (
            f"Error: output {model} exists already. Remove it or give another name with -o.\n"
        )

    def test_one_that_reads_otherwise_is_not_written(
        self, written: tuple[Path, str, Any], run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(onnx_export, "trace", lambda *args: written[2])
        monkeypatch.setattr(onnx_export, "to_float", lambda images: to_float(images.flip(2)))
        out = tmp_path / "model.onnx"
        with pytest.raises(UserError) as error:
            export_onnx(run, out)
        assert re.fullmatch(
            r"ONNX Runtime reads otherwise than torch: \d+ of 64 words, and confidences differ by up to "
            rf"[\d.e-]+\. {out} is not written; try other versions of onnx, onnxscript, onnxruntime\.",
            str(error.value),
        )
        assert list(tmp_path.iterdir()) == []

    def test_weights_too_large_for_one_file_lie_beside_it(
        self, written: tuple[Path, str, Any], run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(onnx_export, "trace", lambda *args: written[2])
        monkeypatch.setattr(onnx_export, "ONE_FILE", 1_000)
        exported = export_onnx(run, tmp_path / "model.onnx")
        assert exported.files == [tmp_path / "model.onnx", tmp_path / "model.onnx.data"]
        assert sorted(tmp_path.iterdir()) == exported.files
        outputs = [
            onnxruntime.InferenceSession(path).run(None, {"images": pictures()})
            for path in (written[0], exported.files[0])
        ]
        assert all(np.array_equal(one, other) for one, other in zip(*outputs, strict=True))


def test_without_its_packages_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_export, "PACKAGES", ("json", "onnx_of_tomorrow"))
    result = call(tmp_path, "-o", tmp_path / "model.onnx")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: exporting to ONNX needs onnx_of_tomorrow, not installed here. "
        "Install what it needs: pip install 'glyphmix[onnx]'.\n",
    )


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    result = call(tmp_path, "-o", tmp_path / "model.onnx")
    assert result.stderr == (
        f"Error: {tmp_path} is no training run: it has no run.json. Make one with 'train'.\n"
    )


def test_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tie = Difference(torch=Reading(text="ab", confidence=0.25), onnx=Reading(text="ac", confidence=0.26))
    (tmp_path / "m.onnx").write_bytes(b"x" * 200_000)
    exported = Exported(
        files=[tmp_path / "m.onnx"],
        parameters=9,
        metadata={"model": "conv_ctc"},
        n_words=64,
        greatest_difference=2e-5,
        different=[tie],
    )
    monkeypatch.setattr(onnx_export, "export_onnx", lambda run, out: exported)
    assert call("run", "-o", "m.onnx").stdout.splitlines()[1:] == [
        "checked on 64 rendered words: torch and ONNX Runtime read 63 of 64 alike, confidences within 2e-05",
        "a tie: torch reads 'ab' (0.250), ONNX Runtime 'ac' (0.260)",
    ]
    assert json.loads(call("run", "-o", "m.onnx", "--json").stdout) == {
        "different": [
            {"onnx": {"confidence": 0.26, "text": "ac"}, "torch": {"confidence": 0.25, "text": "ab"}}
        ],
        "files": [str(tmp_path / "m.onnx")],
        "greatest_difference": 2e-5,
        "metadata": {"model": "conv_ctc"},
        "n_words": 64,
        "parameters": 9,
    }


def call(*args: object) -> Result:
    return CliRunner().invoke(main, ["export", "onnx", *map(str, args)], prog_name="glyphmix")
