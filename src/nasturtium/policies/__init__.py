"""Policies: distributions over the architectures of a decision space, with their gradients."""

from nasturtium.policies._adam import Adam
from nasturtium.policies._base import POLICIES, Draw, Known, Pass, Policy, Rollout, Weights, draw, log_probability
from nasturtium.policies._batch import Batch, Group
from nasturtium.policies._logits import Logits
from nasturtium.policies._lstm import LSTM
from nasturtium.policies._walk import N_BINS, Head, Step, Walk, walk_of

__all__ = [
    "LSTM",
    "N_BINS",
    "POLICIES",
    "Adam",
    "Batch",
    "Draw",
    "Group",
    "Head",
    "Known",
    "Logits",
    "Pass",
    "Policy",
    "Rollout",
    "Step",
    "Walk",
    "Weights",
    "draw",
    "log_probability",
    "walk_of",
]
