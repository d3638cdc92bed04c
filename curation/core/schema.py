"""The columns of a dataset: Parquet that Hugging Face ``datasets`` opens as images."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from curation.core.fingerprint import sha256
from curation.core.sample import Sample

FORMAT = 1  # raised when a reader of today could no longer read what is written
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
BASE = [
    ("image", IMAGE),
    ("label", pa.string()),
    ("uid", pa.string()),
    ("source", pa.string()),
    ("split", pa.string()),
    ("licence", pa.string()),
    ("width", pa.int32()),
    ("height", pa.int32()),
    ("sha256", pa.string()),
    ("dhash128", pa.string()),
    ("origin_image", pa.string()),
    ("origin_box", pa.list_(pa.float32())),
    ("origin_polygon", pa.list_(pa.float32())),
    ("origin_size", pa.list_(pa.int32())),
    ("label_published", pa.string()),
]
BOXES = pa.list_(pa.list_(pa.float32()))
NAMES = frozenset({*(name for name, _ in BASE), "word_boxes", "character_boxes", "render"})
REJECTS = pa.schema([(name, pa.string()) for name in ("uid", "reason", "detail", "duplicate_of")])


def schema(render: pa.StructType | None = None, boxes: Sequence[str] = ()) -> pa.Schema:
    """The schema of a dataset, with the column ``render`` if its words were rendered, and columns of boxes.

    The metadata is what ``datasets`` writes, so that it decodes the column ``image`` into pictures.
    """
    named = [(name, BOXES) for name in boxes]
    return with_features([*BASE, *named, *([("render", render)] if render is not None else [])])


def with_features(fields: Sequence[tuple[str, pa.DataType]]) -> pa.Schema:
    """A schema of these columns, with the metadata that ``datasets`` writes and reads."""
    features = {name: _feature(kind) for name, kind in fields}
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def repeating(into: pa.Schema) -> list[str]:
    """The Parquet columns of ``into`` whose values repeat: a dictionary of others costs time and space."""
    found = ["label", "source", "split", "licence", "origin_image", "label_published"]
    if "render" in into.names:
        found += [f"render.{part.name}" for part in into.field("render").type if part.type == pa.string()]
    return found


def _feature(kind: pa.DataType) -> Any:
    if kind == IMAGE:
        return {"_type": "Image"}
    if pa.types.is_struct(kind):
        return {kind.field(i).name: _feature(kind.field(i).type) for i in range(kind.num_fields)}
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    names = {pa.float32(): "float32", pa.float64(): "float64"}
    return {"dtype": names.get(kind, str(kind)), "_type": "Value"}


def to_batch(samples: Sequence[Sample], into: pa.Schema) -> pa.RecordBatch:
    """Lay samples out as one record batch with the columns of ``into``, in the same order."""
    columns: dict[str, list[Any]] = {
        "image": [{"bytes": s.image, "path": None} for s in samples],
        "label": [s.label for s in samples],
        "uid": [s.uid for s in samples],
        "source": [s.source for s in samples],
        "split": [s.split for s in samples],
        "licence": [s.licence for s in samples],
        "width": [s.size[0] for s in samples],
        "height": [s.size[1] for s in samples],
        "sha256": [sha256(s.image) for s in samples],
        "dhash128": [s.dhash128 for s in samples],
        "origin_image": [s.origin_image for s in samples],
        "origin_box": [s.origin_box for s in samples],
        "origin_polygon": [s.origin_polygon for s in samples],
        "origin_size": [s.origin_size for s in samples],
        "label_published": [s.label_published for s in samples],
        "word_boxes": [s.word_boxes for s in samples],
        "character_boxes": [s.character_boxes for s in samples],
        "render": [s.render for s in samples],
    }
    arrays = [
        (_struct if field.name == "render" else pa.array)(columns[field.name], type=field.type)
        for field in into
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=into)


def _struct(rows: Sequence[Mapping[str, Any] | None], type: pa.StructType) -> pa.Array:
    """Lay mappings out field by field: a dozen times faster than Arrow does with many fields."""
    present = [row for row in rows if row is not None]
    if len(present) < len(rows):
        return pa.array(rows, type=type)
    fields = [type.field(i) for i in range(type.num_fields)]
    names = list(present[0]) if present else []
    if names and all(list(row) == names for row in present):  # going through rows in turn spares the caches
        values = zip(*(row.values() for row in present), strict=True)
        columns = dict(zip(names, values, strict=True))
    else:
        columns = {field.name: tuple(row[field.name] for row in present) for field in fields}
    arrays = [pa.array(columns[field.name], type=field.type) for field in fields]
    return pa.StructArray.from_arrays(arrays, fields=fields)
