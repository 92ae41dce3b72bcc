"""Decision spaces of networks: one open graph, resolved by an architecture."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, final

from nasturtium.spaces._base import Binding, Networks, Open
from nasturtium.spaces._decisions import DecisionSpace

if TYPE_CHECKING:
    from typing_extensions import Self

    from nasturtium.graphs import Graph, Shape
    from nasturtium.spaces._architecture import Architecture


@dataclass(frozen=True, kw_only=True)
class NetworkSpace(DecisionSpace, Networks, Open):
    """A decision space whose architectures are networks; a subclass says tree and open graph.

    Args:
        input_shape: Shape of one example, set by ``on``.
        n_outputs: Values a network gives for one example, set by ``on``.
    """

    input_shape: Shape | None = None
    n_outputs: int | None = None

    @abstractmethod
    def _open_graph(self) -> Graph:
        """Return the open graph; called once a space."""

    @final
    def open_graph(self) -> Graph:
        """Return the open graph (made once)."""
        return _opened(self)

    @final
    def network(self, architecture: Architecture) -> Graph:
        """Return the closed graph of an architecture (the last ones are kept)."""
        return _closed(self, architecture)

    @final
    def on(self, task: Binding) -> Self:
        """Return the space with the task's shapes at both ends."""
        return replace(self, input_shape=tuple(task.input_shape), n_outputs=task.n_outputs)


@lru_cache(maxsize=64)
def _opened(space: NetworkSpace) -> Graph:
    return space._open_graph()


@lru_cache(maxsize=1024)
def _closed(space: NetworkSpace, architecture: Architecture) -> Graph:
    return _opened(space).resolve(architecture)
