"""A user's function as the estimator: tables, simulators, anything."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.errors import UsageError
from nasturtium.estimators._base import ESTIMATORS, Assignment, Context, Estimator
from nasturtium.trials import Measurement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nasturtium.spaces import Architecture


@final
@ESTIMATORS.register("function")
@dataclass(frozen=True)
class Function(Estimator):
    """Evaluates an architecture by calling a function once.

    Args:
        function: Takes the architecture, returns metrics by name. What it returns under the name
            ``seconds`` is charged to the clock in place of the measured time.

    Example:
        >>> estimator = Function(lambda architecture: {"valid_error": 0.1 * architecture["layers"]})
        >>> estimator.metrics()
        ()
    """

    function: Callable[[Architecture], Mapping[str, float]]

    is_random: ClassVar[bool] = False

    def evaluate(self, assignment: Assignment, context: Context) -> Iterator[Measurement]:
        """Yield the function's metrics as the one measurement, at step 0."""
        del context
        if assignment.architecture is None:
            raise UsageError("a function evaluates architectures, got the whole space; use another strategy.")
        start = time.perf_counter()
        metrics = dict(self.function(assignment.architecture))
        seconds = metrics.pop("seconds", time.perf_counter() - start)
        yield Measurement(assignment.fidelity.epochs, metrics, seconds)
