"""Mixtures of groups: ratios over them, what their sources share, caps, and what is left out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from word_sets import write_labels

from curation.core.errors import UserError
from curation.mix_recipe import Group, MixRecipe, MixSource, Validation
from curation.mixing import mix
from curation.mixture import Mixture
from curation.quotas import resolve

SIZES = {"art": 90, "coco": 40, "extra": 10, "mj": 400, "st": 100}
GROUP_OF = {"art": "real/R", "coco": "real/R", "extra": "real/E", "mj": "syn", "st": "syn"}


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three real sets of 140 words, two synthetic ones of 500; labels of ``art`` come ten times each."""
    folder = tmp_path_factory.mktemp("sets")
    for name, n in SIZES.items():
        write_labels(folder / name, [f"{name}{i // 10 if name == 'art' else i}" for i in range(n)])
    return folder


def source(sets: Path, name: str, **options: Any) -> MixSource:
    return MixSource(**{"name": name, "paths": (sets / name,), "group": GROUP_OF[name], **options})


def rebu(sets: Path, ratio: float | None = 3, **options: Any) -> MixRecipe:
    """Real to synthetic 1 to ``ratio``; ``options`` are of the recipe or, by name, of a source."""
    own = {name: options.pop(name, {}) for name in SIZES}
    groups = {"real": Group(ratio=1.0), "syn": Group(ratio=ratio)} if ratio is not None else {}
    sources = tuple(source(sets, name, **own[name]) for name in SIZES)
    return MixRecipe(**{"sources": sources, "groups": groups, **options})


def counts(spec: MixRecipe, key: str = "positions") -> dict[str, Any]:
    return {s["name"]: s[key] for s in mix(spec, Path("never written"), dry_run=True)["sources"]}


def failure(spec: MixRecipe, **options: Any) -> str:
    with pytest.raises(UserError) as caught:
        mix(spec, Path("never written"), dry_run=True, **options)
    return str(caught.value)


class TestRatio:
    def test_sources_share_by_size(self, sets: Path) -> None:
        assert counts(rebu(sets, total=400)) == {"art": 64, "coco": 29, "extra": 7, "mj": 240, "st": 60}

    def test_without_a_total_the_group_that_runs_out_first_decides(self, sets: Path) -> None:
        assert counts(rebu(sets)) == {"art": 90, "coco": 40, "extra": 10, "mj": 336, "st": 84}
        assert sum(counts(rebu(sets, ratio=10)).values()) == 550
        assert counts(rebu(sets, ratio=0)) == {"art": 90, "coco": 40, "extra": 10, "mj": 0, "st": 0}

    def test_temperature_takes_the_root_of_the_sizes(self, sets: Path) -> None:
        spec = rebu(sets, total=120, groups={"real": Group(ratio=1), "syn": Group(ratio=3, temperature=0.5)})
        assert counts(spec) == {"art": 19, "coco": 9, "extra": 2, "mj": 60, "st": 30}  # 20 : 10
        assert counts(rebu(sets, total=15, temperature=0, ratio=2)) == {
            "art": 2, "coco": 2, "extra": 1, "mj": 5, "st": 5,
        }  # fmt: skip

    def test_temperature_without_groups_is_for_all(self, sets: Path) -> None:
        assert counts(rebu(sets, None, temperature=0.5, total=100)) == {
            "art": 19, "coco": 13, "extra": 7, "mj": 41, "st": 20,
        }  # fmt: skip

    def test_counts_and_repeats_come_first_and_weights_split_the_rest(self, sets: Path) -> None:
        spec = rebu(sets, total=400, art={"count": 50}, extra={"repeat": 2.5}, st={"weight": 2.0},
                    mj={"weight": 1.0, "repeat": True}, ratio=1)  # fmt: skip
        assert failure(spec) == (
            "mix recipe: source 'coco' has 40 words, fewer than the 125 asked for. "
            "Ask for less, or set repeat = true."
        )
        spec = rebu(sets, total=160, art={"count": 50}, extra={"repeat": 2.5}, st={"weight": 2.0},
                    mj={"weight": 1.0}, ratio=1)  # fmt: skip
        assert counts(spec) == {"art": 50, "coco": 5, "extra": 25, "mj": 27, "st": 53}
        assert counts(spec, "repeats")["extra"] == 2.5

    def test_every_number_is_told_before_rounding(self, sets: Path) -> None:
        manifest = mix(rebu(sets, total=400), Path("never written"), dry_run=True)
        art = manifest["sources"][0]
        assert (art["quota"], art["why"]) == (
            pytest.approx(100 * 90 / 140),
            "100 of group real x 90 / (90 + 40 + 10)",
        )
        assert art["remainder"] == pytest.approx(2 / 7)
        assert [(g["name"], g["ratio"], g["positions"], g["sources"]) for g in manifest["groups"]] == [
            ("real", 1.0, 100, ["art", "coco", "extra"]),
            ("syn", 3.0, 300, ["mj", "st"]),
            ("real/R", None, 93, ["art", "coco"]),
            ("real/E", None, 7, ["extra"]),
        ]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                {"art": {"count": 60}, "coco": {"count": 40}, "extra": {"count": 10}, "total": 400},
                "mix recipe: in group 'real' counts and repeats come to 110, more than the 100 that "
                "the ratio gives it of 400; lower them.",
            ),
            (
                {"art": {"count": 60}, "coco": {"count": 30}, "extra": {"repeat": 0.5}, "total": 400},
                "mix recipe: in group 'real' counts and repeats come to 95, less than the 100 that the ratio "
                "gives it of 400; raise one, or add a source that asks for nothing.",
            ),
        ],
    )  # fmt: skip
    def test_what_does_not_add_up(self, options: dict[str, Any], message: str, sets: Path) -> None:
        assert failure(rebu(sets, **options)) == message

    def test_all_that_repeat_need_a_total(self, sets: Path) -> None:
        spec = rebu(sets, **{name: {"repeat": True} for name in SIZES})
        assert (
            failure(spec) == "mix recipe: every source may repeat, so nothing limits the mixture; add total."
        )

    @settings(max_examples=100, deadline=None, derandomize=True)
    @given(
        sizes=st.lists(st.integers(1, 10**7), min_size=5, max_size=5),
        ratio=st.floats(0.01, 100),
        temperature=st.floats(0, 1),
    )
    def test_quotas_are_kept_within_one_and_never_exceed_what_there_is(
        self, sizes: list[int], ratio: float, temperature: float
    ) -> None:
        spec = rebu(Path("sets"), ratio=ratio, temperature=temperature)
        quotas = resolve(spec, sizes, where="mix")
        assert all(
            abs(q.positions - q.exact) < 1 and q.positions <= n for q, n in zip(quotas, sizes, strict=True)
        )
        total = sum(q.positions for q in quotas)
        real = total / (1 + Fraction(str(ratio)))
        assert abs(sum(q.positions for q in quotas[:3]) - real) < 1


class TestOrder:
    def test_ratio_and_sources_are_exact_at_every_prefix(self, sets: Path, tmp_path: Path) -> None:
        manifest = mix(rebu(sets), tmp_path / "m")
        assert [g["prefix_error"] <= 0.5 for g in manifest["groups"][:2]] == [True, True]
        assert all(s["prefix_error"] <= 1 for s in manifest["sources"])
        real = Mixture.open(tmp_path / "m").positions(0, 560)[0] < 3
        assert {int(real[k : k + 64].sum()) for k in range(496)} == {16}

    def test_batch_makes_every_batch_equal(self, sets: Path) -> None:
        spec = rebu(sets, total=420, ratio=2.1, batch=32)
        manifest = mix(spec, Path("never written"), dry_run=True)
        per_batch = {"batch": 32, "mean": 10.0, "least": 10, "most": 10, "sd": 0.0}
        assert manifest["groups"][0]["per_batch"] == per_batch
        assert manifest["n_positions"] == 32 * 12  # of 135 : 285, 10 : 22 a batch
        alone = tuple(MixSource(name=name, paths=(sets / name,)) for name in SIZES)
        manifest = mix(MixRecipe(sources=alone, batch=64), Path("never written"), dry_run=True)
        assert [s["per_batch"]["sd"] for s in manifest["sources"]] == [0.0] * 5
        assert [s["per_batch"]["least"] for s in manifest["sources"]] == [9, 4, 1, 40, 10]

    def test_batch_of_many_groups_makes_any_batch_equal(self, sets: Path, tmp_path: Path) -> None:
        group_of = {"art": "a/x", "coco": "a/y", "extra": "art", "mj": "mj", "st": "mj"}
        sources = tuple(source(sets, name, group=group) for name, group in group_of.items())
        groups = {"a": Group(ratio=5), "art": Group(ratio=1), "mj": Group(ratio=8)}
        manifest = mix(MixRecipe(sources=sources, groups=groups, batch=14), tmp_path / "m")
        assert manifest["n_positions"] == 140
        numbers = Mixture.open(tmp_path / "m").positions(0, 140)[0]
        for of, n in (((0, 1), 5), ((2,), 1), ((3, 4), 8)):
            assert {int(np.isin(numbers[k : k + 14], of).sum()) for k in range(127)} == {n}

    def test_batch_tells_a_source_from_a_group_of_its_name(self, sets: Path) -> None:
        sources = (source(sets, "coco", group="mj"), source(sets, "mj", group=None))
        manifest = mix(MixRecipe(sources=sources, batch=49), Path("never written"), dry_run=True)
        assert [(s["positions"], s["per_batch"]["sd"]) for s in manifest["sources"]] == [(32, 0), (360, 0)]

    def test_every_level_of_groups_is_told(self, sets: Path) -> None:
        deep = "/".join("abcdefghijk")
        sources = (source(sets, "art", group=deep), source(sets, "mj", group="l"))
        manifest = mix(MixRecipe(sources=sources), Path("never written"), dry_run=True)
        assert len(manifest["groups"]) == 12
        assert manifest["groups"][-1]["name"] == deep

    def test_a_batch_too_small(self, sets: Path) -> None:
        assert failure(rebu(sets, total=500, batch=600)) == (
            "mix recipe: 500 positions do not fill one batch of 600. Lower batch or ask for more."
        )
        alone = tuple(MixSource(name=name, paths=(sets / name,)) for name in SIZES)
        assert failure(MixRecipe(sources=alone, batch=8)) == (
            "mix recipe: 'extra' has 10 of 640 positions, less than half a word in a batch of 8. "
            "Raise batch, or put small sources into a group."
        )

    @settings(max_examples=15, deadline=None, derandomize=True)
    @given(small=st.integers(8, 400), more=st.integers(0, 160))
    def test_nested_by_volume(self, sets: Path, small: int, more: int) -> None:
        totals = [small, small + more]
        manifests = [mix(rebu(sets, total=n), Path("never written"), dry_run=True) for n in totals]
        got = [[s["positions"] for s in manifest["sources"]] for manifest in manifests]
        quotas = [[s["quota"] for s in manifest["sources"]] for manifest in manifests]
        if all(b >= a + 1 for a, b in zip(*quotas, strict=True)):
            assert all(b >= a for a, b in zip(*got, strict=True))


class TestCaps:
    def test_caps_of_a_source_that_is_held_out_whole(self, sets: Path) -> None:
        sources = (
            source(sets, "extra", group="real", max_per_label=1),
            source(sets, "coco", group="real/R"),
            source(sets, "st", group="syn", max_per_label=1, max_words=7),
        )
        held = Validation(source="extra", count=10)
        groups = {"real": Group(max_per_label=1)}
        assert counts(MixRecipe(sources=sources, groups=groups, validation=held)) == {
            "extra": 0, "coco": 40, "st": 7,
        }  # fmt: skip

    def test_of_a_label(self, sets: Path) -> None:
        spec = rebu(sets, None, art={"max_per_label": 3})
        assert counts(spec)["art"] == 27
        assert counts(spec, "left_out")["art"] == {"label_cap": 63}

    def test_of_a_label_over_a_group_by_its_normalised_form(self, tmp_path: Path) -> None:
        write_labels(tmp_path / "a", ["STOP"] * 8 + ["exit"])
        write_labels(tmp_path / "b", ["stop!"] * 8 + ["Exit"])
        sources = tuple(MixSource(name=n, group="g", paths=(tmp_path / n,)) for n in "ab")
        spec = MixRecipe(sources=sources, groups={"g": Group(max_per_label=5)})
        assert sum(counts(spec).values()) == 7
        left_out = counts(spec, "left_out")
        assert left_out["a"]["group_label_cap"] + left_out["b"]["group_label_cap"] == 11

    def test_capped_words_are_the_same_for_every_volume(self, sets: Path, tmp_path: Path) -> None:
        chosen = []
        for n in (5, 20, 27):
            spec = MixRecipe(sources=(source(sets, "art", max_per_label=3, count=n),))
            mix(spec, tmp_path / str(n), seed=4)
            chosen.append(set(Mixture.open(tmp_path / str(n)).training_rows(0).tolist()))
        assert chosen[0] < chosen[1] < chosen[2]

    def test_of_a_source(self, sets: Path, tmp_path: Path) -> None:
        spec = rebu(sets, None, mj={"max_words": 30})
        assert counts(spec)["mj"] == 30
        assert counts(spec, "left_out")["mj"] == {"source_cap": 370}
        assert (
            counts(rebu(sets, None, mj={"max_words": 30, "count": 100, "repeat": True}), "unique")["mj"] == 30
        )


def test_repeat_in_words_and_numbers(sets: Path) -> None:
    assert counts(rebu(sets, None, art={"repeat": 2.5}, coco={"repeat": 0.5}))["art"] == 225
    assert counts(rebu(sets, None, extra={"repeat": 1.25}))["extra"] == 13  # 12.5, halves up
