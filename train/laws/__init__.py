"""Laws of error. To add one: write one file here; ``tests/test_train_laws_fit.py`` checks it unasked."""

import sys

from curation.core.registry import import_all
from train.laws.base import Form, Law, laws
from train.laws.points import Points

import_all(sys.modules[__name__])

__all__ = ["Form", "Law", "Points", "laws"]
