"""Can rendered words be read? A reader that is not ours says, with the camera stage off.

    python benchmarks/legibility.py --python VENV/bin/python -o misreads.png
    python benchmarks/legibility.py --reader tesseract

Draws N words of a recipe without its effects, as they are before they are stored, has them read, and prints
the share that is read exactly, whatever the case of letters and the spaces between them. Misreads are listed
with the columns that may explain them, counted by those columns, and drawn on a contact sheet, "label /
reading" below each, for a person to judge who is at fault: readers of print know little of arcs and scripts.

Readers, each in a place of its own (see read_words.py for how they are used):
    rapidocr   python -m venv VENV && VENV/bin/pip install rapidocr-onnxruntime   (the model is in the wheel)
    tesseract  apt-get install tesseract-ocr
Without --reader, rapidocr is taken where --python has it, else tesseract.

Characters that look alike in many fonts are no fault of the drawing: a misread that is a match once O, o and
0 are one character, I, l, 1 and | another, and ` and ' another, is counted as ``ambiguous``, apart from both
the words read and the misread. The last line is ``read <share of all words that were read exactly>``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.core import recipe as recipes
from curation.core.errors import UserError
from curation.core.images import Pixels, encode_png
from curation.core.sheet import contact_sheet, write_png
from synthgen.colour_space import LUMA
from synthgen.engines import engines
from synthgen.materials import RECIPES
from synthgen.render import draw

READER = Path(__file__).with_name("read_words.py")
LOOK_ALIKES = str.maketrans({"O": "0", "o": "0", "I": "1", "l": "1", "|": "1", "`": "'"})
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A drawn word and what was read.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        row: Its plan.
        label: What stands there.
        reading: What the reader says.
        confidence: How sure it is, 0 to 1.
    """

    image: Pixels
    row: Row
    label: str
    reading: str
    confidence: float

    @property
    def verdict(self) -> str:
        """``read``, ``ambiguous`` or ``misread``."""
        label, reading = ("".join(text.split()) for text in (self.label, self.reading))
        if label.casefold() == reading.casefold():
            return "read"
        alike = label.translate(LOOK_ALIKES).casefold() == reading.translate(LOOK_ALIKES).casefold()
        return "ambiguous" if alike else "misread"


def main() -> None:
    """Draw, have read, print the tables and the share."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", nargs="?", default="mjst_plus", help="name or path (default mjst_plus)")
    parser.add_argument("-n", type=int, default=500, help="words (default 500)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", choices=("rapidocr", "tesseract"), help="default: the best that is there")
    parser.add_argument(
        "--python", default=sys.executable, help="the interpreter that has rapidocr-onnxruntime"
    )
    parser.add_argument("-o", "--out", type=Path, help="contact sheet of misreads, PNG")
    options = parser.parse_args()
    reader = options.reader or installed(options.python)
    if reader is None:
        parser.error("no reader is installed; --help says how to install one")
    words = measure(options.recipe, options.n, options.seed, [options.python, str(READER), reader])
    verdicts = Counter(word.verdict for word in words)
    print(f"{options.recipe}, {len(words)} words without effects, read by {reader}")
    print_misreads(words)
    print_causes(words)
    print(", ".join(f"{verdicts[v]} {v}" for v in ("read", "ambiguous", "misread")))
    if options.out:
        wrong = [word for word in words if word.verdict != "read"]
        captions = [f"{word.label} / {word.reading}" for word in wrong]
        write_png(contact_sheet([word.image for word in wrong], captions, columns=6), options.out)
    print(f"read {verdicts['read'] / len(words):.4f}")


def installed(python: str) -> str | None:
    """The best reader that can be started."""
    probe = [python, "-c", "import rapidocr_onnxruntime"]
    if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
        return "rapidocr"
    return "tesseract" if shutil.which("tesseract") else None


def measure(recipe: str, n: int, seed: int, reader: Sequence[str]) -> list[Word]:
    """Draw the first ``n`` words of ``recipe`` and have them read by the command ``reader``.

    Raises:
        UserError: the recipe cannot be used.
    """
    path = recipes.find(recipe, RECIPES)
    table = recipes.read(path)
    table.pop("effects", None)
    engine = recipes.build(engines.get(str(table.pop("engine"))), table, where=path.name)
    engine.check()
    tries = (draw(engine, seed, index)[:2] for index in range(n))
    drawn = [(word.image, row, word.label) for word, row in tries if word is not None]
    if not drawn:
        raise UserError(f"not one word of recipe {path.stem} can be drawn. Mend the recipe.")
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{i}.png" for i in range(len(drawn))]
        for file, (image, _, _) in zip(paths, drawn, strict=True):
            file.write_bytes(encode_png(image))
        listed = "\n".join(map(str, paths))
        done = subprocess.run(reader, input=listed, stdout=subprocess.PIPE, text=True, check=True)
    readings = map(json.loads, done.stdout.splitlines())
    return [
        Word(image=image, row=row, label=label, reading=said["text"], confidence=said["confidence"])
        for (image, row, label), said in zip(drawn, readings, strict=True)
    ]


def print_misreads(words: Sequence[Word]) -> None:
    """One line for each word that was not read, with what may explain it."""
    print(f"{'label':<20}{'reading':<20}{'sure':>5}  {'contrast':>8}  {'layout':<10}{'outline':<8} font")
    for word in words:
        if word.verdict != "read":
            mark = " (ambiguous)" if word.verdict == "ambiguous" else ""
            row = word.row
            print(
                f"{word.label:<20}{word.reading:<20}{word.confidence:>5.2f}  {contrast(row):>8.0f}  "
                f"{row['layout']:<10}{'yes' if row['outline'] else 'no':<8} {row['font']}{mark}"
            )


CAUSES: dict[str, Callable[[Word], str]] = {
    "layout": lambda word: str(word.row["layout"]),
    "length": lambda word: next(
        name for most, name in ((2, "1-2"), (5, "3-5"), (9, "6-9"), (999, "10+")) if len(word.label) <= most
    ),
    "contrast": lambda word: next(
        name
        for most, name in ((60, "below 60"), (120, "60-120"), (999, "above 120"))
        if contrast(word.row) <= most
    ),
    "outline": lambda word: "yes" if word.row["outline"] else "no",
    "case": lambda word: "capitals" if word.label.isupper() else "other",
    "background": lambda word: str(word.row["background"]),
    "font": lambda word: str(word.row["font"]),
}


def print_causes(words: Sequence[Word]) -> None:
    """Misreads, ambiguous ones left out, by what may have caused them; of fonts, those with any."""
    for cause, of in CAUSES.items():
        total = Counter(of(word) for word in words)
        wrong = Counter(of(word) for word in words if word.verdict == "misread")
        named = [name for name, _ in wrong.most_common()] if cause == "font" else sorted(total)
        counts = ", ".join(f"{name} {wrong[name]}/{total[name]}" for name in named)
        print(f"misread by {cause}: {counts or 'none'}")


def contrast(row: Row) -> float:
    """Planned difference in luma between letters and ground, in grey levels."""
    text, ground = (
        sum(weight * row[f"{name}_{channel}"] for weight, channel in zip(LUMA, "rgb", strict=True))
        for name in ("text", "background")
    )
    return abs(float(text - ground))


if __name__ == "__main__":
    main()
