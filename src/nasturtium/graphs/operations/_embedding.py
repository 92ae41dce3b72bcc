"""The vectors of tokens, such as the characters or words of a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError
from nasturtium.graphs._base import OPERATIONS, Layer, Operation, Shape, expect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nasturtium.graphs._graph import Graph


@final
@OPERATIONS.register("embedding")
@dataclass(frozen=True)
class Embedding(Operation):
    """The trainable vector of a token; an input node that it reads holds whole numbers.

    Args:
        tokens: How many tokens there are; None takes as many as the task has outputs, set by
            ``space.on``. They are the numbers from 0 on.
        out: Features of a token's vector.
    """

    tokens: int | None = None
    out: int = 64

    def __post_init__(self) -> None:
        """Check the counts."""
        if min(self.out, 1 if self.tokens is None else self.tokens) < 1:
            raise UsageError(f"tokens and out are at least 1, got {self}; raise them.")

    def _size(self, inputs: tuple[Shape, ...]) -> tuple[int, int]:
        expect(inputs == ((),), self, inputs, "one input of single tokens, of the shape ()")
        expect(self.tokens is not None, self, inputs, "tokens=, or a space bound to a task with .on(task)")
        assert self.tokens is not None
        return self.tokens, self.out

    def shape(self, *inputs: Shape) -> Shape:
        """Return (out,)."""
        return (self._size(inputs)[1],)

    def params(self, *inputs: Shape) -> int:
        """Return one a feature of every token."""
        tokens, out = self._size(inputs)
        return tokens * out

    def symbol(self, *inputs: Shape) -> Layer:
        """Return ``nn.Embedding``."""
        return Layer("Embedding", self._size(inputs))


def token_inputs(graph: Graph) -> Mapping[str, tuple[str, int]]:
    """Return the input nodes that hold tokens, each with the embedding's node and the tokens' number.

    Example:
        >>> from nasturtium.graphs import Builder
        >>> b = Builder()
        >>> graph = b.graph(b.add("embed", Embedding(12, 4), b.input("text", ())))
        >>> token_inputs(graph)
        {'text': ('embed', 12)}
    """
    inputs = {node.name for node in graph.inputs}
    return {
        edge.source: (node.name, node.op.tokens)
        for node in graph.nodes
        if isinstance(node.op, Embedding) and node.op.tokens is not None
        for edge in node.edges
        if edge.source in inputs
    }
