"""Initialisations. To add one: write one file here."""

import sys

from curation.core.registry import import_all
from train.inits.base import Init, inits

import_all(sys.modules[__name__])

__all__ = ["Init", "inits"]
