"""The laws of executors, over every executor."""

import pytest

from nasturtium.engine._inline import InlineExecutor
from nasturtium.engine._local import LocalExecutor
from nasturtium.engine._simulated import SimulatedExecutor
from nasturtium.testing._executors import executor_checks

MAKERS = {
    "inline": InlineExecutor,
    "local": lambda: LocalExecutor(workers=2, patience=30.0),
    "simulated": lambda: SimulatedExecutor(workers=2),
    "simulated-charging": lambda: SimulatedExecutor(charges_search=True),
}
CASES = [
    pytest.param(make, check, id=f"{maker}-{name}")
    for maker, make in MAKERS.items()
    for name, check in executor_checks()
]


@pytest.mark.parametrize(("make", "check"), CASES)
def test_law(make, check):
    check(make)
