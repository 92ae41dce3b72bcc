"""Which edits fit a graph: the moves of a search that grows networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.graphs._block_edits import MERGES, Branch, GrowKernel
from nasturtium.graphs._edits import Deepen, Edit, Skip, Widen, channel_group, is_widenable
from nasturtium.graphs._skip_concat import SkipConcat, takes_more_channels
from nasturtium.graphs.operations import Conv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nasturtium.graphs._graph import Graph

Blocks = list[tuple[str, Conv]]
"""The convolution blocks that can be edited, by name and in order."""


def legal_edits(graph: Graph, kernels: tuple[int, ...] = (3, 5), widths: tuple[int, ...] = ()) -> Iterator[Edit]:
    """Yield the edits of this room that fit a graph.

    Args:
        graph: A closed graph with declared input shapes.
        kernels: Sides that an inserted block may have; a block's window grows to the next one.
        widths: The ladder of channel counts; a block widens to the next one.
    """
    blocks = [
        (n.name, n.op) for n in graph.nodes if isinstance(n.op, Conv) and not n.op.preactivated and n.op.out is not None
    ]
    yield from _deepenings(graph, blocks, kernels)
    yield from _widenings(graph, blocks, widths)
    yield from _larger_kernels(blocks, kernels)
    yield from _skips(graph, blocks)
    yield from _concatenations(graph, blocks)
    yield from _branches(graph, blocks)


def _deepenings(graph: Graph, blocks: Blocks, kernels: tuple[int, ...]) -> Iterator[Deepen]:
    for name, _ in blocks:
        for kernel in kernels:
            edit = Deepen(name, kernel)
            if edit.name not in graph.by_name:
                yield edit


def _widenings(graph: Graph, blocks: Blocks, widths: tuple[int, ...]) -> Iterator[Widen]:
    for name, conv in blocks:
        wider = [width for width in widths if conv.out is not None and width > conv.out]
        if wider and is_widenable(graph, channel_group(graph, name)):
            yield Widen(name, min(wider))


def _larger_kernels(blocks: Blocks, kernels: tuple[int, ...]) -> Iterator[GrowKernel]:
    for name, conv in blocks:
        side = conv.kernel
        larger = [kernel for kernel in kernels if isinstance(side, int) and kernel > side]
        if larger:
            yield GrowKernel(name, min(larger))


def _skips(graph: Graph, blocks: Blocks) -> Iterator[Skip]:
    for i, (target, _) in enumerate(blocks):
        for source, _ in blocks[:i]:
            edit = Skip(source, target)
            if graph.shapes[source] == graph.shapes[target] and edit.name not in graph.by_name:
                yield edit


def _concatenations(graph: Graph, blocks: Blocks) -> Iterator[SkipConcat]:
    for i, (target, _) in enumerate(blocks):
        if not takes_more_channels(graph, target):
            continue
        for source, _ in blocks[:i]:
            edit = SkipConcat(source, target)
            if graph.shapes[source][1:] == graph.shapes[target][1:] and edit.name not in graph.by_name:
                yield edit


def _branches(graph: Graph, blocks: Blocks) -> Iterator[Branch]:
    for name, conv in blocks:
        for merge in MERGES:
            edit = Branch(name, merge)
            if edit.name not in graph.by_name and (merge == "add" or conv.out != 1):
                yield edit
