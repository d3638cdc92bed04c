"""Augmentations. To add one: write one file here; ``tests/test_train_augment.py`` checks it unasked."""

import sys

from curation.core.registry import import_all
from train.augments.base import Augment, augments

import_all(sys.modules[__name__])

__all__ = ["Augment", "augments"]
