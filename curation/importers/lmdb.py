"""LMDB as PARSeq and DTRB keep their words."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from curation.core.errors import UserError
from curation.core.files import not_a_folder
from curation.importers.base import Unusable, Word, importers
from curation.importers.lmdb_meta import read_meta, sidecars

DATA = "data.mdb"
KINDS = (b"image-", b"label-", b"meta-", b"wh-")
SIZE = re.compile(rb"(\d{1,9})_(\d{1,9})")
REOPEN = 20_000  # words; what was read of the map counts as this process's memory until the map is given back


@importers.add("lmdb")
@dataclass(frozen=True, kw_only=True, slots=True)
class Lmdb:
    """Read ``image-%09d`` and ``label-%09d``, from 1 to ``num-samples``, of one LMDB or a tree of them.

    Words whose keys are missing are rejects (``missing_image``, ``missing_label``). Words that we
    exported get their uid, source, split, licence, origin and boxes back from ``meta-%09d``. Where there is
    ``wh-%09d``, as OpenOCR writes it (``100_32``), the picture must have that size, or it belongs to another
    word (``wrong_size``). Other keys are ignored.

    Source: baudm/parseq strhub/data/dataset.py, clovaai/deep-text-recognition-benchmark dataset.py and
    Topdu/OpenOCR tools/create_lmdb_dataset.py.

    Attributes:
        unlabelled: Take pictures without labels, as sets for pre-training have them (Union14M-U); labels are
            then empty, whatever the LMDB holds.
    """

    title: ClassVar[str] = "LMDB of PARSeq, DTRB or OpenOCR"
    source_is: ClassVar[str] = "folder of an LMDB, or one above several"
    url: ClassVar[str] = ""
    licence: ClassVar[str] = "unknown"
    citation: ClassVar[str] = ""
    expected: ClassVar[Mapping[str, int]] = {}

    unlabelled: bool = False

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """State size, entries and last transaction of each LMDB: its bytes may be hundreds of gigabytes."""
        facts = {}
        for folder in find_environments(src):
            with environment(folder) as env:
                size, entries = (folder / DATA).stat().st_size, env.stat()["entries"]
                facts[_relative(folder, src)] = (
                    f"{size} bytes, {entries} entries, transaction {env.info()['last_txnid']}"
                )
        return facts

    def kept(self, src: Path) -> Mapping[str, list[Any]]:
        """What our exports say beside the LMDBs: ``sources`` and ``boxes``; empty where others wrote them."""
        return sidecars([src, *find_environments(src)])

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words of each LMDB in the order of their numbers, the LMDBs in the order of paths."""
        for folder in find_environments(src):
            prefix = "" if folder == src else f"{_relative(folder, src)}/"
            first, last = 1, 0
            while first == 1 or first <= last:
                with environment(folder) as env, env.begin(buffers=True) as txn:
                    if first == 1:
                        last, there = _n_samples(txn, folder), self._kinds(txn, folder)
                    for number in range(first, min(first + REOPEN, last + 1)):
                        yield _word(txn, number, f"{prefix}{number:09d}", there)
                first += REOPEN

    def _kinds(self, txn: Any, folder: Path) -> set[bytes]:
        """Which kinds of keys to look for: asking each word for what none has would take a third longer."""
        with txn.cursor() as cursor:
            there = {
                kind for kind in KINDS if cursor.set_range(kind) and bytes(cursor.key()).startswith(kind)
            }
        if self.unlabelled:
            return there - {b"label-"}
        if b"image-" in there and b"label-" not in there:
            raise UserError(
                f"{folder} has pictures but no label at all, as sets for pre-training have. "
                "Give --option unlabelled=true to import them with empty labels."
            )
        return there | {b"label-"}


def find_environments(src: Path) -> list[Path]:
    """The folders below ``src`` that hold a ``data.mdb``, sorted; links are followed, loops are not.

    Raises:
        UserError: ``src`` is no folder, or holds none.
    """
    if not src.is_dir():
        problem = not_a_folder(src)
        raise UserError(f"folder {src} {problem}. Give the folder that holds {DATA}, or one above it.")
    found: list[Path] = []
    seen: set[str] = set()
    for folder, below, files in os.walk(src, followlinks=True):
        if (real := os.path.realpath(folder)) in seen:
            below.clear()
            continue
        seen.add(real)
        below.sort()
        if DATA in files:
            found.append(Path(folder))
    if not found:
        raise UserError(f"{src} holds no {DATA}. Give the folder of an LMDB, or one above several.")
    return sorted(found)


@contextmanager
def environment(folder: Path) -> Iterator[Any]:
    """Open the LMDB in ``folder`` for reading, and close it at the end.

    Raises:
        UserError: it is no LMDB, damaged or cut short.
    """
    import lmdb

    path = folder / DATA
    try:
        if not path.stat().st_size:
            raise UserError(f"{path} is empty. Copy it anew from its source.")
        with lmdb.open(os.fsencode(folder), readonly=True, lock=False, meminit=False, max_readers=1) as env:
            # LMDB maps the file into memory: reading past its end kills the process without a message
            needed = (env.info()["last_pgno"] + 1) * env.stat()["psize"]
            if (size := path.stat().st_size) < needed:
                raise UserError(
                    f"{path} is cut short: {size:,} bytes of {needed:,}. Copy it anew from its source."
                )
            yield env
    except lmdb.Error as error:
        raise UserError(
            f"{path} cannot be read as LMDB ({_plain(error)}). Copy it anew from its source."
        ) from None


def _plain(error: Exception) -> str:
    return str(error).rsplit(": ", 1)[-1]  # the path comes first


def _relative(folder: Path, src: Path) -> str:
    return folder.relative_to(src).as_posix()


def _n_samples(txn: Any, folder: Path) -> int:
    value = txn.get(b"num-samples")
    if value is None:
        raise UserError(
            f"{folder} has no key num-samples: another kind of LMDB, or its writer was interrupted. "
            "Give one with PARSeq's keys, or write it anew."
        )
    text = bytes(value).decode("ascii", "replace")
    if not text.isdecimal():
        raise UserError(f"{folder} has num-samples {text!r}, not a number. Write it anew.")
    return int(text)


def _word(txn: Any, number: int, uid: str, there: set[bytes]) -> Word | Unusable:
    """Make word ``number``; of the kinds of keys, those not in ``there`` are not looked for."""
    image = txn.get(b"image-%09d" % number)
    label = txn.get(b"label-%09d" % number) if b"label-" in there else b""
    if image is None or label is None:
        missing = "image" if image is None else "label"
        return Unusable(id=uid, reason=f"missing_{missing}", detail=f"no key {missing}-{number:09d}")
    try:
        text = bytes(label).decode("utf-8")
    except UnicodeDecodeError:
        return Unusable(id=uid, reason="undecodable_label", detail=repr(bytes(label)[:60]))
    # the buffer points into the map: it costs nothing until it is read, and must be read within the scan
    read = functools.partial(bytes, image)
    meta = txn.get(b"meta-%09d" % number) if b"meta-" in there else None
    stated = SIZE.fullmatch(txn.get(b"wh-%09d" % number) or b"") if b"wh-" in there else None
    size = None if stated is None else (int(stated[1]), int(stated[2]))
    if (kept := read_meta(None if meta is None else bytes(meta))) is not None:
        return Word(id=kept["uid"], label=text, read=read, kept=kept, size=size)
    return Word(id=uid, label=text, read=read, size=size)
