"""The card of a dataset: the README.md that the Hugging Face Hub shows, made from the manifest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from curation.columns import described
from curation.licences import Licence, hub_names

SIZES = {
    10**3: "n<1K",
    10**4: "1K<n<10K",
    10**5: "10K<n<100K",
    10**6: "100K<n<1M",
    10**7: "1M<n<10M",
    10**8: "10M<n<100M",
}
LARGEST = "100M<n<1B"
Entries = Mapping[str, Sequence[Mapping[str, Any]]]


def summary(manifest: Mapping[str, Any]) -> str:
    """One sentence: how many words of how many sources."""
    n = len(manifest["sources"])
    names = ", ".join(dict.fromkeys(source["name"] for source in manifest["sources"]))
    return (
        f"{manifest['n_rows']:,} cropped word images with their transcriptions, from {n} "
        f"source{'s' if n != 1 else ''}: {names}."
    )


def card(
    name: str, manifest: Mapping[str, Any], into: pa.Schema, splits: Entries, licences: Sequence[Licence]
) -> str:
    """Write the card of a dataset called ``name``.

    Args:
        name: Title and, in the commands, folder.
        manifest: With ``sources`` and ``history``, the last step of which is the dataset's own.
        into: The schema of its files.
        splits: The entries of each split's files.
        licences: The roll-up, the strictest first.
    """
    parts = [
        f"# {name}\n\n{summary(manifest)}",
        f"## Splits\n\n{_splits(splits)}",
        f"## Sources\n\n{_sources(manifest['sources'])}",
        f"## Licences\n\n{_licences(licences)}",
        f"## Columns\n\n{_columns(into)}",
        f"## How it was made\n\n{_history(manifest)}",
        f"## Left out\n\n{_rejects(manifest['history'])}",
        f"## Use\n\n{_use(name, splits)}",
        f"## Cite\n\n{_citations(manifest['sources'])}",
    ]
    return f"---\n{_front(name, manifest, into, splits, licences)}---\n\n" + "\n\n".join(parts) + "\n"


def _front(
    name: str, manifest: Mapping[str, Any], into: pa.Schema, splits: Entries, licences: Sequence[Licence]
) -> str:
    import yaml
    from datasets import Features

    hub = hub_names(licences)
    features = json.loads(into.metadata[b"huggingface"])["info"]["features"]
    about: dict[str, Any] = {"pretty_name": name, "license": hub[0] if len(hub) == 1 else hub}
    if "other" in hub:
        others = [one.name for one in licences if hub_names([one]) == ["other"]]
        about["license_name"] = others[0] if len(others) == 1 else "several, see Licences below"
    n_rows = manifest["n_rows"]
    about |= {
        "task_categories": ["image-to-text"],
        "tags": ["ocr", "scene-text-recognition", "word-images"],
        "size_categories": [next((text for limit, text in SIZES.items() if n_rows < limit), LARGEST)],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"data/{split}-*.parquet"} for split in splits],
            }
        ],
        "dataset_info": {
            "features": Features.from_dict(features)._to_yaml_list(),
            "splits": [
                {"name": split, "num_bytes": _bytes(entries), "num_examples": sum(e["rows"] for e in entries)}
                for split, entries in splits.items()
            ],  # all three keys, or datasets leaves them aside with a warning
            "download_size": sum(map(_bytes, splits.values())),
            "dataset_size": sum(map(_bytes, splits.values())),
        },
    }
    return str(yaml.safe_dump(about, sort_keys=False, allow_unicode=True, width=100))


def _splits(splits: Entries) -> str:
    rows = [
        (split, f"{sum(e['rows'] for e in entries):,}", f"{len(entries):,}", _size(entries))
        for split, entries in splits.items()
    ]
    return _table(("split", "words", "files", "size"), rows, numeric=(1, 2, 3))


def _size(entries: Iterable[Mapping[str, Any]]) -> str:
    return f"{_bytes(entries) / 1e6:,.1f} MB"


def _bytes(entries: Iterable[Mapping[str, Any]]) -> int:
    return sum(entry["bytes"] for entry in entries)


def _sources(sources: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            source["name"],
            f"{source['rows']:,}",
            ", ".join(f"{split} {n:,}" for split, n in source["splits"].items()),
            source["licence"],
            source["url"] or ("rendered, not published elsewhere" if "rendered" in source else "not stated"),
        )
        for source in sources
    ]
    return _table(("source", "words", "by split", "licence", "where from"), rows, numeric=(1,))


def _licences(licences: Sequence[Licence]) -> str:
    rows = [
        (
            f"**{_cell(one.name or 'none')}**" if one.strictest else one.name,
            f"{one.rows:,}",
            ", ".join(one.sources),
            one.asks,
        )
        for one in licences
    ]
    strict = [one for one in licences if one.strictest]
    n = sum(one.rows for one in strict)
    return (
        "Every word keeps the licence of its source, in the column `licence`. The whole may be passed on "
        f"only as its strictest part allows, in bold ({n:,} words): {strict[0].asks}.\n\n"
        + _table(("licence", "words", "sources", "asks"), rows, numeric=(1,), raw=(0,))
    )


def _columns(into: pa.Schema) -> str:
    rows = [(f"`{field.name}`", str(_kind(field)), described(field.name)) for field in into]
    return _table(("column", "type", "what it holds"), rows)


def _kind(field: pa.Field) -> str:
    if field.name == "image":
        return "image"
    return "struct" if pa.types.is_struct(field.type) else str(field.type).replace("element: ", "")


def _history(manifest: Mapping[str, Any]) -> str:
    rows = [
        (
            str(number),
            f"`glyphmix {step['command']}`" if step.get("command") else "",
            _made(step),
            f"{step['n_rows']:,}",
            f"{step.get('n_rejected', 0):,}",
            "" if step.get("seed") is None else str(step["seed"]),
            f"`{step['fingerprint'][:16]}`",
            f"`{(step.get('git_commit') or 'none')[:12]}`",
        )
        for number, step in enumerate(manifest["history"], 1)
    ]
    head = ("step", "command", "made", "words", "left out", "seed", "fingerprint", "commit")
    versions = manifest["history"][-1].get("versions") or {}
    told = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    recipes = [
        f"<details><summary>Recipe of step {number}</summary>\n\n```json\n"
        f"{json.dumps(step['recipe'], indent=2, ensure_ascii=False, sort_keys=True)}\n```\n\n</details>"
        for number, step in enumerate(manifest["history"], 1)
        if step.get("recipe")
    ]
    return "\n\n".join(
        [
            _table(head, rows, numeric=(3, 4)),
            *([f"The last step used {told}."] if told else []),
            *recipes,
            "`manifest.json` has the whole of it.",
        ]
    )


def _made(step: Mapping[str, Any]) -> str:
    return " ".join(step[key] for key in ("name", "split") if step.get(key))


def _rejects(history: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (str(number), _made(step), reason, f"{n:,}")
        for number, step in enumerate(history, 1)
        for reason, n in sorted((step.get("rejected_by_reason") or {}).items())
    ]
    if not rows:
        return "Nothing: no step left a word out."
    return (
        _table(("step", "made", "reason", "words"), rows, numeric=(3,))
        + "\n\n`rejects.parquet` names those of the last step, one by one."
    )


def _use(name: str, splits: Entries) -> str:
    split = next(iter(splits))
    return (
        f"```python\nfrom datasets import load_dataset\n\nwords = load_dataset({json.dumps(name)}, "
        f"split={json.dumps(split)})  # this folder, or USER/NAME once it is on the Hub\n"
        'words[0]["image"], words[0]["label"]\n```\n\n'
        "To put it on the Hub, if all of the licences above allow that:\n\n"
        f"```sh\nhf upload USER/NAME {name} . --repo-type dataset\n```\n\n"
        f"`glyphmix verify {name}` checks every file and row."
    )


def _citations(sources: Sequence[Mapping[str, Any]]) -> str:
    cited = dict.fromkeys(source["citation"] for source in sources if source["citation"])
    lines = [f"- {_cell(text)}" for text in cited]
    without = [source["name"] for source in sources if not source["citation"] and "rendered" not in source]
    if without:
        lines.append(
            f"- Nothing is known of whom to cite for: {', '.join(map(_cell, dict.fromkeys(without)))}."
        )
    return "\n".join(lines) or "Nobody: the words were rendered."


def _table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numeric: Sequence[int] = (),
    raw: Sequence[int] = (),
) -> str:
    """A Markdown table; cells are escaped but in the columns ``raw``."""
    rule = ["---:" if i in numeric else "---" for i in range(len(head))]
    body = [[cell if i in raw else _cell(cell) for i, cell in enumerate(row)] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *body])


def _cell(text: str) -> str:
    escaped = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return escaped.replace("*", "\\*") if "`" not in text else escaped
