"""A recipe that draws a thousand words a second, for tests of everything but what it draws."""

from __future__ import annotations

import string
from pathlib import Path

from font_factory import make_font

RECIPE = """
engine = "native"
charset = "{charset}"
fonts = "{fonts}"
framing = {{ height_px = [16, 20] }}

[[words]]
share = 1.0
casing = {{ lower = 0.5, upper = 0.5 }}
source = {{ kind = "word_list", file = "{words}" }}

[[backgrounds]]
share = 0.5
background = {{ kind = "texture" }}

[[backgrounds]]
share = 0.5
background = {{ kind = "plain" }}

[[effects]]
share = 0.5
effect = {{ kind = "noise" }}
"""


def write_recipe(folder: Path) -> Path:
    """Write ``small.toml`` with its font and words into ``folder``."""
    make_font(folder / "fonts" / "a.ttf", string.ascii_letters)
    (folder / "words.txt").write_text("alpha\nbeta\ngamma\ndelta\n", encoding="utf-8")
    path = folder / "small.toml"
    path.write_text(
        RECIPE.format(charset=string.ascii_letters, fonts=folder / "fonts", words=folder / "words.txt"),
        encoding="utf-8",
    )
    return path
