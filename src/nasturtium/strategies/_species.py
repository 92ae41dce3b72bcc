"""Species: members of a population that are alike compete with each other first.

Stanley & Miikkulainen 2002, "Evolving Neural Networks through Augmenting Topologies", section 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Generic, TypeVar, final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

G = TypeVar("G")


@final
@dataclass(frozen=True)
class Species(Generic[G]):
    """Members that are alike, over the generations.

    Args:
        number: Its identity while it lives; one that is founded later may have it after that.
        representative: Whom the next generation is compared with: its first member, as in the
            authors' code; the paper draws one.
        members: Rows of the population.
        best: Greatest fitness that a member ever had.
        stale: Generations since that rose.
    """

    number: int
    representative: G
    members: tuple[int, ...]
    best: float = -inf
    stale: int = 0


def speciated(
    genomes: Sequence[G], before: Sequence[Species[G]], distances: Callable[[G], Sequence[float]], threshold: float
) -> tuple[Species[G], ...]:
    """Return the species of a population: each genome joins the first that it is close to, or founds one.

    Args:
        genomes: The population.
        before: The species of the generation before; those that nobody joins die.
        distances: The distance of every genome to another one; not negative, and zero between equal ones.
        threshold: A genome belongs to a species if its distance to the representative is less.

    Example:
        >>> genomes = [1.0, 5.0, 1.2]
        >>> found = speciated(genomes, [], lambda other: [abs(one - other) for one in genomes], threshold=1.0)
        >>> [s.members for s in found]
        [(0, 2), (1,)]
    """
    rows: dict[int, list[int]] = {}
    left = list(range(len(genomes)))

    def settle(number: int, representative: G) -> None:
        nonlocal left
        apart = distances(representative)
        rows[number] = [row for row in left if apart[row] < threshold]
        left = [row for row in left if apart[row] >= threshold]

    for s in before:
        settle(s.number, s.representative)
    while left:
        settle(max(rows, default=-1) + 1, genomes[left[0]])
    known = {s.number: s for s in before}
    return tuple(
        Species(
            number,
            genomes[members[0]],
            tuple(members),
            known[number].best if number in known else -inf,
            known[number].stale if number in known else 0,
        )
        for number, members in rows.items()
        if members
    )


def judged(species: Sequence[Species[G]], fitness: Sequence[float]) -> tuple[Species[G], ...]:
    """Return the species after a generation was evaluated, their records brought up to date.

    Args:
        species: The species of the population.
        fitness: Of each member; higher is better.
    """
    found = []
    for s in species:
        now = max(fitness[row] for row in s.members)
        is_better = now > s.best
        found.append(Species(s.number, s.representative, s.members, max(now, s.best), 0 if is_better else s.stale + 1))
    return tuple(found)


def quotas(shares: Sequence[float], n: int) -> tuple[int, ...]:
    """Return how many of ``n`` children each species has, in proportion to its share.

    A species' share is the sum of its members' shared fitness ``f / size``, so the mean fitness.
    Fractions are carried over from species to species, as in the authors' code.

    Args:
        shares: Not negative; if all are zero, the species have equal ones.
        n: Children in all.

    Example:
        >>> quotas([3.0, 1.0, 1.0], 4)
        (2, 1, 1)
    """
    weights = np.asarray(shares, dtype=np.float64)
    weights = weights if weights.sum() > 0 else np.ones_like(weights)
    expected = n * np.cumsum(weights) / weights.sum()
    ends = np.floor(expected + 1e-9).astype(int)  # carrying fractions over is rounding the running sum down
    return tuple(np.diff(ends, prepend=0).tolist())
