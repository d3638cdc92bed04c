"""Importing with several workers: the same bytes, and nothing finished is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from published_sets import content, picture, write_lmdb, write_tsv

from curation.core.files import read_json
from curation.core.images import encode_png
from curation.importers import importers
from curation.importing import Source, import_set

ROOT = Path(__file__).parents[1]


def source(kind: str, src: Path) -> Source:
    return Source(importer=importers.get(kind)(), src=src, split="train", name="set")


def test_bytes_do_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    words = [(encode_png(picture(str(i), (8, 8))), f"word{i}" if i % 7 else None) for i in range(45)]
    src = write_lmdb(tmp_path / "lmdb", words)
    for jobs in (1, 2, 5):
        import_set(source("lmdb", src), tmp_path / f"j{jobs}", max_dropped=1, jobs=jobs, shard_words=10)
    assert content(tmp_path / "j1") == content(tmp_path / "j2") == content(tmp_path / "j5")
    assert read_json(tmp_path / "j1" / "manifest.json")["rejected_by_reason"] == {"missing_label": 7}


def test_more_workers_than_shards_and_repeated_ids(tmp_path: Path) -> None:
    file = write_tsv(tmp_path / "set", {f"{i}.png": f"w{i}" for i in range(12)})
    file.write_text(file.read_text() + "0.png\tagain\n11.png\tagain\n")
    for jobs in (1, 3):
        import_set(source("tsv", file), tmp_path / f"j{jobs}", max_dropped=1, jobs=jobs, shard_words=9)
    assert content(tmp_path / "j1") == content(tmp_path / "j3")
    assert read_json(tmp_path / "j1" / "manifest.json")["rejected_by_reason"] == {"repeated_id": 2}


KILLED = """
import os, signal, sys, threading
from pathlib import Path
from curation import importing
from curation.importers import importers

def watch(out):
    while not any(out.glob(".build/0*[0-9].json")):
        pass
    os.kill(os.getpid(), signal.SIGKILL)

src, out = map(Path, sys.argv[1:])
threading.Thread(target=watch, args=(out,), daemon=True).start()
source = importing.Source(importer=importers.get("tsv")(), src=src, split="train", name="set")
importing.import_set(source, out, max_dropped=0, jobs=2, shard_words=50)
"""


def test_killed_with_its_workers(tmp_path: Path) -> None:
    file = write_tsv(tmp_path / "set", {f"{i:04d}.png": f"w{i}" for i in range(1000)})
    out = tmp_path / "out"
    killed = subprocess.run([sys.executable, "-c", KILLED, file, out], cwd=ROOT, check=False)
    assert killed.returncode == -9
    before = {p: p.stat().st_mtime_ns for p in sorted((out / "data").glob("shard*.parquet"))}
    records = len(list((out / ".build").glob("0*[0-9].json")))
    assert 0 < records < 20
    import_set(source("tsv", file), out, max_dropped=0, jobs=2, shard_words=50)
    import_set(source("tsv", file), tmp_path / "undisturbed", max_dropped=0, shard_words=50)
    assert content(out) == content(tmp_path / "undisturbed")
    assert sum(path.stat().st_mtime_ns == then for path, then in before.items()) >= records


def test_two_at_once_are_kept_apart(tmp_path: Path) -> None:
    from curation.core.errors import UserError
    from curation.core.lock import alone_at

    file = write_tsv(tmp_path / "set", {"a.png": "a"})
    with alone_at(tmp_path / "out"), pytest.raises(UserError) as caught:
        import_set(source("tsv", file), tmp_path / "out", max_dropped=0)
    assert str(caught.value) == (
        f"another process is writing to {tmp_path / 'out'}. Wait for it, or stop it."
    )
