from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from curation.core.recipe import build
from synthgen.engines import UnfitError, engines
from synthgen.engines.trdg import Trdg
from synthgen.materials import FONTS, PHOTOS, RECIPES

ROOT = Path(__file__).parents[1]


def rows(engine: Trdg, n: int) -> list[dict[str, Any]]:
    columns = engine.plan(0, 0)
    return [{name: column[i] for name, column in columns.items()} for i in range(n)]


@pytest.mark.parametrize("name", ["trdg_release", "trdg_standin"])
def test_shipped_recipes_draw_with_shipped_materials(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # found from anywhere, not only from the repository
    engine = shipped(name)
    engine.check()
    results = [outcome(engine, row) for row in rows(engine, 60)]
    assert set(results) <= {"drawn", "low_contrast"}
    assert results.count("drawn") > 30


def shipped(name: str) -> Trdg:
    table = tomllib.loads((RECIPES / f"{name}.toml").read_text(encoding="utf-8"))
    return build(engines.get(table.pop("engine")), table, where=f"{name}.toml")


def outcome(engine: Trdg, row: dict[str, Any]) -> str:
    try:
        assert engine.draw(row).label == row["text"]
    except UnfitError as reason:
        return str(reason)
    return "drawn"


def test_the_standin_shares_no_font_family_with_the_shipped_fonts() -> None:
    engine = shipped("trdg_standin")
    used = set(engine.plan(0, 0)["font"]) | set(engine.plan(0, 1)["font"])
    ours = {family(path.name) for path in FONTS.iterdir() if path.is_file()}
    assert len({family(name) for name in used}) >= 6
    assert not {family(name) for name in used} & ours


def family(file: str) -> str:
    return re.split("[-_.]", file)[0].lower()


def test_the_engine_costs_nothing_until_it_is_used() -> None:
    program = (
        "import sys, synthgen.engines\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'trdg', 'PIL', 'wikipedia', 'requests'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("content", ["no picture", "cut"])
def test_a_broken_photo_is_a_reason_and_no_end(content: str, tmp_path: Path) -> None:
    whole = (PHOTOS / "cat.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2] if content == "cut" else content.encode())
    words = [{"share": 1, "source": {"kind": "word_list", "file": "names.txt"}}]
    table = {"words": words, "photos": str(tmp_path), "background": {"photo": 1}}
    engine = build(Trdg, table, where="r.toml")
    row = {name: column[0] for name, column in engine.plan(0, 0).items()}
    with pytest.raises(UnfitError, match=r"^broken_photo$"):
        engine.draw(row)
