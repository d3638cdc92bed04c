"""Reading pictures with a trained run, in Python and on the command line."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import train_words
from click.testing import CliRunner, Result
from PIL import Image

from curation.core.images import BrokenImageError, Pixels, encode_png
from glyphmix import main
from train.data.packing import scale
from train.fit import fit
from train.picture_files import Pictures
from train.reading import Reader
from train.training import read_all

WORDS = train_words.random_words(20)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that reads something: not always what is there."""
    folder = tmp_path_factory.mktemp("read")
    mixture = train_words.mixture(folder / "mixture", train_words.dataset(folder / "words", WORDS))
    fit(train_words.recipe(mixture=mixture, steps=60, batch=20, lr=1e-2), folder / "run", seed=0)
    return folder / "run"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with pictures, one of them broken, in two folders, and a file that is no picture."""
    folder = tmp_path / "pictures"
    (folder / "a").mkdir(parents=True)
    for number, word in enumerate(WORDS[:6]):
        place = folder / "a" if number % 2 else folder
        (place / f"{number}.PNG").write_bytes(encode_png(train_words.draw(word)))
    (folder / "2b.png").write_bytes(train_words.TRUNCATED)
    (folder / "labels.tsv").write_text("0.png\tone\n")
    return folder


def call(*args: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["read", *map(str, args)], input=stdin, prog_name="glyphmix")


def test_it_reads_what_evaluation_reads(run: Path) -> None:
    reader = Reader.open(run)
    words = [train_words.draw(word) for word in WORDS]
    readings = reader.read(words)
    assert len({reading.text for reading in readings}) > 5, "a run that tells words apart"
    scaled = np.stack([scale(word, (32, 128)) for word in words])
    assert readings == read_all(reader.run.recognizer, scaled, "bf16")


def test_batch_and_threads_change_nothing(run: Path) -> None:
    words = [encode_png(train_words.draw(word)) for word in WORDS]
    expected = Reader.open(run).read(words)
    for batch, threads in ((1, 1), (3, 4), (20, 2)):
        found = Reader.open(run, batch=batch, threads=threads).read(words)
        assert [reading.text for reading in found] == [reading.text for reading in expected]
        assert [r.confidence for r in found] == pytest.approx([r.confidence for r in expected], abs=1e-5)


def test_an_image_is_a_path_bytes_or_an_array(run: Path, tmp_path: Path) -> None:
    word = train_words.draw("abc")
    path = tmp_path / "abc.png"
    path.write_bytes(encode_png(word))
    clear = np.dstack([word, np.zeros(word.shape[:2], np.uint8)])
    given = [word, clear, path, str(path), path.read_bytes(), Image.fromarray(word)]
    assert len(set(Reader.open(run).read(given))) == 1


def test_grey_and_16_bit_pictures_read_like_colour_ones(run: Path, tmp_path: Path) -> None:
    grey = cv2.cvtColor(train_words.draw("abc"), cv2.COLOR_RGB2GRAY)
    deep = tmp_path / "deep.png"
    cv2.imwrite(str(deep), grey.astype(np.uint16) * 257)
    given = [np.repeat(grey[..., None], 3, axis=2), grey, Image.fromarray(grey), deep]
    assert len(set(Reader.open(run).read(given))) == 1


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (3, "an image must be a path, bytes, a PIL image or an array, got int"),
        (np.zeros((4, 4, 3), np.float32), "an image must be an array of uint8, got float32"),
        (np.zeros((4, 4, 2), np.uint8), "an image must be (H, W, 3), (H, W, 4) or (H, W), got (4, 4, 2)"),
    ],
)
def test_what_is_no_image_is_a_mistake(run: Path, image: object, message: str) -> None:
    with pytest.raises(TypeError) as error:
        Reader.open(run).read([image])
    assert str(error.value) == message


def test_a_broken_image_is_named_by_its_number(run: Path) -> None:
    reader = Reader.open(run)
    with pytest.raises(BrokenImageError, match=r"^image 1: an array of 0 x 3 pixels$"):
        reader.read([train_words.draw("abc"), np.zeros((3, 0, 3), np.uint8)])
    with pytest.raises(BrokenImageError, match=r"^image 0: no such file or directory$"):
        reader.read(["absent.png"])


def test_a_stream_is_taken_two_batches_ahead_at_most(run: Path) -> None:
    taken = 0

    def coming() -> Iterator[Pixels]:
        nonlocal taken
        while True:
            taken += 1
            yield train_words.draw("abc")

    stream = Reader.open(run, batch=4).read_stream(coming())
    for number in range(1, 30):
        assert next(stream).reading is not None
        assert taken <= number + 3 * 4


def test_a_long_stream_takes_no_more_memory_than_a_short_one(run: Path) -> None:
    reader, peaks = Reader.open(run, batch=8, threads=1), []
    for n in (40, 400):
        tracemalloc.start()
        assert sum(1 for _ in reader.read_stream(encode_png(train_words.draw("abc")) for _ in range(n))) == n
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_a_folder_is_read_by_name_and_broken_pictures_are_skipped_by_name(run: Path, pictures: Path) -> None:
    result = call(run, pictures)
    assert result.exit_code == 0
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    names = ["0.PNG", "2.PNG", "4.PNG", "a/1.PNG", "a/3.PNG", "a/5.PNG"]
    assert [line[0] for line in lines] == [f"{pictures}/{name}" for name in names]
    expected = Reader.open(run).read(pictures / name for name in names)
    assert [line[1:] for line in lines] == [[r.text, f"{r.confidence:.4f}"] for r in expected]
    broken, summary = result.stderr.splitlines()
    assert broken == f"{pictures}/2b.png: the PNG file is cut short"
    assert summary.startswith("read 6 of 7 images in ")
    assert summary.endswith(" s; 1 could not be read; 1 other files passed over")


def test_json_is_one_object_a_line(run: Path, pictures: Path) -> None:
    plain = [line.split("\t") for line in call(run, pictures).stdout.splitlines()]
    objects = [json.loads(line) for line in call(run, pictures, "--json").stdout.splitlines()]
    assert [[o["path"], o["text"], f"{o['confidence']:.4f}"] for o in objects] == plain


def test_paths_come_from_standard_input(run: Path, pictures: Path) -> None:
    listed = f"{pictures}/4.PNG\n\n{pictures}/a\r\n"
    result = call(run, "-", pictures / "0.PNG", stdin=listed)
    names = [line.split("\t")[0] for line in result.stdout.splitlines()]
    assert names == [f"{pictures}/{name}" for name in ("4.PNG", "a/1.PNG", "a/3.PNG", "a/5.PNG", "0.PNG")]


def test_a_dataset_is_read_by_uid(run: Path, tmp_path: Path) -> None:
    train_words.dataset(tmp_path / "set", WORDS[:3], broken=[1])
    result = call(run, tmp_path / "set")
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["set:0", "set:2"]
    assert result.stderr.splitlines()[0] == "set:1: the PNG file is cut short"


def test_unsure_words_are_left_out_and_counted(run: Path, pictures: Path) -> None:
    confidences = [float(line.split("\t")[2]) for line in call(run, pictures / "a").stdout.splitlines()]
    least = sorted(confidences)[1] - 5e-5
    result = call(run, pictures / "a", "--min-confidence", least)
    assert len(result.stdout.splitlines()) == 2
    assert result.stderr.endswith(f" s; 1 below a confidence of {least:g} left out\n")


def test_exit_status_tells_when_nothing_could_be_read(run: Path, pictures: Path) -> None:
    assert call(run, pictures, "--strict").exit_code == 1
    assert call(run, pictures / "a", "--strict").exit_code == 0
    result = call(run, pictures / "2b.png", "absent.png")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines()[1] == "absent.png: no such file or directory"


def test_odd_names_keep_a_line_a_line(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "a\tb\nc.png"
    path.write_bytes(encode_png(train_words.draw("abc")))
    (line,) = call(run, path).stdout.splitlines()
    assert line.split("\t")[0] == f"{tmp_path}/a\\tb\\nc.png"
    assert json.loads(call(run, path, "--json").stdout)["path"] == str(path)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("{run}", "{folder}"), "there is no picture among 1 files in {folder}. Endings known: "
         ".bmp .gif .jpeg .jpg .png .tif .tiff .webp."),
        (("{run}", "-"), "there is no picture in -. Endings known: "
         ".bmp .gif .jpeg .jpg .png .tif .tiff .webp."),
        (("{folder}", "x.png"), "{folder} is no training run: it has no run.json. Make one with 'train'."),
        (("{run}", "x.png", "--device", "cuda"),
         "there is no CUDA device here. Read on 'cpu', or leave the device to 'auto'."),
    ],
)  # fmt: skip
def test_mistakes(
    run: Path, tmp_path: Path, args: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    (tmp_path / "notes.txt").touch()
    result = call(*(arg.format(run=run, folder=tmp_path) for arg in args), stdin="")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: {message.format(folder=tmp_path)}\n"


def test_a_file_is_a_picture_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.touch()
    assert list(Pictures([str(path)], [])) == [(str(path), path)]
