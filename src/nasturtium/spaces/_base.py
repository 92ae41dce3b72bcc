"""The contract of a search space, and the capabilities that a space may have besides.

A space is a frozen dataclass: its arguments, and what ``on`` and ``limited`` add to them.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, Any, Protocol, final

from nasturtium._registry import Registry
from nasturtium.errors import NoFeasibleNeighbor, RequirementError, UsageError
from nasturtium.spaces._architecture import Architecture
from nasturtium.spaces._decision import Decision, Value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

    from nasturtium.graphs import Edit, Graph, Shape


class Binding(Protocol):
    """What a space needs to know of a task: the shapes at both ends."""

    @property
    def input_shape(self) -> Shape:
        """Shape of one example, without the batch."""

    @property
    def n_outputs(self) -> int:
        """Number of values the network gives for one example."""


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
        """Return the edits that fit and whose results meet the limits, in a fixed order."""

    @abstractmethod
    def apply(self, architecture: Architecture, edit: Edit) -> Architecture:
        """Return the edited architecture, limits ignored; every node not edited keeps its name."""


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
        """Return a child that meets the limits, each decision's value from one of two parents.

        A decision that neither has is drawn; so are others where no mixture meets the limits.

        Raises:
            NoFeasibleNeighbor: No child was found that meets the limits.
        """

    @abstractmethod
    def neighbors(self, architecture: Architecture) -> list[Architecture]:
        """Return every architecture within the limits in which one finite decision differs.

        A decision that a change opens takes its first legal value.
        """

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The paths of all decisions that the space can ask, in a fixed order."""

    @abstractmethod
    def encode(self, architecture: Architecture) -> NDArray[np.float64]:
        """Return the decisions' positions in [0, 1), shape ``(len(columns),)``; -1 if not asked."""


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
        is_json = text.lstrip().startswith("{")
        architecture = self._read(_json_object(text) if is_json else self._notated(text))
        if not self._contains(architecture):
            raise UsageError(f"the architecture must be in the space, got {text!r}; see describe SPACE.")
        return architecture

    def _notated(self, text: str) -> Mapping[str, Any]:
        """Return the content that a text in the space's own notation stands for, if it has one.

        A space with a notation writes ``text`` in it; the JSON text is read all the same.

        Raises:
            UsageError: The text is malformed.
        """
        return _json_object(text)

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

        It is uniform among those that do, as ``_sample`` is among all, as long as one of the first
        ``TRIES / 10`` draws does. Beyond (where less than about one in a hundred does), a walk leads
        from the best of them into the limits, and architectures close to a limit are more likely.

        Raises:
            NoFeasibleNeighbor: The walk ended outside of the limits, too.
        """
        if not self.limits:
            return self._sample(rng)
        return self._within_limits(lambda: self._sample(rng), rng)

    @final
    def mutate(self, architecture: Architecture, rng: np.random.Generator) -> Architecture:
        """Return an architecture that differs in one place and meets the limits.

        Where ``TRIES / 10`` mutations do not meet them, a walk goes on from the best of them, so
        that the result differs in several places.

        Raises:
            NoFeasibleNeighbor: The walk ended outside of the limits, too.
        """
        if not self.limits:
            return self._mutate(architecture, rng)
        return self._within_limits(lambda: self._mutate(architecture, rng), rng, origin=architecture)

    @final
    def _within_limits(
        self, draw: Callable[[], Architecture], rng: np.random.Generator, origin: Architecture | None = None
    ) -> Architecture:
        """Return a draw that meets the limits, or where a walk from the best one of many leads.

        The walk takes mutations that exceed the limits no more than before. A finite space of at
        most ``TRIES`` is searched through at last. ``origin`` itself is no result.
        """
        if not self.limits:
            return draw()
        best, least = origin, inf
        n_draws = max(TRIES // 10, 1)
        for attempt in range(n_draws + TRIES):
            is_walking = attempt >= n_draws
            architecture = self._mutate(best, rng) if is_walking and best is not None else draw()
            if architecture == origin:
                continue
            excess = self._excess(architecture)
            if not excess:
                return architecture
            if excess < least or (excess == least and is_walking):
                best, least = architecture, excess
        if isinstance(self, Finite) and self.size <= TRIES:
            members = [member for member in self if member != origin]
            if members:
                return members[int(rng.integers(len(members)))]
        wanted = ", ".join(f"{cost} <= {bound:g}" for cost, bound in self.limits)
        raise NoFeasibleNeighbor(f"a limit must leave something, got {wanted} and {TRIES} misses; loosen it.")

    def _excess(self, architecture: Architecture) -> float:
        """Return by which share of the bounds the costs exceed them, summed; 0 within the limits."""
        return sum(max((self.cost(architecture, cost) - bound) / bound, 0.0) for cost, bound in self.limits)

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
            name: ``"params"``, ``"flops"`` (multiply-accumulates), ``"memory"`` (bytes of
                activations at the peak of a forward pass) or ``"depth"`` (layers with weights).
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
        """Return what equal candidates share (the last ones are kept).

        The graph's key with the training hyper-parameters, or the text where there is no graph.
        """
        return _identity(self, architecture) if isinstance(self, Networks) else architecture.text

    @final
    def supports(self, capability: type) -> bool:
        """Return whether the space has a capability, such as ``Networks``."""
        if not isinstance(self, capability):
            return False
        return not (capability is Finite and isinstance(self, Finite) and self.size == inf)


def _json_object(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise UsageError(f"an architecture's text is JSON, got {text!r} ({error}).") from error
    if not isinstance(data, dict):
        raise UsageError(f"an architecture's text is a JSON object, got {text!r}; write {{...}}.")
    return data


@lru_cache(maxsize=20_000)
def _identity(space: Space, architecture: Architecture) -> str:
    """Return the graph's key with the training hyper-parameters; kept, since hundreds of seeds ask again."""
    assert isinstance(space, Networks)
    key, training = space.network(architecture).key, space.training(architecture)
    return f"{key} {json.dumps(dict(training))}" if training else key


def forget_identities() -> None:
    """Forget what ``space.identity`` keeps, so that whoever asks next pays for it: for measurements."""
    _identity.cache_clear()


TRIES = 1_000
"""How many steps a limited space walks before it gives up, after a tenth as many plain draws."""

COSTS: Mapping[str, Callable[[Graph], int]] = {
    "params": lambda graph: graph.params,
    "flops": lambda graph: graph.flops,
    "memory": lambda graph: graph.memory,
    "depth": lambda graph: graph.depth,
}
"""The costs that limits may name: each needs the graph alone."""

SPACES: Registry[Space] = Registry("space", "nasturtium.spaces")
