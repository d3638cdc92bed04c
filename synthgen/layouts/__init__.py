"""Layouts of a word. To add one: write one file here; a test over all of them checks it unasked."""

import sys

from curation.core.registry import import_all
from synthgen.layouts.base import Layout, layouts

import_all(sys.modules[__name__])

__all__ = ["Layout", "layouts"]
