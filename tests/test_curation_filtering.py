"""Filtering whole datasets: what stays, what is told of the rest, and that nothing else decides it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from filter_words import dataset_of, picture
from published_sets import content, failure, numbers, run

from curation.core import recipe
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.filter_command import RECIPES
from curation.filter_steps import Steps
from curation.filtering import FilterRecipe, filter_datasets, load_filters
from curation.filters import filters


def spec(*tables: dict[str, Any], max_dropped: float = 1.0) -> FilterRecipe:
    return recipe.build(FilterRecipe, {"filters": list(tables), "max_dropped": max_dropped}, where="r.toml")


def labels_of(dataset: Dataset) -> list[tuple[str, str, str | None]]:
    rows = dataset.table(["uid", "label", "label_published"]).to_pylist()
    return [(row["uid"], row["label"], row["label_published"]) for row in rows]


def rejects_of(out: Path) -> list[tuple[str, str, str]]:
    return [(r["uid"], r["reason"], r["detail"]) for r in pq.read_table(out / "rejects.parquet").to_pylist()]


CLEAN = (
    {"kind": "empty_label"},
    {"kind": "repair_white_space"},
    {"kind": "repair_charset", "charset": "abcdef"},
    {"kind": "label_length", "max": 3},
    {"kind": "contrast"},
)


def two(tmp_path: Path) -> list[Dataset]:
    images = [picture(i) for i in range(5)]
    images[1], images[2] = b"no picture", picture(2, light=120, dark=117)
    first = dataset_of(tmp_path / "one", [" ab", "b", "c", "abcd", "5e5"], images=images)
    return [first, dataset_of(tmp_path / "two", ["", "f", "abc!"], shard_rows=2)]


def test_each_word_stays_or_has_its_first_reason(tmp_path: Path) -> None:
    manifest = filter_datasets(spec(*CLEAN), two(tmp_path), tmp_path / "out", jobs=1)
    dataset = Dataset.open(tmp_path / "out")
    assert dataset.manifest == manifest
    assert labels_of(dataset) == [
        ("one:0", "ab", " ab"),
        ("one:4", "e", "5e5"),
        ("two:1", "f", None),
        ("two:2", "abc", "abc!"),
    ]
    assert rejects_of(tmp_path / "out") == [
        ("one:1", "broken_image", "10 bytes that are no readable image"),
        ("one:2", "low_contrast", "contrast 3"),
        ("one:3", "too_long", "4 characters"),
        ("two:0", "empty_label", ""),
    ]
    assert manifest["rejected_by_source"] == {
        "one": {"broken_image": 1, "low_contrast": 1, "too_long": 1},
        "two": {"empty_label": 1},
    }
    assert manifest["kept_by_source"] == {"one": 2, "two": 2}
    assert manifest["repaired_by_reason"] == {"repair_charset": 2, "repair_white_space": 1}
    assert manifest["recipe"]["filters"][3] == {
        "kind": "label_length",
        "min": 0,
        "max": 3,
        "protocol": "parseq94",
    }


def test_the_funnel_tells_what_each_step_saw(tmp_path: Path) -> None:
    manifest = filter_datasets(spec(*CLEAN), two(tmp_path), tmp_path / "out", jobs=1)
    funnel = [(s["filter"], s["seen"], s["dropped"], s["repaired"]) for s in manifest["funnel"]]
    assert funnel == [
        ("empty_label", 8, {"empty_label": 1}, 0),
        ("repair_white_space", 7, {}, 1),
        ("repair_charset", 7, {}, 2),
        ("label_length", 7, {"too_long": 1}, 0),
        ("contrast", 6, {"broken_image": 1, "low_contrast": 1}, 0),
    ]
    assert manifest["funnel"][1]["by_source"] == {
        "one": {"seen": 5, "dropped": 0, "repaired": 1},
        "two": {"seen": 2, "dropped": 0, "repaired": 0},
    }
    examples = {(e["filter"], e["reason"]): e["words"] for e in manifest["examples"]}
    assert examples["repair_white_space", "repair_white_space"] == [
        {"uid": "one:0", "label": "ab", "detail": " ab", "dataset": 0, "row": 0}
    ]
    assert examples["empty_label", "empty_label"] == [
        {"uid": "two:0", "label": "", "detail": "", "dataset": 1, "row": 0}
    ]


def test_a_dry_run_tells_the_same_and_writes_nothing(tmp_path: Path) -> None:
    datasets = two(tmp_path)
    told = filter_datasets(spec(*CLEAN), datasets, tmp_path / "out", jobs=1, dry_run=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]
    written = filter_datasets(spec(*CLEAN), datasets, tmp_path / "out", jobs=1)
    assert told.pop("warnings") == []
    assert {key: written[key] for key in told} == told


def test_the_bytes_do_not_depend_on_workers_or_a_break(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = spec(*CLEAN, {"kind": "label_cap", "most": 1}, {"kind": "same_uid"})
    datasets = two(tmp_path)
    filter_datasets(asked, datasets, tmp_path / "one_worker", jobs=1)
    filter_datasets(asked, datasets, tmp_path / "two_workers", jobs=2)
    assert content(tmp_path / "one_worker") == content(tmp_path / "two_workers")
    judge = Steps.judge

    def dies(self: Steps, batch: Any, first: int) -> Any:
        if self.number == 1 and first == 2:
            raise KeyboardInterrupt
        return judge(self, batch, first)

    with monkeypatch.context() as patch:
        patch.setattr(Steps, "judge", dies)
        with pytest.raises(KeyboardInterrupt):
            filter_datasets(asked, datasets, tmp_path / "broken", jobs=1)
    assert (tmp_path / "broken" / ".build").is_dir()
    filter_datasets(asked, datasets, tmp_path / "broken", jobs=1)
    assert content(tmp_path / "broken") == content(tmp_path / "one_worker")


def test_a_cap_counts_what_filters_before_it_leave_over_all_datasets(tmp_path: Path) -> None:
    first = dataset_of(tmp_path / "one", ["stop", "Stop", "", "exit", "stop!!"], shard_rows=2)
    second = dataset_of(tmp_path / "two", ["STOP", "stop", "taxi"])
    asked = spec({"kind": "label_length", "max": 5}, {"kind": "label_cap", "most": 3})
    kept = {}
    for name, datasets in {"ab": [first, second], "ba": [second, first]}.items():
        manifest = filter_datasets(asked, datasets, tmp_path / name, jobs=1)
        assert manifest["rejected_by_reason"] == {"too_long": 1, "repeated_label": 1}
        kept[name] = sorted(uid for uid, *_ in labels_of(Dataset.open(tmp_path / name)))
    assert kept["ab"] == kept["ba"]


def test_of_words_with_one_uid_the_first_stays(tmp_path: Path) -> None:
    first = dataset_of(tmp_path / "a" / "set", ["one", "two"], shard_rows=1)
    second = dataset_of(tmp_path / "b" / "set", ["eins", "zwei", "drei"])
    filter_datasets(spec({"kind": "same_uid"}), [first, second], tmp_path / "out", jobs=1)
    assert [label for _, label, _ in labels_of(Dataset.open(tmp_path / "out"))] == ["one", "two", "drei"]


def test_a_dataset_with_a_shard_of_no_row_can_be_filtered(tmp_path: Path) -> None:
    once = spec({"kind": "empty_label"})
    filter_datasets(
        once, [dataset_of(tmp_path / "set", ["", "a", "b"], shard_rows=1)], tmp_path / "one", jobs=1
    )
    again = spec({"kind": "same_uid"}, {"kind": "label_cap", "most": 1}, {"kind": "blur"})
    manifest = filter_datasets(again, [Dataset.open(tmp_path / "one")], tmp_path / "two", jobs=1)
    assert (manifest["n_rows"], manifest["n_rejected"]) == (2, 0)


def test_two_filters_of_one_kind_are_told_apart(tmp_path: Path) -> None:
    datasets = [dataset_of(tmp_path / "set", ["abcd", "abc", "ab"])]
    asked = spec({"kind": "label_length", "max": 3}, {"kind": "label_length", "max": 2})
    manifest = filter_datasets(asked, datasets, tmp_path / "out", jobs=1)
    assert [step["dropped"] for step in manifest["funnel"]] == [{"too_long": 1}, {"too_long": 1}]
    assert [(e["step"], [word["uid"] for word in e["words"]]) for e in manifest["examples"]] == [
        (0, ["set:0"]),
        (1, ["set:1"]),
    ]


def test_too_many_dropped(tmp_path: Path) -> None:
    datasets = [dataset_of(tmp_path / "set", ["a", "", "abcd", "b", "c"])]
    asked = spec({"kind": "empty_label"}, {"kind": "label_length", "max": 3}, max_dropped=0.3)
    message = (
        "2 of 5 words would be dropped, more than the share of 0.3 allowed: 1 empty_label, 1 too_long; "
        "for example set:1 (''). Look at them with --dry-run --rejects-sheet, and change the recipe or "
        "raise its max_dropped."
    )
    with pytest.raises(UserError) as error:
        filter_datasets(asked, datasets, tmp_path / "out", jobs=1)
    assert str(error.value) == message
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert filter_datasets(asked, datasets, tmp_path / "out", jobs=1, dry_run=True)["warnings"] == [message]


def test_the_command_prints_a_table(tmp_path: Path) -> None:
    two(tmp_path)
    (tmp_path / "r.toml").write_text(
        'max_dropped = 0.6\n[[filters]]\nkind = "empty_label"\n[[filters]]\nkind = "contrast"\n'
    )
    out = tmp_path / "out"
    args = ("filter", tmp_path / "r.toml", tmp_path / "one", tmp_path / "two", "-o", out, "-j", 1)
    table = (
        "filter       seen  dropped    share  repaired  one  two  reasons\n"
        "empty_label     8        1  12.50 %         -    -    1  1 empty_label\n"
        "contrast        7        2  28.57 %         -    2    -  1 broken_image, 1 low_contrast\n"
        "kept            5                                3    2\n"
    )
    assert run(*args, "--dry-run").stdout == f"{table}would write 5 of 8 words to {out}\n"
    done = run(*args, "--rejects-sheet", tmp_path / "sheet.png")
    fingerprint = Dataset.open(tmp_path / "out").fingerprint
    end = f"wrote 5 of 8 words to {out}, fingerprint {fingerprint[:16]}\n"
    assert done.stdout == table + end
    assert done.stderr.endswith(f"wrote {tmp_path / 'sheet.png'}\n")
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    assert failure(*args) == f"output {out} exists already. Remove it or give another name with -o."
    facts = numbers(*args[:-3], tmp_path / "again", "-j", 1)
    assert facts == json.loads((tmp_path / "again" / "manifest.json").read_text())


def test_a_dry_run_that_drops_too_many_shows_them_and_fails(tmp_path: Path) -> None:
    dataset_of(tmp_path / "set", ["a", ""])
    (tmp_path / "r.toml").write_text('max_dropped = 0.1\n[[filters]]\nkind = "empty_label"\n')
    args = ("filter", tmp_path / "r.toml", tmp_path / "set", "-o", tmp_path / "out", "-j", 1, "--dry-run")
    result = run(*args, status=1)
    assert result.stdout.startswith("filter       seen  dropped")
    assert "Error: 1 of 2 words would be dropped, more than the share of 0.1 allowed" in result.stderr


def test_the_list_names_every_filter_and_its_keys() -> None:
    lines = run("filter", "--list").stdout.splitlines()
    assert [line.partition(":")[0] for line in lines if not line.startswith(" ")] == list(filters)
    at = lines.index("blur: Drops words without a sharp edge, at the height of 32 px at which they are read.")
    assert lines[at + 1] == "  max_edge_px = 10.0"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "r.toml lacks the key 'filters'. Add it; it has no default."),
        ("filters = []", "r.toml: there are no filters; add a table [[filters]]."),
        ('filter = "x"', "unknown key 'filter' in r.toml. Did you mean 'filters'?"),
        (
            '[[filters]]\nkind = "lable_length"',
            "unknown filter 'lable_length' in r.toml, filters[0]. Did you mean 'label_length'?",
        ),
        (
            '[[filters]]\nkind = "size"\n[[filters]]\nkind = "blur"\nmax_edge = 3',
            "unknown key 'max_edge' in r.toml, filters[1] (blur). Did you mean 'max_edge_px'?",
        ),
        (
            '[[filters]]\nkind = "blur"\nmax_edge_px = nan',
            "r.toml, filters[0] (blur), max_edge_px is nan. Give a finite number.",
        ),
        (
            '[[filters]]\nkind = "size"\nmin_width_px = "8"',
            "r.toml, filters[0] (size), min_width_px must be a whole number, got '8'. Mend the recipe.",
        ),
        (
            '[[filters]]\nkind = "label_length"\nmin = 4\nmax = 3',
            "r.toml, filters[0] (label_length): min is 4, more than max, 3; nothing would stay.",
        ),
        (
            'max_dropped = 20.0\n[[filters]]\nkind = "size"',
            "r.toml: max_dropped must be from 0 to 1, got 20.",
        ),
    ],
)
def test_bad_recipes(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(UserError) as error:
        load_filters(tmp_path / "r.toml")
    assert str(error.value) == message


@pytest.mark.parametrize("path", sorted(RECIPES.glob("filter_*.toml")), ids=lambda path: path.stem)
def test_shipped_recipes_load_and_say_what_they_are(path: Path) -> None:
    load_filters(path)
    head = path.read_text(encoding="utf-8").partition("\n\n")[0]
    assert all(f"# {word}:" in head for word in ("What", "Source", "Cost", "Expected", "Command"))
