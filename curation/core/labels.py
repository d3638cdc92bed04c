"""Label normalisation: what counts as the same word, by named protocol."""

from __future__ import annotations

import functools
import string
import unicodedata
from dataclasses import dataclass

from curation.core.errors import unknown_name

CHARSET_36 = string.digits + string.ascii_lowercase
CHARSET_94 = string.digits + string.ascii_letters + string.punctuation


@dataclass(frozen=True, kw_only=True, slots=True)
class Protocol:
    """One way to compare a prediction with a label.

    Steps run in the order of the fields; ``normalise`` returns the reason when a label falls out.

    Attributes:
        name: What a recipe or an option calls it.
        remove_whitespace: Delete all white space.
        nfkd_ascii: Decompose (NFKD) and delete what is not ASCII: ``naive`` for ``naïve``.
        max_length: Longest label that counts, in characters, measured here: before the charset is
            applied, as PARSeq does. None for no limit.
        lowercase: Fold to lower case.
        charset: The characters that count. None for all.
        strip_unsupported: Delete characters outside ``charset`` and keep the word (PARSeq); if
            False, a label that has one is dropped (DTRB).
    """

    name: str
    remove_whitespace: bool = False
    nfkd_ascii: bool = False
    max_length: int | None = None
    lowercase: bool = False
    charset: str | None = None
    strip_unsupported: bool = True

    def normalise(self, label: str) -> tuple[str, str | None]:
        """Return the label as compared, and None or the reason why it takes no part.

        Reasons: ``too_long``, ``unsupported_character``, ``empty``.
        """
        text = self._fold(label)
        if self.max_length is not None and len(text) > self.max_length:
            return text, "too_long"
        text = text.lower() if self.lowercase else text
        if (
            self.charset is not None
            and not self.strip_unsupported
            and not _characters(self.charset).issuperset(text)
        ):
            return text, "unsupported_character"
        text = self._strip(text)
        return text, None if text else "empty"

    def normalise_prediction(self, prediction: str) -> str:
        """Apply the same steps to a prediction, which is never dropped and never cut short."""
        text = self._fold(prediction)
        return self._strip(text.lower() if self.lowercase else text)

    def _fold(self, text: str) -> str:
        if self.remove_whitespace:
            text = "".join(text.split())
        if self.nfkd_ascii and not text.isascii():
            text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
        return text

    def _strip(self, text: str) -> str:
        if self.charset is None:
            return text
        keep = _characters(self.charset)
        return text if keep.issuperset(text) else "".join(c for c in text if c in keep)


@functools.cache
def _characters(charset: str) -> frozenset[str]:
    return frozenset(charset)


# Sources: baudm/parseq strhub/data/{dataset,utils}.py at 1902db0; clovaai DTRB dataset.py.
PROTOCOLS = {
    p.name: p
    for p in (
        Protocol(
            name="parseq36",
            remove_whitespace=True,
            nfkd_ascii=True,
            max_length=25,
            lowercase=True,
            charset=CHARSET_36,
        ),
        Protocol(name="parseq94", remove_whitespace=True, nfkd_ascii=True, max_length=25, charset=CHARSET_94),
        Protocol(name="dtrb36", max_length=25, lowercase=True, charset=CHARSET_36, strip_unsupported=False),
        Protocol(name="exact"),
    )
}


def protocol(name: str, *, where: str = "") -> Protocol:
    """Look a protocol up by name; ``where`` is the recipe position to name in the error."""
    try:
        return PROTOCOLS[name]
    except KeyError:
        raise unknown_name("protocol", name, PROTOCOLS, where=where) from None
