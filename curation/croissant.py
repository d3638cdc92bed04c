"""Croissant metadata: what machines are told of a dataset, as JSON-LD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from curation.columns import described
from curation.licences import HUB, Licence

# Source: https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html, appendix 1.
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
PARQUET = "application/x-parquet"
SPDX = "https://spdx.org/licenses/"


def croissant(
    name: str,
    description: str,
    manifest: Mapping[str, Any],
    into: pa.Schema,
    splits: Mapping[str, Sequence[Mapping[str, Any]]],
    licences: Sequence[Licence],
) -> dict[str, Any]:
    """Describe a folder of Parquet files in Croissant 1.1.

    Args:
        name: The dataset's name.
        description: One or two sentences.
        manifest: The dataset's, with ``sources`` and ``fingerprint``.
        into: The schema of its files.
        splits: Of each split the entries of its files: ``file``, ``bytes``, ``sha256``.
        licences: What its rows are under.

    Returns:
        The content of ``croissant.json``: each file with its SHA-256, and a record set for each split with
        a field for each column but ``render``.
    """
    sources = manifest["sources"]
    cited = dict.fromkeys(source["citation"] for source in sources if source["citation"])
    addresses = dict.fromkeys(source["url"] for source in sources if source["url"])
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": name,
        "description": description,
        "license": [_licence(one.name) for one in licences],
        **({"citeAs": "; ".join(cited)} if cited else {}),
        **({"isBasedOn": list(addresses)} if addresses else {}),
        "keywords": ["OCR", "scene text recognition", "word images"],
        "isLiveDataset": False,
        "version": "1.0.0",
        "identifier": f"sha256:{manifest['fingerprint']}",
        "distribution": [*_files(splits), *map(_file_set, splits)],
        "recordSet": [_record_set(split, into) for split in splits],
    }


def _files(splits: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    return [
        {
            "@type": "cr:FileObject",
            "@id": entry["file"],
            "name": entry["file"],
            "contentUrl": entry["file"],
            "contentSize": f"{entry['bytes']} B",
            "encodingFormat": PARQUET,
            "sha256": entry["sha256"],
        }
        for entries in splits.values()
        for entry in entries
    ]


def _file_set(split: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"files-{split}",
        "name": f"files-{split}",
        "encodingFormat": PARQUET,
        "includes": f"data/{split}-*.parquet",
    }


def _licence(name: str) -> str:
    return f"{SPDX}{name}.html" if name in HUB else name


def _record_set(split: str, into: pa.Schema) -> dict[str, Any]:
    fields = [_field(split, field) for field in into if field.name == "image" or _kind(field.type)]
    return {"@type": "cr:RecordSet", "@id": split, "name": split, "field": fields}


def _field(split: str, field: pa.Field) -> dict[str, Any]:
    source: dict[str, Any] = {
        "fileSet": {"@id": f"files-{split}"},
        "extract": {"column": field.name},
    }
    of: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{split}/{field.name}",
        "name": field.name,
        "description": described(field.name),
    }
    if field.name == "image":
        source["transform"] = {"jsonPath": "bytes"}
        return {**of, "dataType": "sc:ImageObject", "source": source}
    if pa.types.is_list(field.type):
        shape = "-1" if not pa.types.is_list(field.type.value_type) else "-1,-1"
        of |= {"isArray": True, "arrayShape": shape}
    return {**of, "dataType": _kind(field.type), "source": source}


def _kind(of: pa.DataType) -> str | None:
    while pa.types.is_list(of):
        of = of.value_type
    if pa.types.is_string(of):
        return "sc:Text"
    if pa.types.is_integer(of):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(of) else None
