"""Filters and repairs. To add one: write one file here; tests over all of them check it unasked."""

import sys

from curation.core.registry import import_all
from curation.filters.base import Drop, Filter, Repair, filters
from curation.filters.rows import Rows

import_all(sys.modules[__name__])

__all__ = ["Drop", "Filter", "Repair", "Rows", "filters"]
