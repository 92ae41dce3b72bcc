"""Decision spaces of networks, most of which resolve one open graph."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, final

from nasturtium._registry import parameters, tuples
from nasturtium.errors import UsageError, near_matches
from nasturtium.spaces._base import Binding, Networks, Open
from nasturtium.spaces._decisions import DecisionSpace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from nasturtium.graphs import Graph, Shape
    from nasturtium.spaces._architecture import Architecture
    from nasturtium.spaces._decision import Decision, Value


@dataclass(frozen=True, kw_only=True)
class ClosedNetworkSpace(DecisionSpace, Networks):
    """A decision space whose architectures are networks; a subclass says tree and closed graph.

    For a space that can't show all its networks in one open graph; others are a ``NetworkSpace``.

    Args:
        input_shape: Shape of one example, set by ``on``.
        n_outputs: Values a network gives for one example, set by ``on``.
    """

    input_shape: Shape | None = None
    n_outputs: int | None = None

    @abstractmethod
    def _network(self, architecture: Architecture) -> Graph:
        """Return the closed graph of an architecture."""

    @final
    def network(self, architecture: Architecture) -> Graph:
        """Return the closed graph of an architecture (the last ones are kept)."""
        return _closed(self, architecture)

    @final
    def on(self, task: Binding) -> Self:
        """Return the space with the task's shapes at both ends."""
        return replace(self, input_shape=tuple(task.input_shape), n_outputs=task.n_outputs)

    @final
    def scaled(self, **sizes: Any) -> Self:
        """Return the space of larger or smaller networks, such as ``cells=6, filters=32``.

        The decisions stay, so an architecture found in this space is one of that: what was found
        small is rebuilt larger by ``space.scaled(cells=6).graph(architecture)``, and for other data
        by ``.on(task)`` before. Limits, which are of this size, are left out.

        Args:
            sizes: Arguments of the space by name.

        Raises:
            UsageError: The space has no such argument, or the decisions would be others.

        Example:
            >>> from nasturtium.spaces import load
            >>> space = load("nasnet", input_shape=(3, 32, 32), n_outputs=10)
            >>> a = next(iter(space))
            >>> space.graph(a).params, space.scaled(cells=6, filters=32).graph(a).params
            (37378, 1846634)
        """
        taken = set(parameters(type(self))) - {"limits", "hyperparameters", "input_shape", "n_outputs"}
        for name in sizes:
            if name not in taken:
                known = near_matches(name, taken) if taken else "it has none."
                raise UsageError(f"sizes are arguments of the space, got {name!r}; {known}")
        other = replace(self, limits=(), **{name: tuples(value) for name, value in sizes.items()})
        is_same = (other.columns, other.size) == (self.columns, self.size)
        if not is_same or not all(self._member(at) in other for at in (0.0, 1 - 1e-9)):
            raise UsageError(f"other sizes keep the decisions, got {sizes}, which changes them; make a new space.")
        return other

    @final
    def reduced(self, width: float, cells: int | None) -> Self:
        """Return the space of the networks that stand in for its own at a lower fidelity.

        Args:
            width: Factor on ``filters``; at least one filter stays.
            cells: Instead of the space's own number; None leaves that.

        Raises:
            UsageError: The space has no such size.

        Example:
            >>> from nasturtium.spaces import load
            >>> small = load("nasbench201", cells=5, filters=16).reduced(0.5, 1)
            >>> small.cells, small.filters
            (1, 8)
        """
        own: dict[str, Any] = {
            name: getattr(self, name) for name in ("cells", "filters") if name in parameters(type(self))
        }
        wanted = {"filters": width != 1.0, "cells": cells is not None}
        for name, is_wanted in wanted.items():
            if is_wanted and not isinstance(own.get(name), int):
                raise UsageError(
                    f"a lower fidelity in {name} is for spaces with one number of them, got {type(self).__name__}; "
                    "leave width and cells as they are."
                )
        sizes = {"filters": max(1, round(width * (own.get("filters") or 1))), "cells": cells}
        return self.scaled(**{name: sizes[name] for name, is_wanted in wanted.items() if is_wanted})

    def _member(self, position: float) -> Architecture:
        """Return the architecture whose decisions all have the value at one position in [0, 1)."""

        def choose(decision: Decision, prefix: Mapping[str, Value]) -> Value:
            return decision.at(position, prefix)

        return self.construct(choose)


@dataclass(frozen=True, kw_only=True)
class NetworkSpace(ClosedNetworkSpace, Open):
    """A decision space whose architectures are networks; a subclass says tree and open graph."""

    @abstractmethod
    def _open_graph(self) -> Graph:
        """Return the open graph; called once a space."""

    @final
    def open_graph(self) -> Graph:
        """Return the open graph (made once)."""
        return _opened(self)

    @final
    def _network(self, architecture: Architecture) -> Graph:
        return _opened(self).resolve(architecture)


@lru_cache(maxsize=64)
def _opened(space: NetworkSpace) -> Graph:
    return space._open_graph()


@lru_cache(maxsize=1024)
def _closed(space: ClosedNetworkSpace, architecture: Architecture) -> Graph:
    return space._network(architecture)
