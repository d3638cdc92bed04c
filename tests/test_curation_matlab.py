"""Matlab files are checked before SciPy reads them, which a wrong length can make crash."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from curation.core.errors import UserError
from curation.core.rng import stream
from curation.importers import matlab
from curation.importers.annotations import read_mat


def table() -> np.ndarray:
    cells = np.empty((2, 6), object)
    for row in cells:
        row[:] = ["x:", np.array([[1, 2, 3]], np.int16), "y:", np.array([[1.5, 5, 3]]), "abc é", "c"]
    return cells


def records() -> np.ndarray:
    found = np.empty((1, 2), [("ImgName", object), ("chars", object), ("charBB", object)])
    for i in range(2):
        found[0, i] = ("train/1.png", "", np.ones((3, 4), np.float32))
    return found


CONTENTS: dict[str, Any] = {
    "cells": table(),
    "structures": records(),
    "complex": np.array([[1 + 2j, 3]]),
    "empty": np.zeros((0, 0)),
    "text": "日本",
    "small": np.array([[1]], np.uint8),
}


def saved(content: Any, compressed: bool = False) -> bytes:
    file = io.BytesIO()
    savemat(file, {"polygt": content}, do_compression=compressed)
    return file.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", list(CONTENTS))
def test_whole_files_pass(name: str, compressed: bool) -> None:
    matlab.check(saved(CONTENTS[name], compressed))


@pytest.mark.parametrize("compressed", [False, True])
def test_no_file_that_is_cut_short_passes(compressed: bool) -> None:
    whole = saved(table(), compressed)
    for size in range(128 + 1, len(whole)):
        with pytest.raises((ValueError, zlib.error)):
            matlab.check(whole[:size])


@pytest.mark.parametrize("name", ["cells", "structures", "complex"])
def test_damaged_files_are_refused_or_read(name: str, tmp_path: Path) -> None:
    whole, rng, messages = saved(CONTENTS[name]), stream(0, name), []
    path = tmp_path / "gt.mat"
    for _ in range(300):  # unchecked, some of these end the process
        data = bytearray(whole)
        for place in rng.integers(128, len(data), 2):
            data[place] = rng.integers(256)
        path.write_bytes(data)
        try:
            read_mat(path)
        except UserError as error:
            messages.append(str(error))
    assert len(messages) > 150
    assert set(messages) == {f"{path} cannot be read as a Matlab file. Unpack the publisher's archive again."}


def test_variable_that_unpacks_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matlab, "MOST_BYTES", 1000)
    with pytest.raises(ValueError, match=r"^a variable is cut short, or too large$"):
        matlab.check(saved(np.zeros((1, 1000)), compressed=True))


def test_files_of_other_versions_are_refused() -> None:
    whole = bytearray(saved(table()))
    whole[124:126] = struct.pack("<H", 0x0200)  # version 7.3 is HDF5 with this header
    with pytest.raises(ValueError, match=r"^no header of a Matlab 5 file$"):
        matlab.check(bytes(whole))


def test_cells_within_cells_without_end() -> None:
    cell: Any = "a"
    for _ in range(matlab.DEEPEST + 1):
        outer = np.empty((1, 1), object)
        outer[0, 0] = cell
        cell = outer
    with pytest.raises(ValueError, match=r"^something else than a matrix, or too many within each other$"):
        matlab.check(saved(cell))
