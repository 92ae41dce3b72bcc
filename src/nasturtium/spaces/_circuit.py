"""Fast evaluation of genomes: plain loops over neurons, each over a whole batch at once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, final

from nasturtium.graphs.operations._neuron import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nasturtium.spaces._genome import Genome


@lru_cache(maxsize=64)
def function_of(name: str, mathematics: Any) -> Callable[[Any], Any]:
    """Return a neuron's function for ``math`` or ``numpy``."""
    return FUNCTIONS[name].of(mathematics)


Terms = list[tuple[int, float]]
"""What a neuron reads: places of values, and weights."""


@final
class Circuit:
    """A network ready to compute; neurons that no output depends on are left out.

    The same code computes single floats and arrays: the values of a call are all floats, or all
    arrays of one shape, such as all patterns of a task or all environments of a simulation. At each
    step every neuron reads what the others have at that step, or through a connection of delay 1
    what they had at the step before (0 at the first).

    Args:
        genome: The network.
        sources: Names of the inputs in the order in which they come; ``bias`` is among them.
        targets: Names of the output neurons.
        output: The function of the output neurons.
        mathematics: The module ``math`` for floats, ``numpy`` for arrays.

    Example:
        >>> import math
        >>> from nasturtium.spaces import Gene, Genome
        >>> genome = Genome({}, {("x0", "y0", 0): Gene(2.0), ("y0", "y0", 1): Gene(1.0)})
        >>> counter = Circuit(genome, ("x0",), ("y0",), "linear", math)
        >>> outputs, state = counter.step([1.0])
        >>> outputs, counter.step([1.0], state)[0]
        ([2.0], [4.0])
    """

    __slots__ = ("_exits", "_n_computed", "_steps", "is_recurrent")

    def __init__(
        self, genome: Genome, sources: Sequence[str], targets: tuple[str, ...], output: str, mathematics: Any
    ) -> None:
        ready: dict[str, list[tuple[str, float]]] = {}
        late: dict[str, list[tuple[str, float]]] = {}
        for (source, target, delay), (weight, is_enabled) in genome.genes.items():
            if is_enabled:
                (late if delay else ready).setdefault(target, []).append((source, weight))
        place = dict(zip(sources, range(len(sources)), strict=True))
        self._steps: list[tuple[int, Terms, Terms, Any]] = []
        left = [*targets]
        while left:  # from the outputs back to what they read, so that only that is kept
            name = left[-1]
            if name in place:
                left.pop()
                continue
            arriving = ready.get(name, ())
            waiting = [source for source, _ in arriving if source not in place]
            if waiting:
                left += waiting
                continue
            left.pop()
            function = function_of(genome.neurons.get(name, output), mathematics)
            self._steps.append((len(place), [(place[source], weight) for source, weight in arriving], [], function))
            place[name] = len(place)
            if name in late:
                left[:0] = [source for source, _ in late[name]]
        self._n_computed = len(self._steps)
        self._exits = [place[name] for name in targets]
        self.is_recurrent = False
        for name, arriving in late.items():
            if name in place:
                self._steps[place[name] - len(sources)][2].extend([(place[source], w) for source, w in arriving])
                self.is_recurrent = True

    def step(self, inputs: Sequence[Any], state: Sequence[Any] | None = None) -> tuple[list[Any], list[Any]]:
        """Return the outputs of one time step, and the state to hand to the next.

        Args:
            inputs: One value an input, the bias (ones) included.
            state: What the step before returned; None at the first.
        """
        values = [*inputs, *[0.0] * self._n_computed]
        for place, terms, late, function in self._steps:
            total = 0.0
            for source, weight in terms:
                total = total + weight * values[source]
            if state is not None:
                for source, weight in late:
                    total = total + weight * state[source]
            values[place] = function(total)
        return [values[place] for place in self._exits], values
