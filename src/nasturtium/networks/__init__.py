"""Running networks: from a graph to an ``nn.Module``, and weights from one graph to another."""

from nasturtium.networks._build import build
from nasturtium.networks._carried import Carried, carried
from nasturtium.networks._fast import accelerated
from nasturtium.networks._inheritance import inherit
from nasturtium.networks._measure import ModuleCost, constructor_arguments, measure_module
from nasturtium.networks._network import Cell, Formula, Network
from nasturtium.networks._plan import delayed_shapes, delayed_values
from nasturtium.networks._random_inputs import random_inputs
from nasturtium.networks._tensors import load_tensors, tensors
from nasturtium.networks._trace import graph_of

__all__ = [
    "Carried",
    "Cell",
    "Formula",
    "ModuleCost",
    "Network",
    "accelerated",
    "build",
    "carried",
    "constructor_arguments",
    "delayed_shapes",
    "delayed_values",
    "graph_of",
    "inherit",
    "load_tensors",
    "measure_module",
    "random_inputs",
    "tensors",
]
