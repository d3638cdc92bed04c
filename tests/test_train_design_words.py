"""What each design takes, says and refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from study_fakes import dataset
from study_tiny import TINY, lay_out, recipe, table

from curation.core.errors import UserError
from curation.core.recipe import build
from train.study.cells import Cell, Stage, changed, distinct, unlike
from train.study.parts import split
from train.study.plan import Plan, plan
from train.study.recipe import StudyRecipe

MODEL = {**TINY["model"], "kind": "conv_ctc"}


@pytest.fixture(autouse=True)
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay_out(tmp_path, monkeypatch)


def planned(*designs: dict[str, Any], **changes: Any) -> Plan:
    return plan(recipe(*designs, **{"held_out": "largest", **changes}), Path("out"))


def places(study: Plan) -> list[tuple[str, float | None, str]]:
    return [(place["label"], place["x"], place["cell"]) for place in study.designs[0]["places"]]


def test_volume_takes_shares_of_the_most_that_its_ratio_allows() -> None:
    assert places(planned({"kind": "volume", "ratio": 3, "shares": [1, 0.25]})) == [
        ("40", 40, "real10-rendered30"),
        ("160", 160, "real40-rendered120"),
    ]
    assert places(planned({"kind": "volume", "ratio": 0, "totals": [40, 10]})) == [
        ("10", 10, "real10"),
        ("40", 40, "real40"),
    ]
    assert places(planned({"kind": "volume", "ratio": 6, "shares": [1]}))[0][2] == "real20-rendered120"


def test_compute_counts_samples_and_leaves_the_recipes_own_steps_out_of_the_name() -> None:
    study = planned({"kind": "compute", "steps": [24, 6, 12], "ratio": 1})
    assert places(study) == [
        ("96", 96, "real40-rendered40-steps6"),
        ("192", 192, "real40-rendered40"),
        ("384", 384, "real40-rendered40-steps24"),
    ]
    assert study.held_out == ("real40-rendered40-steps24",)
    assert study.designs[0]["sentence"] == (
        "The number of samples seen moves from 96 to 384 on the same 40 real and 40 rendered words, with the "
        "learning rate's schedule drawn out over them; not held fixed is how often each word is seen, which "
        "grows with their number."
    )


def test_a_model_that_differs_in_one_key_is_named_by_it() -> None:
    models = [
        {"name": "wide", "model": {**MODEL, "tail": 32}, "lr": 1e-3},
        {"name": "own", "model": MODEL},
        {"name": "other", "model": {"kind": "vit_ctc"}},
    ]
    study = planned({"kind": "model_size", "models": models, "ratio": 0})
    assert [place["label"].split(",")[0] for place in study.designs[0]["places"]] == ["own", "wide", "other"]
    own, wide, other = (place["cell"] for place in study.designs[0]["places"])
    assert (own, wide) == ("real40", "real40-lr0.001-tail32")
    assert other.startswith("real40-model-vit_ctc-")
    assert study.remarks[0] == (
        "Design model_size trains other at the recipe's learning rate, 0.002, which was not chosen for it: "
        "a size may look worse than it is. Give each model a key 'lr'."
    )


def test_pretraining_shares_the_steps_among_its_stages() -> None:
    orders = ["synthetic_then_real", "real", "together"]
    design = {"kind": "pretrain", "orders": orders, "ratio": 1, "shares": [0.75, 0.25], "second_lr": 1e-4}
    study = planned(design)
    assert places(study) == [
        ("synthetic then real", None, "rendered40-steps9--then--real40-lr0.0001-steps3"),
        ("real", None, "real40"),
        ("together", None, "real40-rendered40"),
    ]
    assert study.designs[0]["base"] == "real40"
    assert study.cells[0].words == {"rendered": 40, "real": 40}
    assert study.designs[0]["sentence"] == (
        "The order in which 40 real and 40 rendered words are met moves (synthetic then real, real and "
        "together), and every run sees 192 samples, those of two trainings 75 % and 25 % of them; not held "
        "fixed are how often each word is seen, and the learning rate, which rises and falls once in each "
        "training."
    )


def test_imagenet_begins_with_the_weights_that_are_given() -> None:
    weights = {"name": "vit_tiny_patch16_224.augreg_in21k"}
    orders = ["together", "imagenet"]
    study = planned({"kind": "pretrain", "orders": orders, "ratio": 1, "weights": weights})
    (stage,) = study.cells[1].stages
    begun = changed(study.recipe.training, stage.changes).init
    assert (begun.kind, begun.name) == ("timm", weights["name"])


def test_a_ladder_takes_whole_parts_and_says_that_volume_moves_too(words: Path) -> None:
    dataset(words / "extra", 30)
    parts = [*table()["parts"], {"name": "extra", "kind": "real", "paths": ["extra"]}]
    ladder = {"kind": "composition", "rungs": [["real"], ["real", "extra"]]}
    study = planned(ladder, parts=parts)
    assert places(study) == [("real", None, "real40"), ("real + extra", None, "real40-extra30")]
    assert study.remarks == (
        "Design composition moves the volume with the parts: 40 in real and 70 in real + extra different "
        "words. What it gains may be either's doing; its key 'total' holds the volume fixed.",
    )
    held = planned({**ladder, "total": 35}, parts=parts)
    assert [cell.words for cell in held.cells] == [{"real": 35}, {"real": 20, "extra": 15}]
    assert held.remarks == ()


def test_sources_are_compared_on_equally_many_words(words: Path) -> None:
    dataset(words / "drawn", 50)
    parts = [*table()["parts"], {"name": "drawn", "kind": "synthetic", "paths": ["drawn"]}]
    study = planned({"kind": "source", "sources": ["drawn", "rendered"], "ratio": 1}, parts=parts)
    assert [cell.words for cell in study.cells] == [
        {"real": 40, "drawn": 40},
        {"real": 40, "rendered": 40},
    ]


def test_a_ratio_at_moving_volume_is_said_to_be_confounded() -> None:
    assert planned().remarks == (
        "Design fixed_real moves the volume with the ratio: 40 different words at 0 and 160 at 3. What it "
        "gains may be either's doing; fixed_total tells them apart.",
    )
    assert planned({"kind": "fixed_total", "ratios": [0, 3]}).remarks == ()


@pytest.mark.parametrize(
    ("design", "message"),
    [
        (
            {"kind": "volume", "ratio": 1},
            "study.toml, designs[0] (volume): the design takes totals or shares, one of them.",
        ),
        (
            {"kind": "volume", "ratio": 1, "shares": [0.5, 2]},
            "study.toml, designs[0] (volume): shares must be above 0 and up to 1, got [0.5, 2.0].",
        ),
        (
            {"kind": "volume", "ratio": -1, "totals": [5]},
            "study.toml, designs[0] (volume): ratio must be 0 or more, got -1.",
        ),
        (
            {"kind": "grid", "real": [0], "synthetic": [0]},
            "design grid has no cell: it asks for no words at all. Add a number above 0.",
        ),
        (
            {"kind": "volume", "ratio": 1, "totals": [20], "synthetic": "renderd"},
            "unknown synthetic part 'renderd' in design volume. Did you mean 'rendered'?",
        ),
        (
            {"kind": "composition", "rungs": [["real"], ["rael"]]},
            "unknown part 'rael' in design composition. Did you mean 'real'?",
        ),
        (
            {"kind": "composition", "rungs": [["real", "rendered"], ["rendered", "real"]]},
            "study.toml, designs[0] (composition): rungs must be different lists of parts, "
            "got [['real', 'rendered'], ['rendered', 'real']].",
        ),
        (
            {"kind": "source", "sources": ["rendered"], "ratio": 0},
            "study.toml, designs[0] (source): ratio must be above 0, or there are no words to compare.",
        ),
        (
            {"kind": "pretrain", "orders": ["imagenet"], "ratio": 1},
            "study.toml, designs[0] (pretrain): the order imagenet needs weights, "
            "and no other order takes any.",
        ),
        (
            {"kind": "pretrain", "orders": ["real"], "ratio": 1, "shares": [0.5, 0.6]},
            "study.toml, designs[0] (pretrain): shares must be two numbers above 0 that add up to 1, "
            "got [0.5, 0.6].",
        ),
        (
            {"kind": "compute", "steps": [0], "ratio": 1},
            "study.toml, designs[0] (compute): steps must be different numbers of 1 or more, got [0].",
        ),
        (
            {"kind": "model_size", "models": [{"name": "a", "model": MODEL, "lr": 0}], "ratio": 1},
            "study.toml, designs[0] (model_size), models[0]: lr must be above 0, got 0.",
        ),
        (
            {"kind": "ratio"},
            "unknown design 'ratio' in study.toml, designs[0]. Known: composition, compute, fixed_real, "
            "fixed_total, grid, model_size, pretrain, source, volume.",
        ),
    ],
)
def test_what_does_not_fit_a_design_is_refused(design: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as refusal:
        planned(design)
    assert str(refusal.value) == message


def test_parts_are_split_in_proportion_and_never_lose_when_more_is_taken() -> None:
    sizes = {"a": 1500, "b": 811, "c": 3, "d": 0}
    before = dict.fromkeys(sizes, 0)
    for n in range(2315):
        now = split(n, sizes)
        assert sum(now.values()) == n
        assert all(before[part] <= now[part] <= sizes[part] for part in sizes)
        assert all(abs(now[part] - n * sizes[part] / 2314) < 2 for part in sizes)
        before = now
    assert now == sizes


def test_cells_that_would_share_a_name_say_their_content() -> None:
    """Part ``a1`` with 2 words and part ``a`` with 12; ``B`` and ``b`` for systems that fold case."""
    words = {"a1": 2}, {"a": 12}, {"B": 5}, {"b": 5}, {"c": 5}
    cells = distinct([Cell.of(Stage(words=taken)) for taken in words])
    assert [cell.name[:-8] for cell in cells[:4]] == ["a12-", "a12-", "B5-", "b5-"]
    assert cells[4].name == "c5"
    assert len({cell.name for cell in cells}) == 5


def test_a_long_name_is_shortened_and_stays_its_own() -> None:
    many = {f"part_number_{i}": 1000 for i in range(20)}
    one, other = (Cell.of(Stage(words={**many, "last": n})) for n in (1, 2))
    assert len(one.name) == 120
    assert one.name != other.name
    assert len(Cell.of(Stage(words={"写真の語" * 20: 5})).name.encode()) <= 120


def test_changes_are_only_what_differs_from_the_recipe() -> None:
    train = build(StudyRecipe, table(), where="study.toml").train
    assert unlike(train, steps=12, lr=1e-3) == {"lr": 1e-3}
    assert changed(train, {"model.tail": 32, "steps": 7}).model.tail == 32
