"""Files are whole or absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.core.errors import UserError
from curation.core.files import read_json, refuse_existing, whole, whole_folder, write_json, write_text


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_half(path: Path, error: BaseException) -> None:
    with whole(path) as draft:
        draft.write_text("half")
        raise error


def test_an_exception_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_half(tmp_path / "a.txt", KeyboardInterrupt())
    assert names(tmp_path) == []


def test_an_exception_leaves_what_was_there(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "before")
    with pytest.raises(ZeroDivisionError):
        write_half(tmp_path / "a.txt", ZeroDivisionError())
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "before"


def test_nothing_is_seen_before_it_is_whole(tmp_path: Path) -> None:
    with whole(tmp_path / "a.txt") as draft:
        draft.write_text("all")
        assert not (tmp_path / "a.txt").exists()
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "all"


def test_a_file_that_cannot_be_made_is_called_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError) as caught:
        write_text(tmp_path / "file" / "a.txt", "all")
    assert caught.value.filename == str(tmp_path / "file" / "a.txt")


def fill(out: Path, error: BaseException | None = None) -> None:
    with whole_folder(out) as draft:
        (draft / "a.txt").write_text("all")
        assert not out.exists()
        if error is not None:
            raise error


def test_a_folder_is_whole_or_absent(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path / "out", KeyboardInterrupt())
    assert names(tmp_path) == []
    (tmp_path / ".out.tmp").mkdir()
    (tmp_path / ".out.tmp" / "left by a killed run").touch()
    fill(tmp_path / "out")
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["a.txt"]
    fill(tmp_path / "deep" / "er" / "out")
    assert names(tmp_path / "deep" / "er") == ["out"]


def test_a_folder_that_cannot_be_made_is_called_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError) as caught:
        fill(tmp_path / "file" / "out")
    assert caught.value.filename == str(tmp_path / "file" / "out")


def test_json_is_the_same_for_equal_values(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": [1, None], "a": "naïve"})
    write_json(tmp_path / "b.json", {"a": "naïve", "b": [1, None]})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == (
        '{\n  "a": "naïve",\n  "b": [\n    1,\n    null\n  ]\n}\n'
    )
    assert read_json(tmp_path / "a.json") == {"a": "naïve", "b": [1, None]}


def test_damaged_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": ')
    with pytest.raises(UserError) as caught:
        read_json(tmp_path / "a.json")
    assert str(caught.value) == (
        f"{tmp_path / 'a.json'} is damaged: Expecting value: line 1 column 7 (char 6). "
        f"Make the folder {tmp_path} anew."
    )


@pytest.mark.parametrize("kind", ["file", "folder", "dangling link"])
def test_existing_output_is_refused(kind: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    {"file": out.touch, "folder": out.mkdir, "dangling link": lambda: out.symlink_to("gone")}[kind]()
    with pytest.raises(UserError) as caught:
        refuse_existing(out)
    assert str(caught.value) == f"output {out} exists already. Remove it or give another name with -o."


def test_absent_output_is_fine(tmp_path: Path) -> None:
    refuse_existing(tmp_path / "out")
