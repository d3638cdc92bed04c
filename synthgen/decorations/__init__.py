"""Decorations of letters. To add one: write one file here; a test over all of them checks it unasked."""

import sys

from curation.core.registry import import_all
from synthgen.decorations.base import Decoration, decorations

import_all(sys.modules[__name__])

__all__ = ["Decoration", "decorations"]
