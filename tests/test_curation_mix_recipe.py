"""What a mixture recipe may say, and how many positions each source then gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from word_sets import write_labels

from curation.core.errors import UserError
from curation.mix_recipe import MixRecipe, MixSource, load_mix
from curation.mixing import mix

RECIPES = Path(__file__).parents[1] / "curation" / "recipes"


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real words: 150 of which 10 fall out, and 60; rendered words: 900. Read only."""
    folder = tmp_path_factory.mktemp("sets")
    write_labels(folder / "street", [f"w{i}" if i % 15 else "!!!" for i in range(150)])
    write_labels(folder / "book", 60)
    write_labels(folder / "rendered", 900)
    return folder


def real(sets: Path, **options: Any) -> MixSource:
    return MixSource(name="real", paths=(sets / "street", sets / "book"), **options)


def synthetic(sets: Path, **options: Any) -> MixSource:
    return MixSource(name="synthetic", paths=(sets / "rendered",), **options)


def counts(sets: Path, *sources: MixSource, **options: Any) -> list[int]:
    spec = MixRecipe(sources=sources, **options)
    manifest = mix(spec, sets / "never written", dry_run=True)
    assert not (sets / "never written").exists()
    return [source["positions"] for source in manifest["sources"]]


class TestCounts:
    def test_nothing_asked_is_all_of_it(self, sets: Path) -> None:
        assert counts(sets, real(sets), synthetic(sets)) == [200, 900]

    def test_share_beside_all_needs_no_total(self, sets: Path) -> None:
        assert counts(sets, real(sets), synthetic(sets, share=0.75)) == [200, 600]
        assert counts(sets, real(sets, count=7), synthetic(sets, share=0.1)) == [7, 1]

    def test_weights_go_as_far_as_the_source_that_runs_out_first(self, sets: Path) -> None:
        assert counts(sets, real(sets, weight=1), synthetic(sets, weight=3)) == [200, 600]
        assert counts(sets, real(sets, weight=1), synthetic(sets, weight=9)) == [100, 900]
        assert counts(sets, real(sets, weight=1, repeat=True), synthetic(sets, weight=1)) == [900, 900]

    def test_total_is_split_by_weight_after_counts_and_shares(self, sets: Path) -> None:
        assert counts(sets, real(sets, weight=1), synthetic(sets, weight=2), total=100) == [33, 67]
        assert counts(sets, real(sets, count=50), synthetic(sets, weight=2), total=80) == [50, 30]
        assert counts(sets, real(sets, share=0.1), synthetic(sets, weight=2), total=80) == [8, 72]
        assert counts(sets, real(sets, share=0.25), synthetic(sets, share=0.75), total=400) == [100, 300]

    def test_a_source_may_have_no_position(self, sets: Path) -> None:
        assert counts(sets, real(sets), synthetic(sets, count=0)) == [200, 0]
        assert counts(sets, real(sets, weight=1), synthetic(sets, weight=0)) == [200, 0]

    @pytest.mark.parametrize(
        ("first", "second", "total", "message"),
        [
            (
                {"count": 300},
                {},
                None,
                "mix recipe: source 'real' has 200 words, fewer than the 300 asked for. "
                "Ask for less, or set repeat = true.",
            ),
            (
                {"share": 0.5},
                {"share": 0.5},
                None,
                "mix recipe: shares alone do not say how many words; add total, or a source with a count.",
            ),
            (
                {},
                {"weight": 3.0},
                None,
                "mix recipe: weights beside counts or shares need a total; add total.",
            ),
            (
                {"weight": 1.0, "repeat": True},
                {"weight": 1.0, "repeat": True},
                None,
                "mix recipe: every source may repeat, so nothing limits the mixture; add total.",
            ),
            (
                {"count": 100},
                {"count": 100},
                150,
                "mix recipe: counts and shares come to 200, more than the total of 150; lower them.",
            ),
            (
                {"count": 100},
                {"share": 0.1},
                150,
                "mix recipe: counts and shares come to 115, less than the total of 150; "
                "raise one, or drop total.",
            ),
            (
                {"count": 0},
                {"weight": 0.0},
                None,
                "mix recipe: the mixture would be empty. Ask for at least one word.",
            ),
            (
                {"count": 2**31 - 1, "repeat": True},
                {"count": 1},
                None,
                "mix recipe: 2147483648 positions are more than the 2147483647 a mixture can have. "
                "Ask for less: training goes over a mixture as often as it needs.",
            ),
        ],
    )
    def test_what_does_not_add_up(
        self, first: dict[str, Any], second: dict[str, Any], total: int | None, message: str, sets: Path
    ) -> None:
        with pytest.raises(UserError) as caught:
            counts(sets, real(sets, **first), synthetic(sets, **second), total=total)
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[[sources]]\nname = "a"\npaths = ["x"]\n[[sources]]\nname = "b"\npaths = ["y"]\nwieght = 2\n',
            "unknown key 'wieght' in mix.toml, sources[1]. Did you mean 'weight'?",
        ),
        ('sources = []\nprotocol = "exact"', "mix.toml: there are no sources; add a table [[sources]]."),
        (
            '[[sources]]\nname = "a"\npaths = []\n',
            "mix.toml, sources[0]: source 'a' has no paths; give the folder of at least one dataset.",
        ),
        (
            '[[sources]]\nname = "a"\npaths = ["x"]\ncount = 3\nshare = 0.5\n',
            "mix.toml, sources[0]: source 'a' has both count and share; keep one of them.",
        ),
        (
            '[[sources]]\nname = "a"\npaths = ["x"]\nshare = 1.5\n',
            "mix.toml, sources[0]: share must be from 0 to 1, got 1.5.",
        ),
        (
            '[[sources]]\nname = "a"\npaths = ["x"]\ncount = -1\n',
            "mix.toml, sources[0]: count must be 0 or more, got -1.",
        ),
        (
            '[[sources]]\nname = "a"\npaths = ["x"]\n[[sources]]\nname = "a"\npaths = ["y"]\n',
            "mix.toml: two sources are called 'a'; give each a name of its own.",
        ),
        (
            'total = 0\n[[sources]]\nname = "a"\npaths = ["x"]\n',
            "mix.toml: total must be 1 or more, got 0.",
        ),
        (
            '[[sources]]\nname = "a"\npaths = ["x"]\n[validation]\nsource = "b"\ncount = 5\n',
            "mix.toml: validation names the source 'b'; known: a.",
        ),
        (
            '[[sources]]\nname = "a"\npaths = ["x"]\n[validation]\nsource = "a"\ncount = 0\n',
            "mix.toml, validation: count must be 1 or more, got 0.",
        ),
    ],
)
def test_recipes_that_do_not_fit(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "mix.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        mix(tmp_path / "mix.toml", tmp_path / "m")
    assert str(caught.value) == message


def test_unknown_protocol_is_told_with_its_recipe(sets: Path, tmp_path: Path) -> None:
    path = tmp_path / "mix.toml"
    path.write_text(f'protocol = "parseq63"\n[[sources]]\nname = "a"\npaths = ["{sets / "book"}"]\n')
    with pytest.raises(UserError) as caught:
        mix(path, tmp_path / "m")
    assert str(caught.value) == (
        "unknown protocol 'parseq63' in mix.toml. Did you mean 'parseq62' or 'parseq36' or 'parseq94'?"
    )


def test_recipe_and_path_of_it_give_the_same_mixture(sets: Path, tmp_path: Path) -> None:
    path = tmp_path / "mix.toml"
    path.write_text(f'total = 20\n[[sources]]\nname = "a"\npaths = ["{sets / "book"}"]\nweight = 1\n')
    assert mix(path, tmp_path / "m", dry_run=True) == mix(load_mix(path), tmp_path / "m", dry_run=True)


@pytest.mark.parametrize(
    ("name", "sources"),
    [
        ("example_mix", ["real", "synthetic"]),
        ("grouped_mix", ["iiit5k", "icdar2015", "svt", "rendered"]),
        ("real_words", ["rendered", "real"]),
    ],
)
def test_shipped_examples_load_and_say_what_they_are(name: str, sources: list[str]) -> None:
    path = RECIPES / f"{name}.toml"
    spec = load_mix(path)
    assert [source.name for source in spec.sources] == sources
    head = path.read_text(encoding="utf-8").split("\n\n")[0]
    assert all(f"# {word}:" in head for word in ("Source", "Needs", "Cost", "Expected", "Command"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'group = "a//b"',
            "mix.toml, sources[0]: group must be a name, or names with / between them, got 'a//b'.",
        ),
        ("repeat = -1", "mix.toml, sources[0]: repeat must be true, false, or 0 or more times, got -1.0."),
        (
            'repeat = "yes"',
            "mix.toml, sources[0], repeat must be true or false or a number, got 'yes'. Mend the recipe.",
        ),
        (
            "repeat = 2\ncount = 5",
            "mix.toml, sources[0]: source 'a' has both count and repeat; keep one of them.",
        ),
        ("max_words = 0", "mix.toml, sources[0]: max_words must be 1 or more, got 0."),
        ("proportion = 2", "mix.toml, sources[0]: proportion must be from 0 to 1, got 2.0."),
        ("[groups.R]\nratio = 1", "mix.toml: no source belongs to the group 'R'; groups of sources: none."),
        (
            'group = "R"\n[groups.R]\nratio = -1',
            "mix.toml, groups.R: ratio must be 0 or more, got -1.0.",
        ),
        (
            'group = "R"\n[groups.R]\ntemperature = 2',
            "mix.toml, groups.R: temperature must be from 0 to 1, got 2.0.",
        ),
        (
            'group = "real/R"\n[groups."real/R"]\nratio = 1',
            "mix.toml: group 'real/R' has a ratio; only an outermost group can have one.",
        ),
        (
            'group = "R"\n[[sources]]\nname = "b"\npaths = ["y"]\n[groups.R]\nratio = 1',
            "mix.toml: source 'b' has no group, but groups have a ratio; give it one.",
        ),
        (
            'group = "R"\n[[sources]]\nname = "b"\npaths = ["y"]\ngroup = "S"\n[groups.R]\nratio = 1',
            "mix.toml: group 'S' has no ratio, but others have; add [groups.S] ratio.",
        ),
        (
            'group = "R"\nshare = 0.5\n[groups.R]\nratio = 1',
            "mix.toml: source 'a' has a share of all positions, but its group's part is what it shares in; "
            "give it a weight, count or repeat.",
        ),
        (
            'group = "R"\nweight = 1\n[[sources]]\nname = "b"\npaths = ["y"]\ngroup = "R"\n'
            "[groups.R]\nratio = 1",
            "mix.toml: in group 'R' the source 'a' has a weight and 'b' none; "
            "give one to every source that has no count or repeat, or to none.",
        ),
    ],
)
def test_recipes_with_groups_that_do_not_fit(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "mix.toml").write_text(f'[[sources]]\nname = "a"\npaths = ["x"]\n{text}\n')
    with pytest.raises(UserError) as caught:
        mix(tmp_path / "mix.toml", tmp_path / "m")
    assert str(caught.value) == message
