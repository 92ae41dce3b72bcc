"""How sure the winner's test error is: over seeds, over test examples, beside a network made by hand."""

from __future__ import annotations

from math import sqrt
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from nasturtium.report._baseline import STUDENT, noise
from nasturtium.report._format import counted, interval_text, named_value, percent
from nasturtium.report._markup import Markup, element, join

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nasturtium.report._base import FinalResults, Findings


def winner_section(found: Findings) -> Markup:
    """Return what other seeds and a network made by hand tell of the winner."""
    texts = [seeds_text(found.created.get("seeds_result"), found.final), by_hand_text(found)]
    known = [text for text in texts if text]
    return join([element("p", text) for text in known or ["The winner has not been through a final training."]])


def by_hand_text(found: Findings) -> str | None:
    """Return the comparison with the network made by hand that the log has; None without one."""
    return hand_text(found.created.get("by_hand_result"), found.created.get("seeds_result"), found.final)


def seed_errors(seeds: Mapping[str, Any] | None, final: Sequence[FinalResults]) -> list[float]:
    """Return the winner's test errors, the delivered one first; empty if it was not trained to the end.

    Args:
        seeds: What the log says of its other seeds, or None.
        final: The networks of the front, the best first.
    """
    if not final or final[0].weights != "final" or final[0].test_error != final[0].test_error:
        return []
    others = seeds["test_errors"] if _is_of(seeds, final[0]) and seeds is not None else []
    return [final[0].test_error, *others]


def seeds_text(seeds: Mapping[str, Any] | None, final: Sequence[FinalResults]) -> str | None:
    """Return how the winner's test error varies over seeds, in words; None without a final training."""
    errors = seed_errors(seeds, final)
    if not errors:
        return None
    best = final[0]
    binomial = f" (95 % interval by its {best.n_test:,} test examples: {interval_text(*best.interval)})"
    counts = binomial if best.counts_examples else ""
    if len(errors) == 1:
        why = "no time was left for another" if seeds is not None else "none other is in the log"
        return (
            f"The winner, trial {best.trial}, was trained with one seed only, since {why}: test error "
            f"{percent(errors[0])}{counts}. How much of it is chance of the training is not known."
        )
    half = STUDENT[len(errors) - 1] * stdev(errors) / sqrt(len(errors))
    interval = (
        f"; 95 % interval of the mean over seeds {interval_text(max(0.0, mean(errors) - half), mean(errors) + half)}"
    )
    return (
        f"The winner, trial {best.trial}, trained with {counted(len(errors), 'seed')}, has a test error of "
        f"{percent(mean(errors))} ± {percent(stdev(errors))} (mean and standard deviation{interval if half else ''}), "
        f"from {percent(min(errors))} to {percent(max(errors))}. Delivered is the first seed's network: "
        f"{percent(errors[0])}{counts}."
    )


def hand_text(
    hand: Mapping[str, Any] | None, seeds: Mapping[str, Any] | None, final: Sequence[FinalResults]
) -> str | None:
    """Return the network made by hand beside the winner, in words; None if none was meant to be trained."""
    errors = seed_errors(seeds, final)
    if hand is None or not errors or not _is_of(hand, final[0]):
        return None
    if not hand["test_errors"]:
        why = hand.get("reason") or "no time was left for one"
        return f"No network made by hand was trained beside it: {why}."
    size = f"{named_value('params', hand['params'])}, {named_value('flops', hand['flops'])}"
    n = len(hand["test_errors"])
    spread = f" ± {percent(stdev(hand['test_errors']))}" if n > 1 else ""
    gain = mean(hand["test_errors"]) - mean(errors)
    chance = noise(hand, final[0])
    cause = "chance" if hand["counts_examples"] else "the spread of seeds"
    explained = "" if chance != chance else f", where {cause} explains {percent(chance)} (at 95 % confidence)"
    how = f"{'lower' if gain > 0 else 'higher'} by {percent(abs(gain))}{explained}" if gain else "the same"
    return (
        f"A network made by hand, {hand['name']} ({size}), trained by the same recipe and as long "
        f"({counted(hand['epochs'], 'epoch')}, {counted(n, 'seed')}), without the search's compute: test error "
        f"{percent(mean(hand['test_errors']))}{spread}; the winner found, {named_value('params', final[0].params)}, "
        f"has {percent(mean(errors))}: {how}."
    )


def _is_of(result: Mapping[str, Any] | None, best: FinalResults) -> bool:
    return result is not None and (result["of"], result["epochs"]) == (best.trial, best.epochs)
