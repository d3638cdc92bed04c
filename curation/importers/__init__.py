"""Importers. To add one: write one file here; ``tests/test_curation_import.py`` checks its facts unasked."""

import sys

from curation.core.registry import import_all
from curation.importers.base import Importer, Unusable, Word, importers

import_all(sys.modules[__name__])

__all__ = ["Importer", "Unusable", "Word", "importers"]
