"""Uber-Text: words cropped by Baek et al., in LMDB."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from curation.importers.base import importers
from curation.importers.lmdb import Lmdb


@importers.add("uber_text")
@dataclass(frozen=True, kw_only=True, slots=True)
class UberText(Lmdb):
    """Read the LMDB of Baek et al. (STR-Fewer-Labels), which PARSeq and Union14M use as it is.

    The publisher's 197 GB of street photos are not read: the LMDB is what all published results stand on.
    It does not say which photo a word is cut from.
    """

    title: ClassVar[str] = "Uber-Text, cropped words of STR-Fewer-Labels"
    source_is: ClassVar[str] = "folder of the LMDB of Baek et al., or one above several"
    url: ClassVar[str] = "https://s3-us-west-2.amazonaws.com/uber-common-public/ubertext/index.html"
    licence: ClassVar[str] = "CC-BY-SA-4.0"
    citation: ClassVar[str] = (
        "Zhang, Gueguen, Zharkov, Zhang, Seifert, Kadlec: Uber-Text: A Large-Scale Dataset for Optical "
        "Character Recognition from Street-Level Imagery. SUNw at CVPR 2017"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": None, "val": None, "test": None}
