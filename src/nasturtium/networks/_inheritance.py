"""Trained weights from a parent to a child, along the edits that lead from one to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from nasturtium.graphs import Edit, Graph, Tensors, kept
from nasturtium.networks._build import build
from nasturtium.networks._tensors import load_tensors, tensors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nasturtium.networks._network import Network


def inherit(
    child: Graph,
    parent: Graph,
    edits: Iterable[Edit],
    trained: Tensors,
    *,
    seed: int = 0,
) -> Network:
    """Return the child's network with the parent's trained weights.

    Each edit carries the tensors over to the graph it makes; what the last one leaves is copied
    into the child by name and shape, and the rest of the child is freshly initialized. Without
    edits that copy is all there is.

    Args:
        child: The graph to build, usually what the edits make of the parent.
        parent: The graph that ``trained`` belongs to.
        edits: In the order in which they were applied.
        trained: The parent's tensors, see ``tensors``; their dtype becomes the network's. What is
            missing counts as fresh, so the parent may have been trained in its simplified form.
        seed: Of the fresh weights.

    Raises:
        UsageError: An edit does not fit.

    References:
        Chen, Goodfellow & Shlens 2016, Net2Net (arXiv 1511.05641).
        Elsken, Metzen & Hutter 2019, LEMONADE (arXiv 1804.09081), section 3.2.
    """
    edits = list(edits)
    values, graph = trained, parent
    if edits:  # a parent that was trained without its dead parts lacks their tensors
        values = kept(trained, tensors(_like(trained, parent, seed)))
    for edit in edits:
        edited = edit.apply(graph)
        values = edit.transfer(graph, values, tensors(_like(values, edited, seed)))
        graph = edited
    network = _like(trained, child, seed)
    load_tensors(network, kept(values, tensors(network)))
    return network


def _like(trained: Tensors, graph: Graph, seed: int) -> Network:
    """Return a fresh network of the dtype that the trained tensors have."""
    network = build(graph, seed=seed)
    dtypes = {array.dtype for array in trained.values()}
    if dtypes == {np.dtype(np.float64)}:
        network.to(torch.float64)
    return network
