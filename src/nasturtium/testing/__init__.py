"""The laws of every contract: named checks for our own classes and for everybody else's.

Each ``*_checks()`` yields (name, check) pairs for ``pytest.mark.parametrize``; each ``check_*``
runs all of them. A check raises ``AssertionError`` with one line that says what is broken. Nothing
here needs pytest.
"""

from nasturtium.testing._estimators import Bench, check_estimator, estimator_checks
from nasturtium.testing._examples import ToyLearner, ToySupernet, ToyTwoStage
from nasturtium.testing._executors import executor_checks
from nasturtium.testing._graphs import check_graph, graph_checks
from nasturtium.testing._schedulers import check_scheduler, scheduler_checks
from nasturtium.testing._spaces import check_space, space_checks
from nasturtium.testing._storages import storage_checks
from nasturtium.testing._strategies import check_strategy, strategy_checks
from nasturtium.testing._sweep import check_sweep
from nasturtium.testing._toys import Shapes

__all__ = [
    "Bench",
    "Shapes",
    "ToyLearner",
    "ToySupernet",
    "ToyTwoStage",
    "check_estimator",
    "check_graph",
    "check_scheduler",
    "check_space",
    "check_strategy",
    "check_sweep",
    "estimator_checks",
    "executor_checks",
    "graph_checks",
    "scheduler_checks",
    "space_checks",
    "storage_checks",
    "strategy_checks",
]
