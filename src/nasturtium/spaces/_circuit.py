"""Fast evaluation of genomes: plain loops over neurons, each over a whole batch at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from nasturtium.graphs.operations._neuron import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nasturtium.spaces._genome import Genome

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

    __slots__ = ("_exits", "_n_inputs", "_n_values", "_steps", "is_recurrent")

    def __init__(
        self, genome: Genome, sources: Sequence[str], targets: tuple[str, ...], output: str, mathematics: Any
    ) -> None:
        reading: dict[str, list[tuple[str, int, float]]] = {}
        for (source, target, delay), gene in genome.genes.items():
            if gene.is_enabled:
                reading.setdefault(target, []).append((source, delay, gene.weight))
        live, left = {*targets}, [*targets]
        while left:
            for source, _, _ in reading.get(left.pop(), ()):
                if source not in live:
                    live.add(source)
                    left.append(source)
        order = [name for name in genome.order(targets) if name in live]
        place = {name: i for i, name in enumerate((*sources, *order))}
        used = {output, *(genome.neurons[name] for name in order if name in genome.neurons)}
        functions = {name: FUNCTIONS[name].of(mathematics) for name in used}
        self._n_inputs, self._n_values = len(sources), len(place)
        self._exits = [place[name] for name in targets]
        self._steps: list[tuple[int, Terms, Terms, Any]] = []
        for name in order:
            terms = [(place[source], weight) for source, delay, weight in reading.get(name, ()) if not delay]
            late = [(place[source], weight) for source, delay, weight in reading.get(name, ()) if delay]
            self._steps.append((place[name], terms, late, functions[genome.neurons.get(name, output)]))
        self.is_recurrent = any(late for _, _, late, _ in self._steps)

    def step(self, inputs: Sequence[Any], state: Sequence[Any] | None = None) -> tuple[list[Any], list[Any]]:
        """Return the outputs of one time step, and the state to hand to the next.

        Args:
            inputs: One value an input, the bias (ones) included.
            state: What the step before returned; None at the first.
        """
        values = [*inputs, *[0.0] * (self._n_values - self._n_inputs)]
        for place, terms, late, function in self._steps:
            total = 0.0
            for source, weight in terms:
                total = total + weight * values[source]
            if state is not None:
                for source, weight in late:
                    total = total + weight * state[source]
            values[place] = function(total)
        return [values[place] for place in self._exits], values
