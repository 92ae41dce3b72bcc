"""The report's verdict: was the search worth it, against random draws from the same space?"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nasturtium.report._base import Findings, is_finite
from nasturtium.report._format import component_name, counted, percent, title_of
from nasturtium.report._markup import Markup, element
from nasturtium.spaces import Finite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nasturtium.trials import Trial

CONFIDENCE = 0.95


@final
@dataclass(frozen=True)
class RandomArm:
    """What the random draws of a study say of random search with as many evaluations.

    Args:
        n_random: Number of random draws that have a value.
        n_as_good: How many of them are as good as the best of all trials.
        n_trials: Number of all trials that have a value.
    """

    n_random: int
    n_as_good: int
    n_trials: int

    @property
    def chance(self) -> float:
        """Chance that as many random draws as there were trials hold one as good: the estimate."""
        return 1 - (1 - self.n_as_good / self.n_random) ** self.n_trials

    @property
    def greatest_chance(self) -> float:
        """The largest such chance that the draws leave possible, at 95 % confidence."""
        share = 1 - (1 - CONFIDENCE) ** (1 / self.n_random) if not self.n_as_good else nan
        return 1 - (1 - share) ** self.n_trials if is_finite(share) else 1.0


def verdict_section(found: Findings) -> Markup:
    """Return the verdict in plain words."""
    return element("p", verdict(found))


def verdict(found: Findings) -> str:
    """Return in plain words whether the search found what random draws would not have."""
    arm = random_arm(found)
    if found.best is None:
        return "No verdict: the study has no result yet."
    metric = title_of(found.objectives[0].metric)
    size = _size(found)
    over = len(found.history.completed)
    if size is not None and over >= size:
        return (
            f"The search was not needed: the space has {counted(int(size), 'architecture')}, and {over:,} trials could "
            "have tried them all, as random search or a plain list would have."
        )
    if is_random(found):
        return "This was random search: its result is what random search finds. Below, what fewer trials would have."
    if arm is None and not any(trial.parents for trial in found.trials) and "population_size" in _arguments(found):
        return (
            f"No verdict on random search: this evolution was still in its first population, so that its "
            f"{counted(over, 'candidate')} say what random search finds, too. More trials would tell."
        )
    if arm is None:
        return (
            "No verdict on random search: this strategy's candidates are no random draws, and no random arm was "
            "recorded, so nothing in the log says what random search would have found."
        )
    draws = f"{counted(arm.n_random, 'random candidate')} that the search began with"
    if arm.n_as_good:
        does = "would have done as well" if arm.chance >= 0.5 else "might have done as well, but probably not"
        return (
            f"Random search {does}: {arm.n_as_good:,} of the {draws} had a {metric} as good as the best of all "
            f"{arm.n_trials:,}. {arm.n_trials:,} random draws find one as good with a chance of about "
            f"{percent(arm.chance)}."
        )
    if arm.greatest_chance < 0.5:
        return (
            f"The search was worth it: none of the {draws} had a {metric} as good as the best of all. "
            f"{arm.n_trials:,} random draws would find one as good with a chance of at most "
            f"{percent(arm.greatest_chance)} (at 95 % confidence)."
        )
    return (
        f"Not shown: none of the {draws} had a {metric} as good as the best of all, but so few do not exclude that "
        f"{arm.n_trials:,} random draws would find one (chance up to {percent(arm.greatest_chance)} at 95 % "
        "confidence). A random search of as many trials would tell."
    )


def is_random(found: Findings) -> bool:
    """Return whether the study's strategy is random search."""
    return component_name(found.created.get("strategy")) == "random-search"


def _arguments(found: Findings) -> Mapping[str, Any]:
    """Return the arguments of the study's strategy; none are known of one that lives in a script."""
    arguments: Mapping[str, Any] = (found.created.get("strategy") or {}).get("arguments", {})
    return arguments


def random_arm(found: Findings) -> RandomArm | None:
    """Return what the random draws that an evolutionary search began with tell; None without them."""
    roots = random_draws(found)
    if not roots:
        return None
    losses = found.losses[:, 0]
    best = float(np.nanmin(losses))
    n_as_good = sum(float(losses[trial.number]) <= best for trial in roots)
    return RandomArm(len(roots), n_as_good, int((~np.isnan(losses)).sum()))


def random_draws(found: Findings) -> list[Trial]:
    """Return the candidates with a value that are known to be drawn at random.

    Where some candidates have parents, those that have none were: an evolutionary search begins
    with them. Elsewhere a candidate without parents may be anything.
    """
    losses = found.losses[:, 0]
    valued = [trial for trial in found.trials if is_finite(float(losses[trial.number]))]
    roots = [trial for trial in valued if not trial.parents]
    return [] if len(roots) == len(valued) else roots


def _size(found: Findings) -> float | None:
    space = found.history.study.space
    return space.unlimited().size if isinstance(space, Finite) else None
