"""nasturtium: neural architecture search.

Data and a budget in; a front of small, accurate, trained and exported networks out. And for
research: any search space with any search strategy and any performance estimation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nasturtium import baselines, errors, estimators, loggers, schedulers, spaces, strategies
from nasturtium._adoption import space_from
from nasturtium._search import search
from nasturtium._study import Study
from nasturtium.graphs import operations as _operations
from nasturtium.trials import Decision, Fidelity, History, Measurement, Objective, Proposal, Trial

if TYPE_CHECKING:
    from nasturtium import benchmarking as benchmarks
    from nasturtium.graphs.operations._foreign import Measured
    from nasturtium.sklearn import NASClassifier, NASRegressor
    from nasturtium.tasks import Task

__all__ = [
    "Decision",
    "Fidelity",
    "History",
    "Measurement",
    "NASClassifier",
    "NASRegressor",
    "Objective",
    "Proposal",
    "Study",
    "Task",
    "Trial",
    "__version__",
    "baselines",
    "benchmarks",
    "errors",
    "estimators",
    "loggers",
    "schedulers",
    "search",
    "space_from",
    "spaces",
    "strategies",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import what needs torch, or takes long, when it is first used."""
    if name == "benchmarks":
        from nasturtium import benchmarking

        return benchmarking
    if name in ("NASClassifier", "NASRegressor"):
        from nasturtium import sklearn

        return getattr(sklearn, name)
    if name == "Task":
        from nasturtium.tasks import Task

        return Task
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _measure(module: type, options: tuple[tuple[str, Any], ...], inputs: tuple[tuple[int, ...], ...]) -> Measured:
    """Measure a user's module; the rooms that need this know no torch, so the root provides it."""
    from nasturtium.networks import measure_module

    return measure_module(module, options, inputs)


_operations.measure_with(_measure)
