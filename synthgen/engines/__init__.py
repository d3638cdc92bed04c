"""Rendering engines. To add one: write one file here."""

import sys

from curation.core.registry import import_all
from synthgen.engines.base import BLOCK, Drawn, Engine, UnfitError, engines

import_all(sys.modules[__name__])

__all__ = ["BLOCK", "Drawn", "Engine", "UnfitError", "engines"]
