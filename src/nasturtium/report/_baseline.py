"""The user's own network beside the best that was found: whether to keep it."""

from __future__ import annotations

from math import nan, sqrt
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from nasturtium.report._format import counted, duration, named_value, percent
from nasturtium.report._markup import Markup, element, join

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nasturtium.report._base import FinalResults, Findings

Z = 1.959964
"""Quantile of the normal distribution for 95 %."""

STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776}
"""The quantile of Student's distribution for 95 %, by degrees of freedom."""


def baseline_section(found: Findings) -> Markup:
    """Return the comparison with the user's network, or how to get one."""
    baseline = found.created.get("baseline_result")
    if baseline is None:
        return element("p", "None was given: --baseline FILE.py:CLASS trains a network of yours for comparison.")
    return join([element("p", baseline_text(baseline)), element("p", baseline_verdict(baseline, found.final))])


def baseline_text(baseline: Mapping[str, Any]) -> str:
    """Return how the user's network was trained, and its test errors."""
    name, errors = baseline["name"], baseline["test_errors"]
    if not errors:
        return f"{name} could not be trained: {baseline['reason'] or 'no time was left'}."
    size = f"{named_value('params', baseline['params'])}, {named_value('flops', baseline['flops'])}"
    spread = f" (standard deviation {percent(stdev(errors))})" if len(errors) > 1 else ""
    return (
        f"{name} ({size}) was trained by the recipe of the final training, {counted(baseline['epochs'], 'epoch')}"
        f"{_choice(baseline)}, with {counted(len(errors), 'seed')}: {duration(baseline['seconds'])}, of at most the "
        f"{duration(baseline['charged'])} that search and final training were charged. Its test error is "
        f"{percent(mean(errors))}{spread}."
    )


def _choice(baseline: Mapping[str, Any]) -> str:
    """Return among which lengths validation chose, in words."""
    tried = ", ".join(str(epochs) for epochs in baseline["tried"])
    return f" (by validation the best of {tried}, which took up to half of its compute)" if tried else ""


def baseline_verdict(baseline: Mapping[str, Any], final: Any) -> str:
    """Return whether to keep the user's network, in one sentence.

    Args:
        baseline: What the log says of it.
        final: The networks of the front, the best first.
    """
    errors = baseline["test_errors"]
    best = next((entry for entry in final if entry.test_error == entry.test_error), None)
    if not errors or best is None:
        return "No verdict: one of the two has no test error."
    gain = mean(errors) - best.test_error
    chance = noise(baseline, best)
    size = named_value("params", best.params)
    what = f"the best network found has a test error of {percent(best.test_error)} with {size}"
    if chance != chance:
        how = "lower" if gain > 0 else "not lower"
        return f"Not shown: {what}, which is {how}, but a single training of each does not tell how much is chance."
    beyond = f"by {percent(abs(gain))} where chance explains {percent(chance)}"
    if gain > chance:
        return f"Replace {baseline['name']}: {what}, better {beyond} (at 95 % confidence)."
    if gain < -chance:
        return f"Keep {baseline['name']}: {what}, worse {beyond} (at 95 % confidence)."
    smaller = best.params < baseline["params"]
    cost = " It is smaller, though." if smaller else ""
    return (
        f"Keep {baseline['name']}, as far as the error goes: {what}; the difference of {percent(abs(gain))} is within "
        f"the {percent(chance)} that chance explains (at 95 % confidence).{cost}"
    )


def noise(baseline: Mapping[str, Any], best: FinalResults) -> float:
    """Return the difference of two test errors that chance explains at 95 %; NaN if nothing tells.

    The seeds' spread holds for both trainings, and is known from a few only, hence Student's quantile;
    where errors count examples, their binomial variance is added, as if the two networks' mistakes
    were independent, which overstates it.
    """
    errors, n = baseline["test_errors"], baseline["n_test"]
    seeds = STUDENT[len(errors) - 1] * stdev(errors) * sqrt(1 + 1 / len(errors)) if len(errors) > 1 else nan
    if not baseline["counts_examples"]:
        return seeds
    counts = sum(error * (1 - error) / n for error in (mean(errors), best.test_error))
    return sqrt(Z**2 * counts + (0.0 if seeds != seeds else seeds**2))
