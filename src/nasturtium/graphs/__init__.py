"""The one intermediate representation of networks, torch-free."""

from nasturtium.graphs import operations
from nasturtium.graphs._base import OPERATIONS, Composite, Expression, Layer, Operation, Shape, Symbol
from nasturtium.graphs._block_edits import Branch, GrowKernel
from nasturtium.graphs._canonical import COMPLETE_UP_TO
from nasturtium.graphs._drawing import draw, nested
from nasturtium.graphs._edits import EDITS, Deepen, Edit, Skip, Tensors, Widen, kept
from nasturtium.graphs._graph import (
    Builder,
    Condition,
    Edge,
    Graph,
    Node,
    OpenOperation,
    Pick,
    Wire,
    alternatives,
    chain_of,
    delayed,
    under,
)
from nasturtium.graphs._infer import Inference, output_index
from nasturtium.graphs._json import graph_from_json, graph_to_json
from nasturtium.graphs._legal_edits import legal_edits
from nasturtium.graphs._mermaid import mermaid
from nasturtium.graphs._simplify import live_nodes
from nasturtium.graphs._skip_concat import SkipConcat
from nasturtium.graphs._weisfeiler_lehman import weisfeiler_lehman

__all__ = [
    "COMPLETE_UP_TO",
    "EDITS",
    "OPERATIONS",
    "Branch",
    "Builder",
    "Composite",
    "Condition",
    "Deepen",
    "Edge",
    "Edit",
    "Expression",
    "Graph",
    "GrowKernel",
    "Inference",
    "Layer",
    "Node",
    "OpenOperation",
    "Operation",
    "Pick",
    "Shape",
    "Skip",
    "SkipConcat",
    "Symbol",
    "Tensors",
    "Widen",
    "Wire",
    "alternatives",
    "chain_of",
    "delayed",
    "draw",
    "graph_from_json",
    "graph_to_json",
    "kept",
    "legal_edits",
    "live_nodes",
    "mermaid",
    "nested",
    "operations",
    "output_index",
    "under",
    "weisfeiler_lehman",
]
