"""The sentences of the joint law: exchange rate, doubling, best split, and forecast against outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from train.laws.exchange import BEYOND as TIMES
from train.study.answers.design_words import with_interval

BEYOND = " This lies beyond the sizes tried."


def rate_clause(test: Mapping[str, Any]) -> str | None:
    """What one more real word is worth; None where the runs do not tell, or the law could not be checked.

    In runs as long as those of the study if they tell that, else in runs that grow with their words.
    """
    if (exchange := _exchange(test)) is None or unchecked(test):
        return None
    real, synthetic = test["joint"]["names"].values()
    rate = exchange["rate"]
    how = "" if exchange is test["exchange"] else ", if each word is seen as often as before,"
    return (
        f"One more {real} word is worth {number(rate['estimate'])} {synthetic} ones "
        f"[{number(rate['low95'])}, {number(rate['high95'])}]{how} on {test['name']}"
    )


def unchecked(test: Mapping[str, Any]) -> str | None:
    """What to say of a joint law whose form no volume left out could test; None if one could."""
    table = test["joint"].get("table", [])
    if all(row["held_out_error"] is not None for row in table if row.get("chosen")):
        return None
    real, _ = test["joint"]["names"].values()
    return (
        f"the form of the joint law is taken on trust on {test['name']}, and what it says of {real} and "
        "other words with it: without any one volume too few cells are left to test it on. Add cells with "
        f"other numbers of {real} words"
    )


def _exchange(test: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The exchange rate to speak of, if there is one."""
    for found in (test["exchange"], test["exchange"].get("equal_passes", {"refused": ""})):
        if "refused" not in found:
            told: Mapping[str, Any] = found
            return told
    return None


def next_sentence(test: Mapping[str, Any]) -> str | None:
    """Which words to get next, and what they buy; None where the runs do not tell, or not reliably."""
    if (exchange := _exchange(test)) is None or "refused" in test["doubling"] or unchecked(test):
        return None
    real, synthetic = test["joint"]["names"].values()
    at, rate, doubled = exchange["at"], exchange["rate"], test["doubling"]
    by = "by the law, beyond the sizes tried," if doubled["beyond"] else "by the law,"
    how = "" if exchange is test["exchange"] else ", in runs that see each word as often as before"
    return (
        f"At {at['n_real']:,.0f} {real} and {at['n_synthetic']:,.0f} {synthetic} words, {real} words are "
        f"what to get next if one costs less than {number(rate['estimate'])} {synthetic} ones{how}: {by} "
        f"doubling the {real} words buys {with_interval(doubled['real'])} points on {test['name']}, doubling "
        f"the {synthetic} words {with_interval(doubled['synthetic'])}, in runs that see as many samples as "
        "before (95 % intervals)."
    )


def law_remarks(test: Mapping[str, Any]) -> list[str]:
    """What there is to say of the joint law on one test set, or why there is nothing."""
    if "refused" in test["joint"]:
        return [f"No exchange rate: {test['joint']['refused']}."]
    sentence = next_sentence(test)
    found = [sentence] if sentence else []
    if "refused" in test["exchange"]:
        found.append(f"No exchange rate at equal samples on {test['name']}: {test['exchange']['refused']}.")
    found += law_caveats(test)
    if (misses := test["joint"]["misses"]) > 1:
        noise = "seeds and test words explain" if test["seed_sd"] is not None else "test words explain"
        found.append(
            f"The law {test['joint']['law']!r} misses its cells by more than {noise} "
            f"(deviance {misses:.1f} times what is expected); its intervals are widened by that."
        )
    if reason := unchecked(test):
        found.append(f"{reason[0].upper()}{reason[1:]}.")
    if test["best"] is not None:
        found.append(best_sentence(test))
    return found


def law_caveats(test: Mapping[str, Any]) -> list[str]:
    """What a joint law that was fitted does not tell, and of which forms it is made up."""
    found = []
    if "refused" in test["doubling"]:
        found.append(f"No forecast of twice the words on {test['name']}: {test['doubling']['refused']}.")
    if len(forms := test["joint"].get("blended", [])) > 1:
        found.append(
            f"{len(forms)} forms of the joint law predict volumes left out equally well, and what is said of "
            f"the worth of words is of all of them: {'; '.join(forms)}."
        )
    return found


def best_sentence(test: Mapping[str, Any]) -> str:
    """How to spend a budget."""
    best = test["best"]
    if "refused" in best:
        return f"No best split: {best['refused']}."
    real, synthetic = test["joint"]["names"].values()
    share, error, (least, most) = best["share"], best["error"], best["as_good_share"]
    have = ""
    if best["have_real"] or best["have_synthetic"]:
        have = f", beside {best['have_real']:,.0f} {real} and {best['have_synthetic']:,.0f} {synthetic} words"
    told = (
        f"A budget of {best['budget']:,g} at {price(best['price_real'])} a {real} word and "
        f"{price(best['price_synthetic'])} a {synthetic} one is best spent on {best['buy_real']:,.0f} {real} "
        f"and {best['buy_synthetic']:,.0f} {synthetic} words{have}: accuracy "
        f"{percent(1 - error['estimate'])} [{percent(1 - error['high95'])}, {percent(1 - error['low95'])}] "
        f"on {test['name']}, {_over(best, real, synthetic)}; the best share of "
        f"{synthetic} words is {percent(share['estimate'])} [{percent(share['low95'])}, "
        f"{percent(share['high95'])}], and from {percent(least)} to {percent(most)} it is as good to a tenth "
        "of a point."
    )
    if best["left_over"] >= 0.005 * best["budget"]:
        told += (
            f" {best['left_over']:,.2f} of it is left over: the law is not asked for more than {TIMES:g} "
            "times the words that runs had of a kind, nor for more words than a run sees."
        )
    return told + (BEYOND if best["beyond"] else "")


def _over(best: Mapping[str, Any], real: str, synthetic: str) -> str:
    """What the best split gains over either kind of words alone, where it is another."""
    over = []
    if best["share"]["estimate"] > 0:
        over.append(f"{with_interval(best['over_real_only'])} points over {real} words alone")
    if best["share"]["estimate"] < 1:
        points = "" if over else " points"
        over.append(f"{with_interval(best['over_synthetic_only'])}{points} over {synthetic} words alone")
    return " and ".join(over)


def forecast_sentences(laws: Mapping[str, Any]) -> list[str]:
    """How the forecasts came out, on all tests together: one sentence for each law that made some."""
    by: dict[str, list[Mapping[str, Any]]] = {}
    for entry in laws["tests"][-1]["forecast"]:
        if "observed" in entry:
            by.setdefault(entry["by"], []).append(entry)
    return [_forecast(name, entries) for name, entries in by.items()]


def _forecast(name: str, entries: Sequence[Mapping[str, Any]]) -> str:
    who = "the joint law" if name == "joint" else f"the law of the design {name}"
    told = [
        f"{entry['cell']} {percent(entry['predicted']['estimate'])} "
        f"[{percent(entry['predicted']['low95'])}, {percent(entry['predicted']['high95'])}], and "
        f"{percent(entry['observed'])} came out" + ("" if entry["inside95"] else ", outside that interval")
        for entry in entries
    ]
    return f"Before its test words were read, {who} foretold for {'; for '.join(told)} (95 % intervals)."


def number(value: float) -> str:
    """A positive number to two or three digits that count."""
    digits = 0 if value >= 100 else 1 if value >= 1 else 2 if value >= 0.1 else 3
    return f"{value:,.{digits}f}"


def price(value: float) -> str:
    """A price to six digits that count, never with an exponent."""
    return np.format_float_positional(value, precision=6, fractional=False, trim="-")


def percent(fraction: float) -> str:
    """A share in percent."""
    return f"{100 * fraction:.1f} %"
