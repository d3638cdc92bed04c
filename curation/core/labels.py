"""Label normalisation: what counts as the same word, by named protocol."""

from __future__ import annotations

import functools
import string
import unicodedata
from dataclasses import dataclass, replace

from curation.core.errors import unknown_name

CHARSET_36 = string.digits + string.ascii_lowercase
CHARSET_62 = string.digits + string.ascii_letters
CHARSET_94 = string.digits + string.ascii_letters + string.punctuation


@dataclass(frozen=True, kw_only=True, slots=True)
class Protocol:
    """One way to compare a prediction with a label.

    Steps run in the order of the fields; ``normalise`` returns the reason when a label falls out.

    Attributes:
        name: What a recipe or an option calls it.
        remove_whitespace: Delete all white space.
        nfkd_ascii: Decompose (NFKD) and delete what is not ASCII: ``naive`` for ``naïve``.
        nfc: Compose (NFC): an ``é`` of one code point and one of two are the same. Accents stay.
        max_length: Longest label that counts, in characters, measured here: before the charset is
            applied, as PARSeq does. None for no limit.
        lowercase: Fold to lower case.
        charset: The characters that count. None for all.
        strip_unsupported: Delete characters outside ``charset`` and keep the word (PARSeq); if
            False, a label that has one is dropped (DTRB).
        strip_predictions: Delete them from predictions too; if False, a prediction that has one is
            wrong, for no label that counts has any.
        source: Whose rule this is.
    """

    name: str
    remove_whitespace: bool = False
    nfkd_ascii: bool = False
    nfc: bool = False
    max_length: int | None = None
    lowercase: bool = False
    charset: str | None = None
    strip_unsupported: bool = True
    strip_predictions: bool = True
    source: str = ""

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
        text = text.lower() if self.lowercase else text
        return self._strip(text) if self.strip_predictions else text

    def describe(self) -> list[str]:
        """Every step in the order in which it is taken, then the rules for predictions and for 1-NED."""
        steps = [
            "white space: " + ("deleted" if self.remove_whitespace else "kept"),
            "unicode: " + self._unicode(),
            "length: " + (self._length() if self.max_length is not None else "any"),
            "case: " + ("folded to lower case" if self.lowercase else "kept"),
            "characters: " + self._charset(),
            "a label that is empty now is dropped (empty); no label is replaced by another",
        ]
        kept = ", and characters outside the set stay, so that it is wrong" if self._keeps_strange else ""
        steps += [
            f"prediction: the same steps, but it is never dropped nor cut short{kept}",
            "1-NED: the mean of 1 - edit distance / length of the longer of prediction and label; "
            "an empty prediction scores 0",
        ]
        return steps

    @property
    def _keeps_strange(self) -> bool:
        return self.charset is not None and not self.strip_predictions

    def _unicode(self) -> str:
        if self.nfkd_ascii:
            return "decomposed (NFKD), then what is not ASCII is deleted"
        return "composed (NFC), accents kept" if self.nfc else "as it is"

    def _length(self) -> str:
        return f"more than {self.max_length} characters at this point: dropped (too_long)"

    def _charset(self) -> str:
        if self.charset is None:
            return "all count"
        dropped = "a label with others is dropped (unsupported_character)"
        does = "others are deleted" if self.strip_unsupported else dropped
        return f"{len(self.charset)} count, {does}: {self.charset}"

    def _fold(self, text: str) -> str:
        if self.remove_whitespace:
            text = "".join(text.split())
        if self.nfkd_ascii and not text.isascii():
            text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
        return unicodedata.normalize("NFC", text) if self.nfc else text

    def _strip(self, text: str) -> str:
        if self.charset is None:
            return text
        keep = _characters(self.charset)
        return text if keep.issuperset(text) else "".join(c for c in text if c in keep)


@functools.cache
def _characters(charset: str) -> frozenset[str]:
    return frozenset(charset)


# Sources: baudm/parseq strhub/data/{dataset,utils}.py at 1902db0; clovaai DTRB dataset.py.
_PARSEQ_94 = Protocol(
    name="parseq94",
    remove_whitespace=True,
    nfkd_ascii=True,
    max_length=25,
    charset=CHARSET_94,
    source="PARSeq, test.py --cased --punctuation",
)
PROTOCOLS = {
    p.name: p
    for p in (
        replace(
            _PARSEQ_94,
            name="parseq36",
            lowercase=True,
            charset=CHARSET_36,
            source="PARSeq (strhub/data/dataset.py, strhub/data/utils.py), test.py without options",
        ),
        replace(_PARSEQ_94, name="parseq62", charset=CHARSET_62, source="PARSeq, test.py --cased"),
        _PARSEQ_94,
        Protocol(
            name="dtrb36",
            max_length=25,
            lowercase=True,
            charset=CHARSET_36,
            strip_unsupported=False,
            source="deep-text-recognition-benchmark (dataset.py, test.py)",
        ),
        Protocol(
            name="exact94",
            charset=CHARSET_94,
            strip_unsupported=False,
            strip_predictions=False,
            source="glyphmix: case and signs count",
        ),
        Protocol(
            name="unicode",
            remove_whitespace=True,
            nfc=True,
            source="glyphmix: any script, case and accents count",
        ),
        Protocol(name="exact", source="glyphmix: character by character"),
    )
}


def protocol(name: str, *, where: str = "") -> Protocol:
    """Look a protocol up by name; ``where`` is the recipe position to name in the error."""
    try:
        return PROTOCOLS[name]
    except KeyError:
        raise unknown_name("protocol", name, PROTOCOLS, where=where) from None
