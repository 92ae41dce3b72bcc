"""Drawings of graphs as Mermaid text, which GitHub, GitLab, notebooks and editors lay out and show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nasturtium.graphs._drawing import described, nested

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nasturtium.graphs._base import Shape
    from nasturtium.graphs._drawing import Described
    from nasturtium.graphs._graph import Graph


def mermaid(graph: Graph, *inputs: Shape) -> str:
    """Return a closed graph as a Mermaid flowchart.

    Each nested graph is one box with a double border; below the network the inside of each kind
    of nested graph is drawn once.

    Args:
        graph: The graph.
        inputs: Shapes of its inputs; none means those that it declares. Where they can't be
            inferred the boxes hold no shapes.

    Example:
        >>> from nasturtium.graphs import Builder, operations
        >>> b = Builder()
        >>> x = b.add("conv", operations.Conv(out=4), b.input("image", (1, 8, 8)))
        >>> print(mermaid(b.graph(x)))
        flowchart TB
          subgraph g0["network"]
            g0_0(["image<br/>1×8×8"])
            g0_1["conv 3×3<br/>4×8×8 · 44"]
            g0_0 --> g0_1
          end
    """
    lines = ["flowchart TB"]
    levels = [("network", graph, inputs)]
    levels += [(", ".join(part.uses), part.graph, part.shapes) for part in nested(graph, *inputs)]
    for number, (title, level, shapes) in enumerate(levels):
        lines.append(f'  subgraph g{number}["{_escaped(title)}"]')
        lines += [f"    {line}" for line in _level(f"g{number}", level, described(level, *shapes))]
        lines.append("  end")
    return "\n".join(lines)


def _level(prefix: str, graph: Graph, nodes: list[Described]) -> Iterator[str]:
    """Yield the nodes of a level, then its edges."""
    number = {node.name: f"{prefix}_{i}" for i, node in enumerate(graph.nodes)}
    for name, shown in zip(number.values(), nodes, strict=True):
        text = "<br/>".join(_escaped(line) for line in shown.lines)
        opening, closing = ("[[", "]]") if shown.is_nested else ("([", "])") if shown.is_input else ("[", "]")
        yield f'{name}{opening}"{text}"{closing}'
    for node in graph.nodes:
        for edge in node.edges:
            parts = [edge.output or "", "" if edge.weight is None else f"{edge.weight:g}"]
            label = " ".join(_escaped(part) for part in parts if part)
            arrow = "-.->" if edge.delay else "-->"
            yield f"{number[edge.source]} {arrow}{f'|{label}|' if label else ''} {number[node.name]}"


def _escaped(text: str) -> str:
    """Return a text without what Mermaid reads as its own: quotes, brackets, signs of entities."""
    return re.sub(r'["#<>&|`]', lambda found: f"#{ord(found[0])};", text)
