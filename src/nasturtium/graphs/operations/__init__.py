"""The operation vocabulary: one small class each."""

from nasturtium.graphs.operations._conv import Conv, ConvLike, FactorizedConv, Reduce, Residual, SepConv
from nasturtium.graphs.operations._conv2d import Conv2d
from nasturtium.graphs.operations._embedding import Embedding, token_inputs
from nasturtium.graphs.operations._factorized_reduction import FactorizedReduction, Shift
from nasturtium.graphs.operations._fitting import Join, Sum, merging
from nasturtium.graphs.operations._foreign import Foreign, measure_with
from nasturtium.graphs.operations._gating import Highway, Interpolate, Mean, activated
from nasturtium.graphs.operations._input import Input
from nasturtium.graphs.operations._inverted_residual import (
    Gate,
    InvertedResidual,
    SqueezeExcite,
    conv_norm_act,
    divisible,
)
from nasturtium.graphs.operations._linear import Flatten, Linear
from nasturtium.graphs.operations._matching import (
    FitChannels,
    Halve,
    PaddedResidual,
    PooledConcat,
    PooledSum,
    Resize,
    SumToFirst,
)
from nasturtium.graphs.operations._merging import Add, Concat, Multiply
from nasturtium.graphs.operations._neuron import Component, Neuron, One
from nasturtium.graphs.operations._normalization import InstanceNorm, LayerNorm
from nasturtium.graphs.operations._part import Part
from nasturtium.graphs.operations._pointwise import Activation, BatchNorm, Dropout, Identity, Scale, Zero
from nasturtium.graphs.operations._pooling import AdaptivePool, AvgPool, GlobalPool, MaxPool
from nasturtium.graphs.operations._projection import Projection
from nasturtium.graphs.operations._residual_reduction import DoublingReduction, ResidualReduction
from nasturtium.graphs.operations._shortcuts import Shortcut, ShortcutConcat, ShortcutSum

__all__ = [
    "Activation",
    "AdaptivePool",
    "Add",
    "AvgPool",
    "BatchNorm",
    "Component",
    "Concat",
    "Conv",
    "Conv2d",
    "ConvLike",
    "DoublingReduction",
    "Dropout",
    "Embedding",
    "FactorizedConv",
    "FactorizedReduction",
    "FitChannels",
    "Flatten",
    "Foreign",
    "Gate",
    "GlobalPool",
    "Halve",
    "Highway",
    "Identity",
    "Input",
    "InstanceNorm",
    "Interpolate",
    "InvertedResidual",
    "Join",
    "LayerNorm",
    "Linear",
    "MaxPool",
    "Mean",
    "Multiply",
    "Neuron",
    "One",
    "PaddedResidual",
    "Part",
    "PooledConcat",
    "PooledSum",
    "Projection",
    "Reduce",
    "Residual",
    "ResidualReduction",
    "Resize",
    "Scale",
    "SepConv",
    "Shift",
    "Shortcut",
    "ShortcutConcat",
    "ShortcutSum",
    "SqueezeExcite",
    "Sum",
    "SumToFirst",
    "Zero",
    "activated",
    "conv_norm_act",
    "divisible",
    "measure_with",
    "merging",
    "token_inputs",
]
