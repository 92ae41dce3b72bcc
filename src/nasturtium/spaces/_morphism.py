"""A growing space: networks that edits extend without bound, trained weights kept.

Elsken, Metzen & Hutter 2017, "Simple and efficient architecture search for convolutional neural
networks" (arXiv 1711.04528): network morphisms as the moves of a search.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError, arguments_of
from nasturtium.graphs import (
    Builder,
    Edit,
    Graph,
    Shape,
    graph_from_json,
    graph_to_json,
    legal_edits,
    operations,
)
from nasturtium.spaces._architecture import Architecture
from nasturtium.spaces._base import SPACES, Edits
from nasturtium.spaces._blocks import with_outputs
from nasturtium.spaces._growing import GrowingSpace

if TYPE_CHECKING:
    import numpy as np


@final
@SPACES.register("morphism")
@dataclass(frozen=True, kw_only=True)
class Morphism(GrowingSpace, Edits):
    """Networks that grow: deeper, wider, larger windows, skips, branches; the function is preserved.

    A random architecture is the start network after up to ``steps`` random edits; a mutation is
    one edit more.

    Args:
        width: Channels of the start network's first layer; each later one has twice as many.
        layers: Layers of the start network, a max-pool between two.
        kernels: Sides that an inserted layer's window may have; a window grows to the next one.
        widths: The ladder of channel counts; widening goes to the next one.
        steps: Greatest number of edits of a random architecture.
        input_shape: Shape of one example, set by ``on``.
        n_outputs: Values a network gives for one example, set by ``on``.
    """

    width: int = 8
    layers: int = 3
    kernels: tuple[int, ...] = (3, 5)
    widths: tuple[int, ...] = (8, 12, 16, 24, 32, 48, 64, 96, 128)
    steps: int = 3

    def __post_init__(self) -> None:
        """Check the counts."""
        if min(self.width, self.layers) < 1 or self.steps < 0:
            got = arguments_of(self, "width", "layers", "steps")
            raise UsageError(f"width and layers are at least 1 and steps at least 0, got {got}; raise them.")

    def start(self) -> Architecture:
        """Return the network that everything grows from."""
        b = Builder()
        x = b.input("image")
        for i in range(self.layers):
            x = b.add(f"pool_{i}", operations.MaxPool(3, 2), x) if i else x
            x = b.add(f"conv_{i}", operations.Conv(out=self.width * 2**i), x)
        x = b.add("global_pool", operations.GlobalPool(), x)
        return Architecture.from_json(graph_to_json(b.graph(b.add("head", operations.Linear(), x))))

    def network(self, architecture: Architecture) -> Graph:
        """Return the closed graph, with the task's shapes if bound."""
        return _bound(architecture, self.input_shape, self.n_outputs)

    def edits(self, architecture: Architecture) -> list[Edit]:
        """Return the edits that fit and meet the limits, in a fixed order; needs a bound space."""
        fitting = self._edits(architecture)
        return [e for e in fitting if self.is_feasible(self.apply(architecture, e))] if self.limits else fitting

    def _edits(self, architecture: Architecture) -> list[Edit]:
        return list(legal_edits(self.network(architecture), self.kernels, self.widths))

    def apply(self, architecture: Architecture, edit: Edit) -> Architecture:
        """Return the edited architecture."""
        # The edit sees the bound graph, since skips compare shapes; what is stored stays unbound.
        edited = edit.apply(self.network(architecture))
        return Architecture.from_json(graph_to_json(_unbound(edited)))

    def _first(self, rng: np.random.Generator) -> Architecture:
        del rng
        return self.start()

    def _mutate(self, architecture: Architecture, rng: np.random.Generator) -> Architecture:
        edits = self._edits(architecture)
        return self.apply(architecture, edits[int(rng.integers(len(edits)))]) if edits else architecture

    def _contains(self, architecture: Architecture) -> bool:
        """Return whether the graph works, is written as ours are and holds the start's layers."""
        try:
            graph = self.network(architecture)
            graph.infer()
        except (UsageError, LookupError, TypeError, ValueError):
            return False
        written = Architecture.from_json(graph_to_json(_unbound(graph)))
        return written == architecture and set(start_names(self.layers)) <= set(graph.by_name)


def start_names(layers: int) -> list[str]:
    """Return the names of the start network's nodes, which no edit removes."""
    pools = [f"pool_{i}" for i in range(1, layers)]
    return ["image", *pools, *(f"conv_{i}" for i in range(layers)), "global_pool", "head"]


@lru_cache(maxsize=512)
def _bound(architecture: Architecture, shape: Shape | None, n_outputs: int | None) -> Graph:
    graph = with_outputs(graph_from_json(dict(architecture)), n_outputs)
    nodes = tuple(replace(n, op=operations.Input(shape)) if n.name == "image" else n for n in graph.nodes)
    return Graph(nodes, graph.outputs)


def _unbound(graph: Graph) -> Graph:
    ends = {"image": operations.Input(), "head": operations.Linear()}
    return Graph(tuple(replace(n, op=ends.get(n.name, n.op)) for n in graph.nodes), graph.outputs)
