"""Sources of words. To add one: write one file here; a test over all of them checks it unasked."""

import sys

from curation.core.registry import import_all
from synthgen.words.base import Limits, WordSource, word_sources

import_all(sys.modules[__name__])

__all__ = ["Limits", "WordSource", "word_sources"]
