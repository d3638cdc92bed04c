"""Averages of weights. To add one: write one file here; ``tests/test_train_average.py`` checks it unasked."""

import sys

from curation.core.registry import import_all
from train.averages.base import Average, averages

import_all(sys.modules[__name__])

__all__ = ["Average", "averages"]
