"""GNARL: generalized acquisition of recurrent links.

Angeline, Saunders & Pollack 1994, "An Evolutionary Algorithm that Constructs Recurrent Neural
Networks", IEEE Transactions on Neural Networks 5(1):54-65.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.errors import UsageError
from nasturtium.spaces import Genomes
from nasturtium.strategies._annealing import Annealing
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._evolution import evolve, fitting
from nasturtium.strategies._operators import is_solved
from nasturtium.strategies._parents import Uniform
from nasturtium.strategies._removal import Generational

if TYPE_CHECKING:
    from typing_extensions import Self

    from nasturtium.trials import History, Proposal


@final
@STRATEGIES.register("gnarl")
@dataclass(frozen=True)
class GNARL(Strategy):
    """Networks of any structure, changed by annealed mutation alone; the better half lives on.

    Each of the better half has one child, and both are in the next population. There is no crossing.
    The constants are ours where the paper leaves them to the task. Departures: a child may keep all
    hidden neurons, where the paper's least is one, since new ones come without connections and a line of
    descent would lose all it has; a connection goes back in time only where it would close a cycle, and
    outputs may be read; the temperature is the loss itself, so losses are errors in [0, 1] or ``worst``
    says what is bad.

    Args:
        population_size: An even number.
        alpha: Variance of the change of a weight at temperature 1.
        neurons: Least and most hidden neurons that come or go.
        connections: Least and most connections that come or go.
        most_hidden: Hidden neurons of the first population, at most.
        most_connections: Connections of the first population, at most.
        worst: The loss at temperature 1.
        solved: Loss at which the search has finished: 0 for errors.

    References:
        Angeline, Saunders & Pollack 1994, IEEE Transactions on Neural Networks 5(1):54-65.
    """

    population_size: int = 50
    alpha: float = 1.0
    neurons: tuple[int, int] = (0, 3)
    connections: tuple[int, int] = (1, 5)
    most_hidden: int = 5
    most_connections: int = 20
    worst: float = 1.0
    solved: float = 0.0

    requires: ClassVar[tuple[type, ...]] = (Genomes,)
    reference: ClassVar[str] = "Angeline, Saunders & Pollack 1994, IEEE Transactions on Neural Networks 5(1)"

    def __post_init__(self) -> None:
        """Check the arguments."""
        self._variation()
        if self.population_size < 2 or self.population_size % 2:
            raise UsageError(f"population_size is an even number from 2 on, got {self.population_size}; change it.")

    def _variation(self) -> Annealing:
        most = (self.most_hidden, self.most_connections)
        return Annealing(self.alpha, self.neurons, self.connections, *most, self.worst)

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return a generation's children; none while the one before is not over, or once one solves it."""
        if is_solved(history, self.solved):
            return []
        half = self.population_size // 2
        removal = Generational(self.population_size, half, half, in_turn=True)
        return evolve(history, n, Uniform(), removal, self._variation(), "allow")

    def scaled(self, horizon: int) -> Self:
        """Return the strategy with a population that allows forty generations."""
        return replace(self, population_size=fitting(horizon // 5, self.population_size) // 2 * 2)

    @classmethod
    def small(cls) -> Self:
        """Return a population of 10 with smaller steps: many generations in few trials."""
        return cls(population_size=10, neurons=(0, 2), connections=(0, 3))
