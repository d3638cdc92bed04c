"""Rebuild the licence texts in `fonts/licences/` from the packages that carry them.

python benchmarks/make_materials/make_font_licences.py --cache CACHE --out fonts/licences
"""

from __future__ import annotations

from pathlib import Path

from packages import fetch, folders

PUBLIC_DOMAIN = """These fonts were placed in the public domain. Quoted from the packages' copyright files.

OCRA-Regular.ttf (John Sauter; Debian package fonts-ocr-a)
    Public Domain.

OCRB-Regular.otf (Matthew Skala; Debian package fonts-ocr-b)
    This file is released to the public domain by its author, Matthew Skala.
    Files by Norbert Schwarz: You may freely use, modify and/or distribute this file, without limitation.

GoudyBookletter1911.otf, Prociono-Regular.otf (Barry Schwartz; fonts-goudybookletter, fonts-prociono)
    This font has been released into the public domain by its author, Barry Schwartz. This applies worldwide.
    In some countries this may not be legally possible; if so: Barry Schwartz grants anyone the right to use
    this work for any purpose, without any conditions, unless such conditions are required by law.

Tuffy-Bold.ttf (Thatcher Ulrich, Karoly Barta, Michael Everson; Debian package fonts-tuffy)
    We, the copyright holders of this work, hereby release it into the public domain. This applies worldwide.
    In case this is not legally possible, we grant any entity the right to use this work for any purpose,
    without any conditions, unless such conditions are required by law.
"""


def after(text: str, start: str) -> str:
    """Return `text` from the first line that begins with `start`, ignoring indentation."""
    lines = text.splitlines()
    first = next(k for k, line in enumerate(lines) if line.strip().startswith(start))
    return "\n".join(line.rstrip() for line in lines[first:]).rstrip() + "\n"


def undebian(text: str) -> str:
    """Take the MIT text out of a machine-readable Debian copyright file."""
    lines = after(text, "Permission is hereby granted").splitlines()
    stop = next((k for k, line in enumerate(lines) if line.startswith("Files:")), len(lines))
    return "\n".join("" if line.strip() == "." else line.strip() for line in lines[:stop]).rstrip() + "\n"


def build(cache: Path, out: Path) -> None:
    """Write one text per licence that LICENSES.md names."""
    out.mkdir(parents=True, exist_ok=True)
    ofl = fetch("npm", "@fontsource/anton", cache).member("LICENSE").read_text(encoding="utf-8")
    apache = fetch("npm", "@fontsource/permanent-marker", cache).member("LICENSE").read_text(encoding="utf-8")
    base_files = fetch("deb", "base-files", cache)
    cc0 = base_files.member("usr/share/common-licenses/CC0-1.0").read_text(encoding="utf-8")
    roadgeek = fetch("deb", "fonts-roadgeek", cache).member("usr/share/doc/fonts-roadgeek/copyright")
    mit = undebian(roadgeek.read_text(encoding="utf-8"))
    texts = {
        "OFL-1.1.txt": "Copyright lines: see COPYRIGHT.md.\n\n" + after(ofl, "This Font Software is"),
        "Apache-2.0.txt": after(apache, "Apache License"),
        "CC0-1.0.txt": cc0,
        "MIT.txt": "Roadgeek 2014: Copyright 2014-2015 Sammi De Guzman\n\n" + mit,
        "LicenseRef-public-domain.txt": PUBLIC_DOMAIN,
    }
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
    print(f"{len(texts)} licence texts")


if __name__ == "__main__":
    build(*folders(__doc__, "fonts/licences"))
