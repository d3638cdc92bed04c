"""Ways in which letters go onto their ground. To add one: write one file here; a test checks it unasked."""

import sys

from curation.core.registry import import_all
from synthgen.blends.base import Blend, blends

import_all(sys.modules[__name__])

__all__ = ["Blend", "blends"]
