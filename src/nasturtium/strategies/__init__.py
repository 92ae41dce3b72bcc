"""Search strategies: one file a method, history in, proposals out."""

from nasturtium.strategies import _operators as operators
from nasturtium.strategies._base import STRATEGIES, Strategy, check_fit
from nasturtium.strategies._random_search import RandomSearch
from nasturtium.strategies._regularized_evolution import RegularizedEvolution

__all__ = [
    "STRATEGIES",
    "RandomSearch",
    "RegularizedEvolution",
    "Strategy",
    "check_fit",
    "operators",
]
