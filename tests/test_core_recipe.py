"""Recipes are read strictly, and every message says what, where and what next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

from curation.core import recipe
from curation.core.errors import UserError, unknown_name
from curation.core.registry import Registry

effects: Registry[Any] = Registry("effect")


@effects.add("blur")
@dataclass(frozen=True, kw_only=True)
class Blur:
    kind: ClassVar[str]
    sigma_px: tuple[float, float] = (0.0, 1.0)


@effects.add("noise")
@dataclass(frozen=True, kw_only=True)
class Noise:
    kind: ClassVar[str]
    share: float

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share must be from 0 to 1, got {self.share}")


@dataclass(frozen=True, kw_only=True)
class Part:
    name: str
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Everything:
    """A field of every type that a recipe may have."""

    count: int
    ratio: float = 0.5
    title: str | None = None
    strict: bool = True
    mode: Literal["fast", "exact"] = "fast"
    folder: Path = Path("out")
    size_px: tuple[int, int] = (8, 32)
    sizes: tuple[int, ...] = ()
    part: Part | None = None
    parts: tuple[Part, ...] = ()
    table: dict[str, float] | None = None
    effect: Any = recipe.component(effects, default=None)  # noqa: RUF009
    effects: tuple[Any, ...] = recipe.component(effects, default=())


def load(tmp_path: Path, text: str) -> Everything:
    path = tmp_path / "mix.toml"
    path.write_text(text, encoding="utf-8")
    return recipe.load(path, Everything)


def test_every_type_is_read(tmp_path: Path) -> None:
    read = load(
        tmp_path,
        """
        count = 3
        ratio = 2
        title = "naïve"
        strict = false
        mode = "exact"
        folder = "out/x"
        size_px = [4, 4]
        sizes = [1, 2, 3]
        part = { name = "p" }
        table = { a = 1, b = 0.5 }
        effect = { kind = "blur", sigma_px = [0.5, 2] }
        [[parts]]
        name = "q"
        weight = 2
        [[effects]]
        kind = "noise"
        share = 0.1
        [[effects]]
        kind = "blur"
        """,
    )
    assert read == Everything(
        count=3,
        ratio=2.0,
        title="naïve",
        strict=False,
        mode="exact",
        folder=Path("out/x"),
        size_px=(4, 4),
        sizes=(1, 2, 3),
        part=Part(name="p"),
        parts=(Part(name="q", weight=2.0),),
        table={"a": 1.0, "b": 0.5},
        effect=Blur(sigma_px=(0.5, 2.0)),
        effects=(Noise(share=0.1), Blur()),
    )
    assert isinstance(read.ratio, float)


def test_resolved_writes_every_default_out() -> None:
    plain = recipe.resolved(Everything(count=1, part=Part(name="p"), effects=(Blur(),)))
    assert plain == {
        "count": 1,
        "ratio": 0.5,
        "title": None,
        "strict": True,
        "mode": "fast",
        "folder": "out",
        "size_px": [8, 32],
        "sizes": [],
        "part": {"name": "p", "weight": 1.0},
        "parts": [],
        "table": None,
        "effect": None,
        "effects": [{"kind": "blur", "sigma_px": [0.0, 1.0]}],
    }


def test_resolved_can_be_built_again() -> None:
    first = Everything(count=1, parts=(Part(name="p"),), effects=(Noise(share=0.5),))
    assert recipe.build(Everything, recipe.resolved(first), where="again") == first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cuont = 1", "unknown key 'cuont' in mix.toml. Did you mean 'count'?"),
        (
            "count = 1\nzzz = 1",
            "unknown key 'zzz' in mix.toml. Known: count, effect, effects, folder, mode, part, parts, ratio, "
            "size_px, sizes, strict, table, title.",
        ),
        (
            'count = 1\n[[parts]]\nname = "a"\n[[parts]]\nname = "b"\nwieght = 2',
            "unknown key 'wieght' in mix.toml, parts[1]. Did you mean 'weight'?",
        ),
        ("ratio = 1.0", "mix.toml lacks the key 'count'. Add it; it has no default."),
        (
            "count = 1\nparts = [{}]",
            "mix.toml, parts[0] lacks the key 'name'. Add it; it has no default.",
        ),
        ("count = 1.5", "mix.toml, count must be a whole number, got 1.5. Mend the recipe."),
        ("count = true", "mix.toml, count must be a whole number, got True. Mend the recipe."),
        ("count = 1\nratio = '1'", "mix.toml, ratio must be a number, got '1'. Mend the recipe."),
        ("count = 1\nratio = true", "mix.toml, ratio must be a number, got True. Mend the recipe."),
        ("count = 1\ntitle = 3", "mix.toml, title must be a text, got 3. Mend the recipe."),
        ("count = 1\nstrict = 1", "mix.toml, strict must be true or false, got 1. Mend the recipe."),
        ("count = 1\nfolder = 1", "mix.toml, folder must be a path, got 1. Mend the recipe."),
        ("count = 1\nratio = nan", "mix.toml, ratio is nan. Give a finite number."),
        ("count = 1\nratio = -inf", "mix.toml, ratio is -inf. Give a finite number."),
        ("count = 1\nmode = 'fats'", "unknown value 'fats' in mix.toml, mode. Did you mean 'fast'?"),
        ("count = 1\nmode = []", "unknown value '[]' in mix.toml, mode. Known: exact, fast."),
        (
            "count = 1\nsize_px = [9, 3]",
            "mix.toml, size_px goes from 9 down to 3. Put the lesser value first.",
        ),
        (
            "count = 1\nsize_px = [9]",
            "mix.toml, size_px must have 2 values, got 1. Write it as [least, greatest].",
        ),
        ("count = 1\nsize_px = 9", "mix.toml, size_px must be a list, got 9. Write it in square brackets."),
        (
            "count = 1\nsizes = [1, 'a']",
            "mix.toml, sizes[1] must be a whole number, got 'a'. Mend the recipe.",
        ),
        ("count = 1\npart = 3", "mix.toml, part must be a table, got 3. Write its keys below it."),
        ("count = 1\ntable = 3", "mix.toml, table must be a table, got 3. Write it as [table]."),
        ("count = 1\ntable = {a = 'x'}", "mix.toml, table.a must be a number, got 'x'. Mend the recipe."),
        (
            "count = 1\n[effect]\nkind = 'blurr'",
            "unknown effect 'blurr' in mix.toml, effect. Did you mean 'blur'?",
        ),
        (
            "count = 1\n[[effects]]\nkind = 'blur'\nsigma = 1",
            "unknown key 'sigma' in mix.toml, effects[0] (blur). Did you mean 'sigma_px'?",
        ),
        (
            "count = 1\n[[effects]]\nkind = 'noise'\nshare = 2",
            "mix.toml, effects[0] (noise): share must be from 0 to 1, got 2.0.",
        ),
        (
            "count = 1\n[effect]\nshare = 2",
            "mix.toml, effect must be a table with the key 'kind'. Known effects: blur, noise.",
        ),
        ("count = 1\n[effect]\nkind = []", "mix.toml, effect, kind must be a text, got []. Mend the recipe."),
    ],
)
def test_what_does_not_fit(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        load(tmp_path, text)
    assert str(caught.value) == message


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        recipe.load(tmp_path / "gone.toml", Everything)
    assert str(caught.value) == f"recipe {tmp_path / 'gone.toml'} does not exist. Check the path."


def test_no_toml(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        load(tmp_path, "count = \n")
    assert str(caught.value) == (
        f"{tmp_path / 'mix.toml'} is not valid TOML: Invalid value (at line 1, column 9). "
        "Mend that line and run again."
    )


def test_no_text(tmp_path: Path) -> None:
    (tmp_path / "mix.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError) as caught:
        recipe.load(tmp_path / "mix.toml", Everything)
    assert str(caught.value).startswith(
        f"{tmp_path / 'mix.toml'} is not valid TOML: 'utf-8' codec can't decode"
    )


class TestFind:
    @pytest.fixture
    def shipped(self, tmp_path: Path) -> Path:
        for name in ("street", "book"):
            (tmp_path / f"{name}.toml").touch()
        return tmp_path

    def test_by_path_and_by_name(self, shipped: Path) -> None:
        assert recipe.find("street", shipped) == shipped / "street.toml"
        assert recipe.find(str(shipped / "book.toml"), shipped) == shipped / "book.toml"

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("stret", "unknown recipe 'stret'. Did you mean 'street'?"),
            ("zzz", "unknown recipe 'zzz'. Known: book, street."),
            ("own/street", "recipe own/street does not exist. Check the path; shipped: book, street."),
            ("/", "recipe / is a folder, not a file. Check the path; shipped: book, street."),
            ("street.tml", "recipe street.tml does not exist. Check the path; shipped: book, street."),
        ],
    )
    def test_not_found(self, name: str, message: str, shipped: Path) -> None:
        with pytest.raises(UserError) as caught:
            recipe.find(name, shipped)
        assert str(caught.value) == message


def test_unknown_name_offers_up_to_three_or_all() -> None:
    assert str(unknown_name("set", "set0", ["set1", "set2", "set3", "set4", "other"])) == (
        "unknown set 'set0'. Did you mean 'set4' or 'set3' or 'set2'?"
    )
    assert str(unknown_name("set", "zzz", ["b", "a"], where="x.toml")) == (
        "unknown set 'zzz' in x.toml. Known: a, b."
    )


def test_registry_is_sorted_and_refuses_a_name_twice() -> None:
    parts: Registry[Any] = Registry("part")
    for name in ("b", "c", "a"):
        parts.add(name)(type(name, (), {}))
    assert list(parts) == ["a", "b", "c"]
    assert parts.get("c").kind == "c"
    with pytest.raises(ValueError, match=r"^two parts are called 'a'"):
        parts.add("a")(type("other", (), {}))
