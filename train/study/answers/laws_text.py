"""What ``glyphmix laws`` prints of a study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from train.study.answers import words as study_words
from train.study.answers.design_words import base_words, bracket, place_label, points, with_interval
from train.study.answers.money_words import number, percent
from train.study.page.table import markdown
from train.study.rows import Study

P_LEAST = 0.001
FAR_OFF = 2  # deviance over what is expected from which a law of a design is said to miss its cells
DOUBLED = {  # what moves in a design
    "fixed_real": "the different words double, by synthetic words alone",
    "volume": "the different words double",
    "model_size": "the parameters double",
    "compute": "the samples seen double",
}


def laws_text(study: Study, laws: Mapping[str, Any]) -> str:
    """Answer and remarks, each design with its differences and laws, the joint law and what comes of it."""
    said = study_words.conclusions(study, laws)
    parts = [said["answer"], *said["remarks"], *said["notes"]]
    if len(laws["tests"]) > 1:
        parts.append("Tables of differences are of all tests together; of each test set: report, or --json.")
    for at in range(len(study.designs)):
        parts += _design(study, laws, at)
    parts += _joint(laws)
    if forecast := _forecast(laws):
        parts.append(forecast)
    return "\n\n".join(parts)


def differences(study: Study, laws: Mapping[str, Any], at: int) -> list[dict[str, Any]]:
    """Every cell of design number ``at`` against its base on every test set, word counts as text."""
    design, found = study.designs[at], []
    for cell in laws["tests"][0]["designs"][at]["differences"]:
        for test in laws["tests"]:
            of = test["designs"][at]["differences"][cell]
            seeds = list(of["by_seed"].values())
            counts = {key: ", ".join(f"{seed[key]:,}" for seed in seeds) for key in ("gained", "lost")}
            p = ", ".join(f"< {P_LEAST:g}" if s["p"] < P_LEAST else f"{s['p']:.3f}" for s in seeds)
            label = place_label(design, cell)
            found.append({**of, "cell": cell, "label": label, "test": test["name"], **counts, "p": p})
    return found


def _design(study: Study, laws: Mapping[str, Any], at: int) -> Iterator[str]:
    design = study.designs[at]
    yield " ".join([f"Design {design['name']}: {design['sentence']}", *design.get("remarks", [])])
    last = laws["tests"][-1]["name"]
    if rows := [row for row in differences(study, laws, at) if row["test"] == last]:
        head = [design["factor"], "points", "95 %", "words gained", "lost", "McNemar p"]
        body = [
            [
                row["label"],
                points(row["estimate"]),
                bracket(row["low95"], row["high95"])[1:-1].replace(",", " to"),
                row["gained"],
                row["lost"],
                row["p"],
            ]
            for row in rows
        ]
        yield f"Against {base_words(study, design)}, on {last}:\n\n{markdown(head, body)}"
    if told := law_sentences(laws, at):
        yield "\n".join(f"{tests}: {sentence}" for tests, sentence in told)


def law_sentences(laws: Mapping[str, Any], at: int) -> list[tuple[str, str]]:
    """What came of the laws of design number ``at``, for which test sets; equal refusals once."""
    tests_of: dict[str, list[str]] = {}
    for test in laws["tests"]:
        found = test["designs"][at]
        for sentence in _law_sentences(found["laws"], DOUBLED.get(found["kind"])):
            tests_of.setdefault(sentence, []).append(test["name"])
    return [(", ".join(tests), sentence) for sentence, tests in tests_of.items()]


def _law_sentences(found: list[dict[str, Any]], doubled: str | None) -> Iterator[str]:
    chosen = [law for law in found if law.get("chosen")]
    for law in chosen:
        each = ", ".join(f"{name} {_digits(value)}" for name, value in law["estimate"].items())
        off = law["held_out_error"]
        tail = "" if off is None else f"; off by {percent(off)[:-2]} points at sizes it was not fitted to"
        if law.get("misses", 1) > FAR_OFF:
            tail += f"; it misses its cells (deviance {law['misses']:.1f} times what is expected)"
        straight = set(law["estimate"]) == {"A", "a"} and "discounted" not in law["law"]
        if straight and doubled:  # of other laws the factor is another at each size
            a = law["estimate"]["a"]
            factor = f"{2 ** -a['estimate']:.3f} [{2 ** -a['high95']:.3f}, {2 ** -a['low95']:.3f}]"
            tail = f"; error falls to {factor} of itself each time {doubled}{tail}"
        yield f"{law['law']}: {each}{tail}."
    if not chosen:
        yield from dict.fromkeys(f"no law: {law['refused']}." for law in found if "refused" in law)


def _digits(value: Mapping[str, float]) -> str:
    return f"{value['estimate']:.3g} [{value['low95']:.3g}, {value['high95']:.3g}]"


def _joint(laws: Mapping[str, Any]) -> Iterator[str]:
    """The joint law on all tests together, all forms tried, and the exchange rate on every test set."""
    joint = laws["tests"][-1]["joint"]
    if "refused" in joint:
        return
    each = ", ".join(f"{name} {_digits(value)}" for name, value in joint["parameters"].items())
    left = "; ".join(f"{n} with {reason}" for reason, n in joint["left_out"].items())
    out = f" Cells left out: {left}." if left else ""
    yield (
        f"Joint law on {laws['tests'][-1]['name']}, fitted to {len(joint['fitted'])} cells, {joint['law']}: "
        f"{each}.{out}"
    )
    body = [
        [
            row["law"],
            str(row.get("parameters") or "-"),
            "-" if row["held_out_error"] is None else f"{100 * row['held_out_error']:.2f}",
            "chosen" if row["chosen"] else "",
        ]
        for row in joint["table"]
        if "refused" not in row
    ]
    yield markdown(["form", "parameters", "points off at budgets left out", ""], body)
    refused: dict[str, list[str]] = {}
    for row in joint["table"]:
        if "refused" in row:
            refused.setdefault(row["refused"], []).append(row["law"])
    if refused:
        yield "\n".join(f"Not compared: {'; '.join(names)}: {why}." for why, names in refused.items())
    body = [_money(test) for test in laws["tests"]]
    real, synthetic = joint["names"].values()
    worth = f"{synthetic} words worth one {real} word"
    head = ["test set", worth, "the same at equal passes", f"doubling {real} words buys"]
    yield markdown([*head, f"doubling {synthetic} words buys"], body)


def _money(test: Mapping[str, Any]) -> list[str]:
    exchange, doubled = test["exchange"], test["doubling"]
    rates, gains = [], ["not told", "not told"]
    for found in (exchange, exchange.get("equal_passes", {})):
        rate = found.get("rate")
        interval = f"[{number(rate['low95'])}, {number(rate['high95'])}]" if rate else ""
        rates.append(f"{number(rate['estimate'])} {interval}" if rate else "not told")
    if "refused" not in doubled:
        gains = [f"{with_interval(doubled[kind])} points" for kind in ("real", "synthetic")]
    return [test["name"], *rates, *gains]


def _forecast(laws: Mapping[str, Any]) -> str:
    head = ["predicted before it was read", "test set", "by", "predicted %", "95 %", "came out %", ""]
    body, refused = [], {}
    for test in laws["tests"]:
        for entry in test["forecast"]:
            if "refused" in entry:
                refused[f"The {entry['by']} law foretold nothing: {entry['refused']}."] = None
                continue
            of = entry["predicted"]
            body.append(
                [
                    entry["cell"],
                    test["name"],
                    entry["by"],
                    f"{100 * of['estimate']:.1f}",
                    f"{100 * of['low95']:.1f} to {100 * of['high95']:.1f}",
                    f"{100 * entry['observed']:.1f}",
                    "inside 80 %" if entry["inside80"] else "inside 95 %" if entry["inside95"] else "outside",
                ]
            )
    return "\n\n".join(
        [*([markdown(head, body)] if body else []), *(["\n".join(refused)] if refused else [])]
    )
