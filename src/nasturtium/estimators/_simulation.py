"""Simulation: a candidate whose weights evolve is as good as what it does."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.errors import UsageError
from nasturtium.estimators._base import ESTIMATORS, Assignment, Context, Estimator
from nasturtium.spaces import Genome, Genomes
from nasturtium.tasks import Problem
from nasturtium.trials import Measurement

if TYPE_CHECKING:
    from collections.abc import Iterator


@final
@ESTIMATORS.register("simulation")
@dataclass(frozen=True)
class Simulation(Estimator):
    """Lets each candidate do what the problem asks for, with the weights that it has; nothing is trained.

    Reports the problem's metrics, such as ``valid_error``, and ``params``, the connections in use.
    """

    requires: ClassVar[tuple[type, ...]] = (Genomes,)
    is_random: ClassVar[bool] = False
    reference: ClassVar[str] = "Stanley & Miikkulainen 2002, Evolutionary Computation 10(2)"

    def metrics(self) -> tuple[str, ...]:
        """Return the metrics of every problem; its own are ``valid_NAME`` too."""
        return ("params", "valid_error")

    def evaluate(self, assignment: Assignment, context: Context) -> Iterator[Measurement]:
        """Yield the one measurement, at step 0."""
        problem, space, architecture = context.task, context.space, assignment.architecture
        if not isinstance(problem, Problem) or not isinstance(space, Genomes) or architecture is None:
            got = "no task" if problem is None else problem.name
            raise UsageError(f"simulation needs a problem such as xor or double-pole, got {got}; use training.")
        begun = time.perf_counter()
        score = {f"valid_{name}": value for name, value in problem.score(space, architecture).items()}
        n_connections = sum([gene.is_enabled for gene in Genome.of(architecture).genes.values()])
        yield Measurement(0, {"params": n_connections, **score}, time.perf_counter() - begun)
