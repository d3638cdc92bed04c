"""Pages that need nothing beside them and ask no other host for anything, in one frame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curation.core.files import write_text
from curation.core.fingerprint import versions

FRAME = Path(__file__).with_name("templates")


def write_page(template: Path, content: Mapping[str, Any], out: Path) -> None:
    """Fill the Jinja ``template``, which extends ``frame.html``, and write it to ``out``.

    Beside ``content`` it knows ``version``, that of glyphmix. Every value is escaped. The folders of ``out``
    are made.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([template.parent, FRAME]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    version = versions(("glyphmix",)).get("glyphmix", "from source")
    page = environment.get_template(template.name).render({"version": version, **content})
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, page)
