"""Designs of studies. To add one: write one file here; ``tests/test_train_designs.py`` checks it unasked."""

import sys

from curation.core.registry import import_all
from train.study.designs.base import Design, Laid, Offer, Place, designs

import_all(sys.modules[__name__])

__all__ = ["Design", "Laid", "Offer", "Place", "designs"]
