"""Recognizers. To add one: write one file here; ``tests/test_train_model.py`` checks it unasked."""

import sys

from curation.core.registry import import_all
from train.models.base import Model, Reading, Recognizer, models

import_all(sys.modules[__name__])

__all__ = ["Model", "Reading", "Recognizer", "models"]
