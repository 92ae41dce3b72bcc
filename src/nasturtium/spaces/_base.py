"""The contract of a search space, and the capabilities that a space may have besides.

A space is a frozen dataclass: its arguments, and what ``on`` and ``limited`` add to them.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any, Protocol, final

import numpy as np
from numpy.typing import NDArray

from nasturtium._registry import Registry
from nasturtium.errors import NoFeasibleNeighbor, RequirementError, UsageError
from nasturtium.graphs import Edit, Graph, Shape
from nasturtium.spaces._architecture import Architecture

if TYPE_CHECKING:
    from typing_extensions import Self

Value = str | int | float | bool | tuple[Any, ...] | None
"""What a decision may be set to."""


class Binding(Protocol):
    """What a space needs to know of a task: the shapes at both ends."""

    @property
    def input_shape(self) -> Shape:
        """Shape of one example, without the batch."""

    @property
    def n_outputs(self) -> int:
        """Number of values the network gives for one example."""


class Decision(Protocol):
    """One question that a decision space asks, at a place that depends on earlier answers."""

    @property
    def path(self) -> str:
        """The unique name of the place; the architecture stores the value under it."""

    def options(self, prefix: Mapping[str, Value]) -> Sequence[Value]:
        """Return the legal values given the earlier ones; empty for a real interval."""

    def at(self, position: float, prefix: Mapping[str, Value]) -> Value:
        """Return the value at a position in [0, 1) of the decision's own uniform scale."""

    def position(self, value: Value, prefix: Mapping[str, Value]) -> float:
        """Return a position in [0, 1) at which ``at`` gives the value.

        Raises:
            UsageError: The value is not legal here.
        """

    def other(self, value: Value, position: float, prefix: Mapping[str, Value]) -> Value:
        """Return a legal value that differs from ``value``, uniform for a uniform position."""


Choose = Callable[[Decision, Mapping[str, Value]], Value]
"""Answers one decision, given the values chosen so far."""


class Networks(ABC):
    """The capability of spaces whose architectures are networks."""

    @abstractmethod
    def network(self, architecture: Architecture) -> Graph:
        """Return the closed graph of an architecture, with the task's shapes if bound."""


class Open(ABC):
    """The capability of spaces that can show all their networks in one open graph."""

    @abstractmethod
    def open_graph(self) -> Graph:
        """Return the graph that holds the choices; resolving it gives every ``network``."""


class Edits(ABC):
    """The capability of growing spaces, whose architectures are extended by edits."""

    @abstractmethod
    def edits(self, architecture: Architecture) -> list[Edit]:
        """Return the edits that fit, in a fixed order."""

    @abstractmethod
    def apply(self, architecture: Architecture, edit: Edit) -> Architecture:
        """Return the edited architecture; every node not edited keeps its name."""


class Decisions(ABC):
    """The capability of spaces that are a tree of named decisions."""

    @abstractmethod
    def construct(self, choose: Choose) -> Architecture:
        """Ask every decision in a fixed order and return the architecture of the answers.

        Raises:
            UsageError: ``choose`` answered with a value that is not legal.
        """

    @abstractmethod
    def trace(self, architecture: Architecture) -> list[tuple[Decision, Value]]:
        """Return the decisions and values that ``construct`` would go through to get there.

        Raises:
            UsageError: The architecture is not of this space.
        """

    @abstractmethod
    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a child that takes each decision's value from one of two parents."""

    @abstractmethod
    def neighbors(self, architecture: Architecture) -> list[Architecture]:
        """Return every architecture in which one finite decision differs.

        A decision that a change opens takes its first legal value.
        """

    @abstractmethod
    def encode(self, architecture: Architecture) -> NDArray[np.float64]:
        """Return each decision's position in [0, 1), shape ``(n_decisions,)``; -1 where not asked.

        The columns are those of the decisions ever reached by first legal values and by the
        architecture's own trace, sorted by path; see ``Encoding`` methods for richer ones.
        """


class Finite(ABC):
    """The capability of spaces that can be counted and walked through."""

    @property
    @abstractmethod
    def size(self) -> float:
        """The number of architectures, limits ignored; ``inf`` if a decision is real."""

    @abstractmethod
    def __iter__(self) -> Iterator[Architecture]:
        """Yield every architecture that meets the limits, once, in a fixed order."""


@dataclass(frozen=True, kw_only=True)
class Space(ABC):
    """A search space: which architectures there are.

    Spaces are immutable. ``_sample`` and ``_mutate`` are what a space writes; ``sample`` and
    ``mutate`` add the limits. All randomness comes from the generator that is handed in.

    Args:
        limits: (cost, greatest value) pairs; set them by ``limited``.
    """

    limits: tuple[tuple[str, float], ...] = ()

    @abstractmethod
    def _sample(self, rng: np.random.Generator) -> Architecture:
        """Return a random architecture, limits ignored."""

    @abstractmethod
    def _mutate(self, architecture: Architecture, rng: np.random.Generator) -> Architecture:
        """Return an architecture that differs in one place, limits ignored."""

    @abstractmethod
    def _contains(self, architecture: Architecture) -> bool:
        """Return whether the architecture is of this space, limits ignored."""

    def on(self, task: Binding) -> Self:
        """Return the space bound to a task's shapes; a space without networks is as it was."""
        del task
        return self

    def training(self, architecture: Architecture) -> Mapping[str, Value]:
        """Return the training hyper-parameters that the architecture sets; often none."""
        del architecture
        return {}

    def parse(self, text: str) -> Architecture:
        """Return the architecture of a text form.

        Raises:
            UsageError: The text is malformed or its architecture is not in the space.
        """
        try:
            data = json.loads(text)
        except ValueError as error:
            raise UsageError(f"an architecture's text is JSON, got {text!r} ({error}).") from error
        if not isinstance(data, dict):
            raise UsageError(f"an architecture's text is a JSON object, got {text!r}; write {{...}}.")
        architecture = self._read(data)
        if not self._contains(architecture):
            raise UsageError(f"the architecture must be in the space, got {text!r}; see describe SPACE.")
        return architecture

    def _read(self, data: Mapping[str, Any]) -> Architecture:
        """Return the architecture of JSON data, in the one order that equal ones share."""
        return Architecture.from_json(data)

    def text(self, architecture: Architecture) -> str:
        """Return the text form, which ``parse`` reads."""
        return architecture.text

    @classmethod
    def small(cls) -> Self:
        """Return the space with the settings under which laws run, such as few cells."""
        return cls()

    @final
    def sample(self, rng: np.random.Generator) -> Architecture:
        """Return a random architecture that meets the limits.

        Raises:
            NoFeasibleNeighbor: None of ``TRIES`` draws met them.
        """
        return self._within_limits(lambda: self._sample(rng))

    @final
    def mutate(self, architecture: Architecture, rng: np.random.Generator) -> Architecture:
        """Return an architecture that differs in one place and meets the limits.

        Raises:
            NoFeasibleNeighbor: None of ``TRIES`` mutations met them.
        """
        return self._within_limits(lambda: self._mutate(architecture, rng))

    @final
    def _within_limits(self, draw: Callable[[], Architecture]) -> Architecture:
        if not self.limits:
            return draw()
        for _ in range(TRIES):
            architecture = draw()
            if self.is_feasible(architecture):
                return architecture
        wanted = ", ".join(f"{cost} <= {bound:g}" for cost, bound in self.limits)
        raise NoFeasibleNeighbor(f"a limit must leave something, got {wanted} and {TRIES} misses; loosen it.")

    @final
    def __contains__(self, architecture: object) -> bool:
        """Return whether an architecture is of this space and meets the limits."""
        return (
            isinstance(architecture, Architecture) and self._contains(architecture) and self.is_feasible(architecture)
        )

    @final
    def is_feasible(self, architecture: Architecture) -> bool:
        """Return whether the network's costs meet the limits."""
        return not self.limits or all(self.cost(architecture, cost) <= bound for cost, bound in self.limits)

    @final
    def cost(self, architecture: Architecture, name: str) -> float:
        """Return a cost that needs no training.

        Args:
            architecture: A member.
            name: ``"params"`` or ``"flops"`` (multiply-accumulates).
        """
        return float(COSTS[name](self.graph(architecture)))

    @final
    def limited(self, **limits: float) -> Self:
        """Return the space restricted to networks within limits such as ``params=100_000``.

        Raises:
            UsageError: The cost is unknown, or the bound is not positive.
            RequirementError: The space has no networks.
        """
        if limits and not self.supports(Networks):
            raise RequirementError(f"limits need a space of networks, got {type(self).__name__}; leave them out.")
        for cost, bound in limits.items():
            if cost not in COSTS:
                raise UsageError(f"a limit is on one of {sorted(COSTS)}, got {cost!r}; choose one of them.")
            if not bound > 0:
                raise UsageError(f"a limit is positive, got {cost}={bound}; raise it.")
        return replace(self, limits=tuple({**dict(self.limits), **limits}.items()))

    @final
    def feasible_share(self, rng: np.random.Generator, n: int = 200) -> float:
        """Return which share of ``n`` random architectures meets the limits, in [0, 1]."""
        free = self.unlimited()
        return sum(self.is_feasible(free.sample(rng)) for _ in range(n)) / n

    @final
    def unlimited(self) -> Self:
        """Return the space without its limits."""
        return replace(self, limits=())

    @final
    def graph(self, architecture: Architecture | None = None) -> Graph:
        """Return an architecture's network as written, or without one the open graph.

        Raises:
            RequirementError: The space has no networks, or no open graph.
        """
        if architecture is None:
            if not isinstance(self, Open):
                raise RequirementError(f"{type(self).__name__} offers no open graph; use a decision space.")
            return self.open_graph()
        if not isinstance(self, Networks):
            raise RequirementError(f"{type(self).__name__} has no networks; use a space such as nasnet or chain.")
        return self.network(architecture)

    @final
    def identity(self, architecture: Architecture) -> str:
        """Return what equal candidates share.

        The graph's key with the training hyper-parameters, or the text where there is no graph.
        """
        if not isinstance(self, Networks):
            return architecture.text
        key, training = self.network(architecture).key, self.training(architecture)
        return f"{key} {json.dumps(dict(training))}" if training else key

    @final
    def supports(self, capability: type) -> bool:
        """Return whether the space has a capability, such as ``Networks``."""
        if not isinstance(self, capability):
            return False
        return not (capability is Finite and isinstance(self, Finite) and self.size == inf)


TRIES = 1_000
"""How often a limited space draws before it gives up."""

COSTS: Mapping[str, Callable[[Graph], int]] = {"params": lambda g: g.params, "flops": lambda g: g.flops}
"""The costs that limits may name: each needs the graph alone."""

SPACES: Registry[Space] = Registry("space", "nasturtium.spaces")
