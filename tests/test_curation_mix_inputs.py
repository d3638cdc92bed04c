"""The datasets that a mixture recipe names: merged ones, absent ones, test sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from word_sets import word, write_labels, write_words

from curation.core.errors import UserError
from curation.mix_recipe import Group, MixRecipe, MixSource, Validation
from curation.mixing import mix
from curation.mixture import Mixture

SIZES = {"art": 90, "coco": 40, "extra": 10, "mj": 40, "st": 10}


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three real sets, two synthetic ones. Read only."""
    folder = tmp_path_factory.mktemp("sets")
    for name, n in SIZES.items():
        write_labels(folder / name, n)
    return folder


def rebu(sets: Path, **options: Any) -> MixRecipe:
    """Real to synthetic 1 to 3; ``options`` are of the recipe or, by name, of a source."""
    sources = tuple(
        MixSource(
            **{
                "name": name,
                "paths": (sets / name,),
                "group": "syn" if name in ("mj", "st") else "real",
                **options.pop(name, {}),
            }
        )
        for name in SIZES
    )
    return MixRecipe(sources=sources, groups={"real": Group(ratio=1), "syn": Group(ratio=3)}, **options)


def failure(spec: MixRecipe, **options: Any) -> str:
    with pytest.raises(UserError) as caught:
        mix(spec, Path("never written"), dry_run=True, **options)
    return str(caught.value)


class TestRowsOfAMergedDataset:
    @pytest.fixture
    def merged(self, tmp_path: Path) -> Path:
        write_words(
            tmp_path / "all", [word(f"{name}:{i}") for name in ("art", "coco", "lsvt") for i in range(20)]
        )
        return tmp_path / "all"

    def test_are_picked_by_source(self, merged: Path, tmp_path: Path) -> None:
        sources = (
            MixSource(name="two", paths=(merged,), only=("art", "coco"), expected=40),
            MixSource(name="lsvt", paths=(merged,), only=("lsvt",), expected=8164),
        )
        manifest = mix(MixRecipe(sources=sources), tmp_path / "m")
        assert [(s["positions"], s["found"], s["left_out"]) for s in manifest["sources"]] == [
            (40, 40, {"other_source": 20}),
            (20, 20, {"other_source": 40}),
        ]
        assert manifest["warnings"] == ["source 'lsvt' has 20 rows, not the 8,164 expected"]
        mixture = Mixture.open(tmp_path / "m")
        assert mixture.training_rows(0).tolist() == list(range(40))
        assert mixture.training_rows(1).tolist() == list(range(40, 60))

    def test_must_not_overlap_and_must_exist(self, merged: Path) -> None:
        first = MixSource(name="a", paths=(merged,), only=("art", "coco"))
        assert failure(MixRecipe(sources=(first, MixSource(name="b", paths=(merged,), only=("coco",))))) == (
            f"mix recipe: dataset {merged} is named twice. Name it once, or pick other rows with 'only'."
        )
        assert failure(MixRecipe(sources=(MixSource(name="a", paths=(merged,), only=("atr",)),))) == (
            "mix recipe, source 'a': no row is of 'atr', which 'only' names. "
            "Its datasets have: art, coco, lsvt."
        )


class TestAbsent:
    def test_all_are_named_with_how_to_make_them(self, sets: Path) -> None:
        spec = rebu(sets, art={"paths": (sets / "gone",), "make": "glyphmix import art raw/art -o gone"},
                    st={"paths": (sets / "st", sets / "more")})  # fmt: skip
        assert failure(spec) == (
            f"mix recipe: 2 datasets are absent:\n"
            f"  {sets / 'gone'} of source 'art': glyphmix import art raw/art -o gone\n"
            f"  {sets / 'more'} of source 'st'\n"
            "Make them with the commands named, 'glyphmix import' or 'glyphmix render', "
            "or skip them with --skip-absent."
        )

    def test_are_skipped_when_told(self, sets: Path) -> None:
        gone = {"paths": (sets / "gone",)}
        spec = rebu(sets, total=40, art=gone, coco=gone, st={"paths": (sets / "st", sets / "more")})
        manifest = mix(spec, Path("never written"), dry_run=True, skip_absent=True)
        assert {s["name"]: s["positions"] for s in manifest["sources"]} == {"extra": 10, "mj": 24, "st": 6}
        assert [skipped["source"] for skipped in manifest["skipped"]] == ["art", "coco", "st"]
        assert manifest["warnings"][0] == f"skipped {sets / 'gone'} of source 'art': it is absent"

    def test_a_whole_group_or_the_validation_source_cannot_be_skipped(self, sets: Path) -> None:
        gone = {"paths": (sets / "gone",)}
        assert failure(rebu(sets, mj=gone, st=gone), skip_absent=True) == (
            "mix recipe: every dataset of group 'syn' is absent, so its ratio cannot be met. "
            "Make one of them."
        )
        spec = rebu(sets, mj=gone, validation=Validation(source="mj", count=1))
        assert failure(spec, skip_absent=True) == (
            "mix recipe, validation: source 'mj' is absent. Make its datasets, or name another."
        )


def test_words_of_a_test_set_are_refused_unless_allowed(tmp_path: Path) -> None:
    splits = ("train", "test", "test")
    write_words(tmp_path / "cute", [replace(word(f"cute:{i}"), split=s) for i, s in enumerate(splits)])
    sources = (MixSource(name="cute", paths=(tmp_path / "cute",)),)
    assert failure(MixRecipe(sources=sources)) == (
        f"mix recipe: source 'cute' has 2 words of a test set: rows of split 'test' in {tmp_path / 'cute'}. "
        "Give the set's training part, or set allow_test = true."
    )
    allowed = mix(MixRecipe(sources=sources, allow_test=True), tmp_path / "m", dry_run=True)
    assert allowed["n_positions"] == 3


def test_words_of_two_sources_are_told(sets: Path, tmp_path: Path) -> None:
    write_words(tmp_path / "again", [word(f"art:{i}") for i in range(80, 95)])
    sources = [("art", sets / "art"), ("coco", sets / "coco"), ("again", tmp_path / "again")]
    spec = MixRecipe(sources=tuple(MixSource(name=name, paths=(path,)) for name, path in sources))
    manifest = mix(spec, tmp_path / "m", dry_run=True)
    assert manifest["warnings"] == [
        "10 words are in both 'art' and 'again', and are mixed as if they were different"
    ]
