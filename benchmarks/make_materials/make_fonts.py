"""Rebuild `fonts/` from the Debian and npm packages that `fonts.tsv` names.

Font data is copied as published; the npm packages hold WOFF2, whose container (not its outlines) is
changed to TrueType. Each file must draw every letter, digit and common mark before it is accepted, or just
those of its cell `characters`: a seven-segment K looks like no K. `classes.tsv` hands class and characters on
to the renderer.

    python benchmarks/make_materials/make_fonts.py --cache CACHE --out fonts
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

from fontTools.ttLib import TTFont
from packages import Package, fetch, folders, sha256
from PIL import Image, ImageDraw, ImageFont

CATALOGUE = Path(__file__).with_name("fonts.tsv")
REQUIRED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,-'!?:/"
MAX_TOTAL_BYTES = 22_000_000
NOT_A_CHARACTER = "\U000f1234"  # private use: draws the font's .notdef box

HEADER = """# Font files and their licences

Every file in this folder is free to use, change and redistribute. None was altered: files from npm were
published as WOFF2 (latin subset) and only their container was changed to TrueType, files from Debian are
copies. The licence texts are in `licences/`, the copyright lines in `licences/COPYRIGHT.md`.
`benchmarks/make_materials/make_fonts.py` rebuilds the folder and this table. A licence is what the source
package says. The three files of Roboto Condensed still name Apache-2.0 in their name tables; their package
gives them under OFL-1.1. The texts of both licences are in `licences/`.

| file | family | class | version | licence | source package | SHA-256 |
|---|---|---|---|---|---|---|
"""

COPYRIGHT_HEADER = """# Copyright lines of the shipped fonts

As each font file or its package states them. Reserved Font Names stay reserved: a changed copy of a font
under the SIL Open Font License needs another name.

| file | licence | copyright |
|---|---|---|
"""


def drawn(font: ImageFont.FreeTypeFont, text: str) -> bytes:
    """Return the pixels of `text` on a fixed canvas."""
    canvas = Image.new("L", (160, 120))
    ImageDraw.Draw(canvas).text((40, 20), text, font=font, fill=255)
    return canvas.tobytes()


def faults(path: Path, required: str) -> list[str]:
    """List what keeps a font from being shipped; empty when it can draw every required character."""
    with TTFont(path, lazy=True) as opened:
        cmap = opened.getBestCmap() or {}
    found = [f"no {c!r} in its cmap" for c in required if ord(c) not in cmap]
    font = ImageFont.truetype(str(path), 40)
    blank, notdef = drawn(font, ""), drawn(font, NOT_A_CHARACTER)
    pixels = {c: drawn(font, c) for c in required}
    found += [f"no ink for {c!r}" for c in required if pixels[c] == blank]
    found += [f"box for {c!r}" for c in required if notdef != blank and pixels[c] == notdef]
    digits = [pixels[c] for c in "0123456789"]
    if len(set(digits)) < len(digits):
        found.append("two digits look the same")
    return found


def place(source: Path, target: Path) -> None:
    """Copy a font file, changing only its container when it is WOFF2."""
    if source.suffix != ".woff2":
        shutil.copyfile(source, target)
        return
    with TTFont(source, recalcTimestamp=False) as font:
        font.flavor = None
        font.save(target, reorderTables=None)


def one_line(text: str) -> str:
    """Make text safe for a table cell."""
    return " ".join(text.replace("|", "/").split())


def describe(row: dict[str, str], package: Package, path: Path) -> tuple[str, str]:
    """Return a font's row in LICENSES.md and its row in COPYRIGHT.md."""
    with TTFont(path, lazy=True) as font:
        names = font["name"]
    family = one_line(names.getDebugName(16) or names.getDebugName(1) or path.stem)
    version = one_line((names.getDebugName(5) or "unknown").split(";")[0].removeprefix("Version "))[:24]
    copyright_line = row["copyright"] or one_line(names.getDebugName(0) or "")
    if not copyright_line:
        raise ValueError(f"{path.name}: no copyright line in the font; add one to {CATALOGUE.name}")
    source = f"{package.kind}:{package.name} {package.version}"
    cells = (path.name, family, row["class"], version, row["licence"], source, sha256(path))
    return f"| {' | '.join(cells)} |\n", f"| {path.name} | {row['licence']} | {copyright_line[:400]} |\n"


def build(cache: Path, out: Path) -> None:
    """Write every catalogued font and the two tables; raise on the first font that cannot be shipped."""
    out.mkdir(parents=True, exist_ok=True)
    for old in [*out.glob("*.ttf"), *out.glob("*.otf")]:
        old.unlink()
    with CATALOGUE.open(encoding="utf-8", newline="") as lines:
        rows = sorted(csv.DictReader(lines, delimiter="\t"), key=lambda row: row["file"])
    licence_rows, copyright_rows, problems = [], [], []
    for row in rows:
        package = fetch(row["kind"], row["package"], cache)
        target = out / row["file"]
        place(package.member(row["member"]), target)
        required = row["characters"] or REQUIRED
        problems += [f"{row['file']}: {fault}" for fault in faults(target, required)]
        licence_row, copyright_row = describe(row, package, target)
        licence_rows.append(licence_row)
        copyright_rows.append(copyright_row)
    if problems:
        raise ValueError("fonts that cannot be shipped:\n" + "\n".join(problems))
    total = sum((out / row["file"]).stat().st_size for row in rows)
    if total > MAX_TOTAL_BYTES:
        raise ValueError(f"fonts take {total} bytes, more than {MAX_TOTAL_BYTES}")
    (out / "LICENSES.md").write_text(HEADER + "".join(licence_rows), encoding="utf-8")
    cells = ("file", "class", "characters", "licence")
    classes = ["\t".join(cells) + "\n", *("\t".join(row[c] for c in cells) + "\n" for row in rows)]
    (out / "classes.tsv").write_text("".join(classes), encoding="utf-8")
    (out / "licences").mkdir(exist_ok=True)
    copyrights = COPYRIGHT_HEADER + "".join(copyright_rows)
    (out / "licences" / "COPYRIGHT.md").write_text(copyrights, encoding="utf-8")
    print(f"{len(rows)} fonts, {total / 1e6:.1f} MB")


if __name__ == "__main__":
    build(*folders(__doc__, "fonts"))
