from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import linregress, t

import glyphmix
from train.laws.paper import floored, line, paper_laws, read_paper
from train.laws.paper_text import paper_text

FOUND = paper_laws(read_paper())
LAWS = {law["name"]: law for law in FOUND["laws"]}


@pytest.mark.parametrize("law", read_paper().laws, ids=lambda law: law.name)
def test_published_laws_go_through_the_points_of_the_figures(law) -> None:
    """With the signs put right; units as noted in the table."""
    for series in law.series:
        assert list(series.x) == sorted(series.x)
        for x, error in zip(series.x, series.error, strict=True):
            assert law.error(x) == pytest.approx(error, rel=0.15)


@pytest.mark.parametrize(
    ("name", "exponent", "factor"),
    [("TrOCR, model size", 0.223, 0.857), ("TrOCR, data", 0.3271, 0.797), ("TrOCR, compute", 0.764, 0.589)],
)
def test_refits_come_out_beside_the_published_exponents(name: str, exponent: float, factor: float) -> None:
    law, refit = LAWS[name], LAWS[name]["curves"][-1]["refit"]
    assert law["exponent"] == exponent
    assert refit["exponent"] == pytest.approx(exponent, abs=0.003)
    assert refit["scale"] == pytest.approx(law["scale"], rel=0.04)
    assert law["per_doubling"] == pytest.approx(factor, abs=5e-4)
    assert refit["by_scatter"]["low95"] < exponent < refit["by_scatter"]["high95"]


def test_two_printed_signs_make_errors_grow() -> None:
    grow = {name: law["as_printed_at_range"][1] > law["as_printed_at_range"][0] for name, law in LAWS.items()}
    assert [name for name, grows in grow.items() if grows] == ["TrOCR, data", "TrOCR, compute"]
    assert LAWS["TrOCR, data"]["as_printed_at_range"][1] > 1  # more errors than words


def test_scatter_gives_the_interval_of_least_squares() -> None:
    curve = LAWS["TrOCR, compute"]["curves"][1]
    x, error = (np.log([point[key] for point in curve["points"]]) for key in ("x", "error"))
    by_scipy = linregress(x, error)
    interval = curve["refit"]["by_scatter"]
    assert interval["estimate"] == pytest.approx(-by_scipy.slope)
    assert interval["high95"] == pytest.approx(-by_scipy.slope + t.ppf(0.975, 3) * by_scipy.stderr)


def test_dashed_points_are_predicted_and_not_fitted() -> None:
    curve = LAWS["TrOCR, model size"]["curves"][0]
    assert curve["refit"]["n_points"] == 3
    last = curve["last"]
    assert (last["label"], curve["points"][-1]["dashed"]) == ("TrOCR-H", True)
    assert last["predicted"]["low95"] < last["error"] == 0.0906 < last["predicted"]["high95"]
    assert curve["floor"] == {"refused": "a law with a floor needs 4 or more points, got 3"}


def test_two_points_tell_no_slope_from_none() -> None:
    refit = LAWS["PARSeq, model size"]["curves"][0]["refit"]
    assert refit["exponent"] == pytest.approx(0.023, abs=5e-4)
    assert refit["by_scatter"] is None
    assert refit["by_test_words"]["low95"] < 0 < refit["by_test_words"]["high95"]


def test_a_planted_floor_is_found_and_none_is_made_up() -> None:
    x = np.array([100.0, 300.0, 1000.0, 3000.0, 10_000.0])
    with_floor, without = 0.05 + 3 * x**-0.5, 3 * x**-0.5
    floor, part, exponent = floored(x, np.stack([with_floor, without]))
    assert floor == pytest.approx([0.05, 0], abs=1e-3)
    assert part == pytest.approx([3, 3], rel=0.02)
    assert exponent == pytest.approx([0.5, 0.5], abs=0.003)
    assert line(x, without)[1] == pytest.approx(0.5)


def test_errors_that_rise_get_a_floor_and_no_negative_part() -> None:
    floor, part, _ = floored(np.array([1.0, 2.0, 4.0, 8.0]), np.array([[0.1, 0.11, 0.12, 0.13]]))
    assert part[0] == 0
    assert 0.1 < floor[0] < 0.13


def test_a_floor_moves_what_lies_beyond_the_points() -> None:
    floor = LAWS["TrOCR, data"]["curves"][0]["floor"]
    assert floor["floor"]["low95"] < 0.01 < floor["floor"]["high95"], "the points do not settle whether"
    assert floor["error_far"]["estimate"] > floor["error_far_without"]


def test_the_command_prints_what_it_gives_as_json() -> None:
    text = CliRunner().invoke(glyphmix.main, ["laws", "--paper"], catch_exceptions=False)
    as_json = CliRunner().invoke(glyphmix.main, ["laws", "--paper", "--json"], catch_exceptions=False)
    found = json.loads(as_json.output)
    assert found == json.loads(json.dumps(FOUND))
    assert text.output == paper_text(found) + "\n"
    assert "0.223    0.2226" in text.output
    assert text.output.count("The minus sign is a misprint.") == 2
    assert "nan" not in text.output.lower()


@pytest.mark.parametrize("arguments", [[], ["out/study", "--paper"]])
def test_a_study_or_the_paper(arguments: list[str]) -> None:
    result = CliRunner().invoke(glyphmix.main, ["laws", *arguments], prog_name="glyphmix")
    assert result.exit_code == 1
    assert result.output == (
        "Error: laws needs a study or --paper, one of the two. Name the folder that 'ablate' made, or "
        "write 'glyphmix laws --paper'.\n"
    )
