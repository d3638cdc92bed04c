"""Schedules. To add one: write one file here; ``tests/test_train_schedule.py`` checks it unasked."""

import sys

from curation.core.registry import import_all
from train.schedules.base import Schedule, schedules

import_all(sys.modules[__name__])

__all__ = ["Schedule", "schedules"]
