"""Small pure operators that strategies compose."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from nasturtium.errors import UsageError
from nasturtium.spaces import Architecture, Finite
from nasturtium.trials import History, ranking

REDRAWS = 100
"""How often an operator redraws a repeated candidate before it walks through the space."""

WALKABLE = 1_000_000
"""The greatest size of a space that is walked through for what is left."""


def generator(history: History, number: int) -> np.random.Generator:
    """Return the generator of trial ``number``, seeded by (study's seed, number)."""
    return np.random.Generator(np.random.PCG64((history.study.seed, number)))


def check_repeats(repeats: str) -> None:
    """Check the argument ``repeats``.

    Raises:
        UsageError: It is neither ``"avoid"`` nor ``"allow"``.
    """
    if repeats not in ("avoid", "allow"):
        raise UsageError(f"repeats is 'avoid' or 'allow', got {repeats!r}; most papers did 'allow'.")


def unseen(
    history: History, batch: set[str], draw: Callable[[Architecture | None], Architecture], rng: np.random.Generator
) -> Architecture | None:
    """Return a candidate that is new to the study, or None if a finite space is exhausted.

    Args:
        history: Holds what was asked for.
        batch: Identities proposed in the same ask; the result's is added.
        draw: Makes a candidate; gets the rejected one before it, or None.
        rng: Chooses among what is left when redrawing did not help.
    """
    space = history.study.space
    candidate: Architecture | None = None
    for _ in range(REDRAWS):
        candidate = draw(candidate)
        identity = space.identity(candidate)
        if identity not in batch and not history.seen(candidate):
            batch.add(identity)
            return candidate
    if not isinstance(space, Finite) or space.size > WALKABLE:
        return candidate
    left = {space.identity(a): a for a in space if space.identity(a) not in batch and not history.seen(a)}
    if not left:
        return None
    identity = list(left)[int(rng.integers(len(left)))]
    batch.add(identity)
    return left[identity]


def tournament(losses: NDArray[np.float64], sample_size: int, rng: np.random.Generator) -> int:
    """Return the best of ``sample_size`` rows drawn uniformly with replacement.

    Args:
        losses: The population's losses, shape ``(n, n_objectives)``, no NaN.
        sample_size: Number of draws.
        rng: Draws them.

    Returns:
        The winner's row.

    References:
        Goldberg & Deb 1991; with replacement as in Real et al. 2019.
    """
    drawn = rng.integers(len(losses), size=sample_size)
    if losses.shape[1] == 1:
        return int(drawn[losses[drawn, 0].argmin()])
    return int(drawn[ranking(losses[drawn])[0]])


def youngest(history: History, size: int) -> Sequence[int]:
    """Return the last ``size`` trials with losses in the order in which they ended: aging.

    The others died of age: whatever its loss, a trial leaves ``size`` births after its own.
    """
    losses = history.losses()
    completed = history.completed
    members = list(completed[-size:])
    if np.isnan(losses[members]).any():
        alive = (n for n in reversed(completed) if not np.isnan(losses[n]).any())
        members = [n for n, _ in zip(alive, range(size), strict=False)][::-1]
    return members
