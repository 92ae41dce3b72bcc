"""What ``describe`` tells of a space before anything is trained: size, costs, what limits leave."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log10
from typing import TYPE_CHECKING, Any, final

import numpy as np
from rich.console import Group
from rich.table import Table
from rich.text import Text

from nasturtium._study import made
from nasturtium.errors import NoFeasibleNeighbor, UsageError
from nasturtium.report import interval_text, percent, title_of, wilson
from nasturtium.spaces import COSTS, SPACES, Decisions, Finite, Networks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from nasturtium.graphs import Graph
    from nasturtium.spaces import Architecture, Space

SAMPLES = 500
"""Number of random architectures that costs and shares are estimated from."""

RARE = 0.01
"""Limits that fewer random architectures meet are called narrow."""

STEPS = 300
"""Number of mutations that are tried on the way to the least cost."""

QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


@final
@dataclass(frozen=True)
class Description:
    """What is known of a space before anything is trained.

    Args:
        text: The space as the command line takes it.
        task: The task's name and shapes, or None.
        size: Number of architectures without limits; ``inf`` if a decision is real, None if it
            can't be counted.
        n_decisions: Number of decisions; None if the space is no tree of them.
        costs: The sample's least, quartiles and greatest by cost; empty without networks.
        shares: By limit, the share of random architectures that meets it; ``"all"`` is of all limits.
        n_samples: Number of random architectures.
        example: A random member within the limits; None without networks.
    """

    text: str
    task: str | None
    size: int | float | None
    n_decisions: int | None
    costs: Mapping[str, Sequence[float]]
    shares: Mapping[str, float]
    n_samples: int
    example: Architecture | None

    def to_json(self) -> dict[str, Any]:
        """Return what ``describe --json`` prints."""
        size = self.size
        return {
            "space": self.text,
            "task": self.task,
            "size": size if isinstance(size, int) else None,
            "decisions": self.n_decisions,
            "costs": {cost: list(values) for cost, values in self.costs.items()},
            "shares": dict(self.shares),
            "samples": self.n_samples,
            "example": None if self.example is None else self.example.to_json(),
        }


def describe(space: Space, text: str, task: str | None, seed: int = 0, n: int = SAMPLES) -> Description:
    """Sample a space, bound to its task and limited or not.

    Args:
        space: What is described.
        text: How it was called.
        task: The task's name and shapes, or None.
        seed: For the random architectures.
        n: Their number.

    Raises:
        UsageError: The limits leave nothing.
    """
    rng = np.random.default_rng(seed)
    free = space.unlimited()
    size = free.size if isinstance(free, Finite) else None
    n_decisions = len(free.columns) if isinstance(free, Decisions) else None
    if not space.supports(Networks):
        return Description(text, task, size, n_decisions, {}, {}, 0, None)
    seen = [free.sample(rng) for _ in range(n)]
    costs = {cost: np.array([free.cost(architecture, cost) for architecture in seen]) for cost in COSTS}
    meets = {cost: costs[cost] <= bound for cost, bound in space.limits}
    shares = {cost: float(met.mean()) for cost, met in meets.items()}
    if shares:
        shares["all"] = float(np.logical_and.reduce(list(meets.values())).mean())
    example = _member(space, seen, rng)
    quantiles = {cost: [float(q) for q in np.quantile(values, QUANTILES)] for cost, values in costs.items()}
    return Description(text, task, size, n_decisions, quantiles, shares, n, example)


def _member(space: Space, seen: Sequence[Architecture], rng: np.random.Generator) -> Architecture:
    """Return a random architecture within the limits.

    Raises:
        UsageError: None was found; says which bound, and the nearest cost.
    """
    try:
        return space.sample(rng)
    except NoFeasibleNeighbor:
        free = space.unlimited()
        nearest = {cost: least_cost(free, cost, seen, rng) for cost, _ in space.limits}
        alone = [f"{c} <= {b:,g} (nearest found: {nearest[c]:,g})" for c, b in space.limits if nearest[c] > b]
        together = [f"{c} <= {b:,g} (alone: down to {nearest[c]:,g})" for c, b in space.limits]
        which = " and ".join(alone) if alone else "together " + " and ".join(together)
        raise UsageError(f"limits must leave a network, got none within {which}; raise the bound.") from None


def least_cost(space: Space, cost: str, seen: Sequence[Architecture], rng: np.random.Generator) -> float:
    """Return the least cost that mutations downhill from the cheapest of a sample find."""
    best = min(seen, key=lambda architecture: space.cost(architecture, cost))
    least = space.cost(best, cost)
    for _ in range(STEPS):
        try:
            child = space.mutate(best, rng)
        except NoFeasibleNeighbor:
            break
        if (found := space.cost(child, cost)) <= least:
            best, least = child, found
    return least


@final
@dataclass(frozen=True)
class _Images:
    """What a space is bound to where no task is named: the shapes of CIFAR-10."""

    input_shape: tuple[int, ...] = (3, 32, 32)
    n_outputs: int = 10


def describe_job(
    text: str, task: str | None, limits: Mapping[str, float], seed: int
) -> tuple[Description, Graph | None]:
    """Return the description of a space that is named on the command line, and an example's network.

    Raises:
        UsageError: A name is unknown, a limit is on no cost, or the limits leave nothing.
    """
    space = made(SPACES, text)
    if task is None:
        bound, name = space.on(_Images()), None
    else:
        from nasturtium.tasks import load_task

        loaded = load_task(task)
        bound, name = space.on(loaded), str(loaded).removeprefix("Task(").removesuffix(")")
    limited = bound.limited(**limits)
    found = describe(limited, text, name, seed)
    return found, None if found.example is None else limited.graph(found.example)


# --- for people ----------------------------------------------------------------------------------


def description_page(found: Description) -> RenderableType:
    """Return what ``describe`` prints."""
    facts = {
        "space": found.text,
        "task": found.task or "none; the costs are of 3x32x32 images and 10 classes (--task digits)",
        "size": size_text(found.size),
        "decisions": None if found.n_decisions is None else f"{found.n_decisions:,}",
    }
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts.items():
        if value is not None:
            grid.add_row(name, Text(value))
    if not found.costs:
        return Group(grid, "", Text("This space has no networks, so there is nothing to count."))
    costs = Table(title=f"Costs of {found.n_samples} random networks", title_justify="left", box=None, pad_edge=False)
    for column in ("cost", "least", "a quarter below", "half below", "three quarters below", "greatest"):
        costs.add_column(column, justify="left" if column == "cost" else "right")
    for cost, values in found.costs.items():
        costs.add_row(title_of(cost), *(f"{round(value):,}" for value in values))
    return Group(grid, "", costs, *(Text(line) for line in limit_lines(found)))


def limit_lines(found: Description) -> list[str]:
    """Return what the limits leave, a line each; a narrow one says so."""
    if not found.shares:
        return []
    lines = [""]
    for cost, share in found.shares.items():
        name = "all limits together" if cost == "all" else f"the limit on {title_of(cost)}"
        if cost != "all" or len(found.shares) > 2:
            around = interval_text(*wilson(share, found.n_samples))
            lines.append(f"{percent(share)} of random networks meet {name} (95 %: {around})")
    if found.shares["all"] < RARE:
        lines.append(
            "That is almost nothing: the search walks into the limits by mutation, which is slower and not uniform; "
            "a looser limit or a smaller space gives it more to choose from."
        )
    return lines


def size_text(size: int | float | None) -> str:
    """Return a space's size for people.

    Example:
        >>> size_text(15625), size_text(10**30), size_text(None)
        ('15,625 architectures', '1.00e+30 architectures', 'not counted: it grows without end')
    """
    if size is None:
        return "not counted: it grows without end"
    if size == inf:
        return "infinite: a decision is real"
    if size < 1e9:
        return f"{int(size):,} architectures"
    exponent = int(log10(size))
    return f"{size / 10**exponent:.2f}e+{exponent} architectures"
