"""Small pure operators that strategies compose."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence

from nasturtium.errors import NoFeasibleNeighbor, UsageError
from nasturtium.spaces import Architecture, Finite, Space

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from nasturtium.trials import History

REDRAWS = 100
"""How often an operator redraws a repeated candidate before it walks through the space."""

WALKABLE = 20_000
"""The greatest size of a space that is walked through for what is left."""


class _Seed(ISeedSequence):
    """The bits that a generator starts from: a hash, three times as fast as ``SeedSequence``."""

    def __init__(self, *numbers: int) -> None:
        self._digest = blake2b(repr(numbers).encode(), digest_size=32).digest()

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> NDArray[Any]:
        """Return the hash as numbers, as many as PCG64 wants."""
        return np.frombuffer(self._digest, dtype=dtype, count=n_words)


def generator(history: History, number: int) -> np.random.Generator:
    """Return the generator of trial ``number``, seeded by (study's seed, number)."""
    seed = _Seed(history.study.seed, number)
    return np.random.Generator(np.random.PCG64(seed))  # type: ignore[arg-type]  # numpy's stubs


def check_repeats(repeats: str) -> None:
    """Check the argument ``repeats``.

    Raises:
        UsageError: It is neither ``"avoid"`` nor ``"allow"``.
    """
    if repeats not in ("avoid", "allow"):
        raise UsageError(f"repeats is 'avoid' or 'allow', got {repeats!r}; most papers did 'allow'.")


def drawn(
    history: History, draw: Callable[[], Architecture], rng: np.random.Generator, *, is_first: bool
) -> Architecture | None:
    """Return a draw; where the limits reject it, a mutation of a known architecture, or that itself.

    So a study under limits goes on as soon as one architecture within them is known.

    Args:
        history: Holds what was asked for, which is within the limits.
        draw: Makes a candidate, and may find none within the limits.
        rng: Chooses and mutates the known one.
        is_first: Whether nothing was proposed before, in the same ask included.

    Returns:
        The candidate; None if none is known, but one is proposed in the same ask: wait for it.

    Raises:
        NoFeasibleNeighbor: The first draw of a study met no limits.
    """
    try:
        return draw()
    except NoFeasibleNeighbor:
        if is_first:
            raise
    return _stand_in(history, rng)


def _stand_in(history: History, rng: np.random.Generator) -> Architecture | None:
    """Return a mutation of a known architecture within the limits, or that itself; None if none is known."""
    space = history.study.space
    asked = (history.architecture(number) for number in range(history.n_trials))
    known = [a for a in asked if a is not None and space.is_feasible(a)]
    if not known:
        return None
    origin = known[int(rng.integers(len(known)))]
    try:
        return space.mutate(origin, rng)
    except NoFeasibleNeighbor:
        return origin


def unseen(
    history: History, batch: set[str], draw: Callable[[Architecture | None], Architecture], rng: np.random.Generator
) -> Architecture | None:
    """Return a candidate that is new to the study, or None if a finite space is exhausted.

    Where the limits reject every draw, see ``drawn``.

    Args:
        history: Holds what was asked for.
        batch: Identities proposed in the same ask; the result's is added.
        draw: Makes a candidate; gets the rejected one before it, or None.
        rng: Chooses among what is left when redrawing did not help.

    Raises:
        NoFeasibleNeighbor: The first draw of a study met no limits.
    """
    space = history.study.space
    seen = history.identities
    candidate: Architecture | None = None
    has_way = True
    for _ in range(REDRAWS):
        try:
            candidate = draw(candidate)
        except NoFeasibleNeighbor:
            if not (history.n_trials or batch):
                raise
            candidate = _stand_in(history, rng)
            has_way = False  # once is enough: such a draw has tried a thousand times
        if candidate is None:
            return None
        identity = space.identity(candidate)
        if identity not in batch and identity not in seen:
            batch.add(identity)
            return candidate
        if not has_way:
            break
    if not isinstance(space, Finite) or space.size > WALKABLE:
        return candidate
    members = _members(space)
    left = [identity for identity in members if identity not in batch and identity not in seen]
    if not left:
        return None
    identity = left[int(rng.integers(len(left)))]
    batch.add(identity)
    return members[identity]


@lru_cache(maxsize=2)
def _members(space: Space) -> dict[str, Architecture]:
    """Return all architectures of a finite space by identity, the first of those alike."""
    assert isinstance(space, Finite)
    members: dict[str, Architecture] = {}
    for architecture in space:
        members.setdefault(space.identity(architecture), architecture)
    return members


def is_solved(history: History, loss: float) -> bool:
    """Return whether a trial ended whose first loss is at most a value that leaves nothing to be found."""
    losses, completed = history.losses(), history.completed

    def step(found: bool, i: int) -> bool:
        return found or bool(losses[completed[i], 0] <= loss)

    return history.iterate(("solved", loss, history.compared_at), len(completed), bool, step)


def youngest(history: History, size: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the last ``size`` trials with losses in the order in which they ended: aging.

    The others died of age: whatever its loss, a trial leaves ``size`` births after its own.

    Returns:
        The trials' numbers, and their losses, shape ``(n, n_objectives)``.
    """
    losses = history.losses()
    members = history.completed.latest(size)
    rows = losses.take(members, axis=0)
    if np.isnan(rows).any():
        alive = (n for n in reversed(history.completed) if not np.isnan(losses[n]).any())
        members = np.array(list(islice(alive, size))[::-1], dtype=np.int64)
        rows = losses[members]
    return members, rows
