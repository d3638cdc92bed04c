"""Rebuild the word lists in `corpora/` and its SOURCES.md.

`signs.txt`, `sign_phrases.txt` and `templates.txt` were written by hand for this project and are edited in
place: this script only brings the first two into order. The other lists come from SCOWL, tzdata and wordfreq.

    python benchmarks/make_materials/make_corpora.py --cache CACHE --out corpora
"""

from __future__ import annotations

import hashlib
import re
import string
from codecs import decode
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import wordfreq
from packages import Package, fetch, folders, sha256
from standin_numbers import number_strings

N_FREQUENT = 60_000
N_STANDIN_PER_LEVEL = 1_800
DICTIONARY_LEVELS = (10, 20, 35, 40, 50, 55, 60, 70)
STANDIN_LEVELS = (20, 35)  # SCOWL 20 and 35: ordinary words, below the few thousand commonest
NAME_LISTS = (
    *(f"english-proper-names.{level}" for level in (35, 40, 50, 60, 70)),
    *(f"english-upper.{level}" for level in (10, 35, 40, 50)),
    *("american-proper-names.50", "american-upper.50"),
)
# Stems of slurs and crude words, ROT13: what a sign would not carry, and nobody wants in a demo.
UNWANTED = re.compile(
    decode(
        ".*shpx|.*fuvg|phag|avttre|avttn|snttbg|snttl|jub?erf?$|fyhg|ovgpu|gjng|jnax|qvyqb|cbea|encvfg|encr[qf]?$|"
        "chffl$|intvan$|cravf$|snt$|sntf$|"
        "xvxrf?$|fcvpf?$|puvaxf?$|gnegf?$|cvff|nffubyr|onfgneq|pbpxfhpx|gvgf$|gvggvrf|obbof?$|erg(ne)+qf?$|qlxrf?$|"
        "unaqwbo|oybjwbo|phzf?$|wvmm|pyvg|qbhpur|ubzbf?$|genaavrf?$|anmvf?$|uvgyre|xxx$|zbyrfg|crqbcu|onat.?oebf",
        "rot13",
    )
)


@dataclass(frozen=True, kw_only=True)
class Made:
    """What SOURCES.md says about one file."""

    name: str
    what: str
    source: str
    licence: str


def printable_word(word: str) -> bool:
    """Tell whether a lower-case word can stand on a sign: ASCII letters, inner apostrophes, no slur."""
    return bool(re.fullmatch(r"[a-z]+('[a-z]+)*", word)) and not UNWANTED.match(word)


def scowl(package: Package, names: Iterable[str]) -> set[str]:
    """Read SCOWL lists by file name, leaving out possessives; lists that do not exist count as empty."""
    words: set[str] = set()
    for name in names:
        path = package.folder / "usr/share/dict/scowl" / name
        if path.is_file():
            words.update(path.read_text(encoding="latin-1").split("\n"))
    return {word for word in words if word and not word.endswith("'s")}


def proper_names(words: Package, zones: Package) -> list[str]:
    """Return capitalised names of people and places: SCOWL's, and the cities of the time zone table."""
    names = scowl(words, NAME_LISTS)
    for line in zones.member("usr/share/zoneinfo/zone1970.tab").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            names.update(line.split("\t")[2].split("/")[-1].split("_"))
    kept = (name for name in names if re.fullmatch(r"[A-Z][A-Za-z'-]*[a-z]", name) and len(name) > 2)
    return sorted(name for name in kept if not UNWANTED.match(name.lower()))


def english_words(held_out: set[str]) -> list[str]:
    """Return the words that wordfreq counts in English texts, names and loans included, commonest first."""
    words = wordfreq.top_n_list("en", 10 * N_FREQUENT, wordlist="large")
    return [w for w in words if printable_word(w) and w not in held_out and (len(w) > 1 or w in "ai")]


def with_frequency(words: Iterable[str]) -> list[str]:
    """Return `word TAB frequency` lines."""
    return [f"{w}\t{wordfreq.word_frequency(w, 'en', wordlist='large'):.3g}" for w in words]


def held_out_words(words: Package, used: set[str]) -> list[str]:
    """Choose ordinary words that no shipped list will hold, the same ones each time (order of a hash)."""
    chosen: list[str] = []
    for level in STANDIN_LEVELS:
        found = scowl(words, [f"{variety}-words.{level}" for variety in ("english", "american")])
        fit = (
            {w for w in found if printable_word(w) and w.isalpha() and 2 <= len(w) <= 12} - used - set(chosen)
        )
        chosen += sorted(fit, key=lambda w: hashlib.sha256(w.encode()).digest())[:N_STANDIN_PER_LEVEL]
    return sorted(chosen)


def read_lines(path: Path) -> list[str]:
    """Return a file's lines without the empty ones."""
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write one entry a line, refusing anything but printable ASCII."""
    lines = list(lines)
    allowed = set(string.printable) - set("\r\n\v\f")
    foreign = [line for line in lines if not set(line) <= allowed]
    if foreign:
        raise ValueError(f"{path.name}: not printable ASCII: {foreign[:5]}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def sources_table(out: Path, made: list[Made]) -> str:
    """Write the table of SOURCES.md."""
    rows = ["| file | entries | what | source | licence | SHA-256 |", "|---|---|---|---|---|---|"]
    for item in made:
        lines = [line for line in read_lines(out / item.name) if not line.startswith("#")]
        cells = (item.name, f"{len(lines):,}", item.what, item.source, item.licence, sha256(out / item.name))
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def catalogue(words: Package, zones: Package) -> list[Made]:
    """Describe every file for SOURCES.md."""
    scowl_source = f"deb:{words.name} {words.version}"
    ours = {"source": "written for this project", "licence": "Apache-2.0"}
    return [
        Made(
            name="words_en.tsv",
            what="commonest English words, lower case, word TAB frequency, commonest first",
            source=f"pypi:wordfreq {version('wordfreq')} (`large` list)",
            licence="CC-BY-SA-4.0",
        ),
        Made(
            name="words_en_rare.txt",
            what="the rarer ones after these: brands, surnames, places, loans, misspellings; commonest first",
            source=f"pypi:wordfreq {version('wordfreq')} (`large` list)",
            licence="CC-BY-SA-4.0",
        ),
        Made(
            name="dictionary_en.txt",
            what="English words, lower case, sorted; levels 10-70, American and British, up to 12 letters",
            source=scowl_source,
            licence="LicenseRef-SCOWL",
        ),
        Made(
            name="names.txt",
            what="first names, surnames, places, peoples, capitalised, sorted",
            source=f"{scowl_source}; deb:{zones.name} {zones.version} (public domain)",
            licence="LicenseRef-SCOWL",
        ),
        Made(name="signs.txt", what="words on signs, shops, packaging, screens; capitals, sorted", **ours),
        Made(name="sign_phrases.txt", what="the same in several words; capitals, sorted", **ours),
        Made(name="templates.txt", what="weight TAB pattern; the header explains the patterns", **ours),
        Made(
            name="standin_words.txt",
            what="words (SCOWL levels 20 and 35), then number strings, held out of every other list",
            source=f"{scowl_source}; number strings made by `standin_numbers.py`",
            licence="LicenseRef-SCOWL",
        ),
    ]


def build(cache: Path, out: Path) -> None:
    """Write every list, its licence texts and SOURCES.md."""
    words, zones = fetch("deb", "scowl", cache), fetch("deb", "tzdata", cache)
    signs = sorted({line.upper() for line in read_lines(out / "signs.txt")})
    phrases = sorted({line.upper() for line in read_lines(out / "sign_phrases.txt")})
    names = proper_names(words, zones)
    used = {name.lower() for name in names} | {sign.lower() for sign in signs}
    used |= {part.lower() for phrase in phrases for part in phrase.split()}
    held_out = held_out_words(words, used)
    held = set(held_out)
    lists = [f"{v}-words.{n}" for v in ("english", "american", "british") for n in DICTIONARY_LEVELS]
    dictionary = {w for w in scowl(words, lists) if printable_word(w) and 2 <= len(w) <= 12} - held
    write_lines(out / "signs.txt", signs)
    write_lines(out / "sign_phrases.txt", phrases)
    write_lines(out / "names.txt", names)
    write_lines(out / "dictionary_en.txt", sorted(dictionary))
    english = english_words(held)
    write_lines(out / "words_en.tsv", with_frequency(english[:N_FREQUENT]))
    write_lines(out / "words_en_rare.txt", (w for w in english[N_FREQUENT:] if not w.endswith("'s")))
    write_lines(out / "standin_words.txt", [*held_out, *number_strings()])
    head = (Path(__file__).with_name("corpora_sources_head.md")).read_text(encoding="utf-8")
    (out / "SOURCES.md").write_text(head + sources_table(out, catalogue(words, zones)), encoding="utf-8")
    (out / "licences").mkdir(exist_ok=True)
    notice = words.member("usr/share/doc/scowl/copyright").read_text(encoding="utf-8", errors="replace")
    (out / "licences" / "LicenseRef-SCOWL.txt").write_text(notice, encoding="utf-8")


if __name__ == "__main__":
    build(*folders(__doc__, "corpora"))
