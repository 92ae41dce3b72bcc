"""Performance estimation: how good an architecture is."""

from typing import TYPE_CHECKING, Any

from nasturtium.estimators._base import (
    ESTIMATORS,
    Assignment,
    Checkpoints,
    Context,
    Diverged,
    Estimator,
)
from nasturtium.estimators._cached import Cached
from nasturtium.estimators._function import Function
from nasturtium.estimators._tabular import Schedule, Table, Tabular

if TYPE_CHECKING:
    from nasturtium.estimators._simulation import Simulation
    from nasturtium.estimators._training import Training

__all__ = [
    "ESTIMATORS",
    "Assignment",
    "Cached",
    "Checkpoints",
    "Context",
    "Diverged",
    "Estimator",
    "Function",
    "Schedule",
    "Simulation",
    "Table",
    "Tabular",
    "Training",
]

ESTIMATORS.defer("latency", "nasturtium.latency._estimator")
ESTIMATORS.defer("simulation", "nasturtium.estimators._simulation")
ESTIMATORS.defer("training", "nasturtium.estimators._training")


def __getattr__(name: str) -> Any:
    """Import what needs torch when it is first used."""
    if name == "Training":
        from nasturtium.estimators._training import Training

        return Training
    if name == "Simulation":
        from nasturtium.estimators._simulation import Simulation

        return Simulation
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
