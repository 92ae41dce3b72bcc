"""Problems that a law can solve in milliseconds, their optimum known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, final

from nasturtium.spaces import (
    SPACES,
    Architecture,
    CoDeepNEAT,
    Genomes,
    Morphism,
    Networks,
    Neurons,
    Space,
    chain,
    choice,
    decisions,
    op,
    repeat,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LETTERS = ("a", "b", "c", "d", "e")


@final
@dataclass(frozen=True)
class Shapes:
    """The part of a task that binds a space: the shapes at both ends.

    Args:
        input_shape: Shape of one example, without the batch.
        n_outputs: Number of values the network gives for one example.
    """

    input_shape: tuple[int, ...] = (1, 8, 8)
    n_outputs: int = 10


@final
@dataclass(frozen=True)
class Toy:
    """A search problem that is evaluated at once.

    Its metrics are ``loss`` with the optimum 0, and ``size``, which pulls elsewhere.

    Args:
        space: The bound space.
        best: In a decision space, the values of the optimum by path.
    """

    space: Space
    best: Mapping[str, object] = field(default_factory=dict)

    def metrics(self, architecture: Architecture) -> dict[str, float]:
        """Return loss and size of an architecture."""
        if isinstance(self.space, Genomes):
            assert isinstance(self.space, Networks)
            size = self.space.network(architecture).params
            return {"loss": xor_error(self.space, architecture), "size": float(size)}
        if isinstance(self.space, Networks):
            # Networks as large as possible within 16,000 parameters; the optimum is a plateau.
            size = self.space.network(architecture).params
            return {"loss": abs(math.log(size) - math.log(16_000)), "size": float(size)}
        names = sorted(self.best)
        wrong = [architecture[name] != self.best[name] for name in names]
        weights = [1 + 0.1 * i for i in range(len(names))]
        pairs = sum(a and b for a, b in pairwise(wrong))
        apart = sum(w for w, is_wrong in zip(weights, wrong, strict=True) if is_wrong)
        size = sum(LETTERS.index(str(architecture[name])) for name in names)
        return {"loss": (apart + 0.5 * pairs) / len(names), "size": float(size)}


def xor_error(space: Genomes, architecture: Architecture) -> float:
    """Return the mean absolute error of a network on exclusive or, in [0, 1]."""
    circuit = space.circuit(architecture, math)
    cases = [(x, y, float(x != y)) for x in (0.0, 1.0) for y in (0.0, 1.0)]
    return float(sum(abs(circuit.step((x, y, 1.0))[0][0] - wanted) for x, y, wanted in cases) / 4)


def table() -> Toy:
    """Return a table of 5**8 architectures, with interactions between neighboring decisions."""
    names = [f"layer_{i}" for i in range(8)]
    space = decisions(**{name: choice(*LETTERS) for name in names})
    return Toy(space, {name: LETTERS[(2 * i) % 5] for i, name in enumerate(names)})


def small_table() -> Toy:
    """Return a table of 12 architectures."""
    space = decisions(x=choice("a", "b", "c", "d"), y=choice("a", "b", "c"))
    return Toy(space, {"x": "c", "y": "b"})


def network_toys() -> Iterator[Toy]:
    """Yield a chain of 30 networks and two spaces that grow, bound to a small task."""
    layers = repeat(choice(op("conv", out=choice(8, 16)), op("sep_conv")), at_least=1, at_most=2)
    stem = op("conv", out=choice(4, 8))
    yield Toy(chain(stem, layers, op("global_pool"), op("linear")).on(Shapes()))
    yield Toy(Morphism(layers=2).on(Shapes()))
    yield Toy(CoDeepNEAT(filters=(4, 16), steps=3).on(Shapes()))


def toys() -> Iterator[Toy]:
    """Yield every toy, from the quickest on."""
    yield table()
    yield from network_toys()
    yield Toy(Neurons().on(Shapes((2,), 1)))


def toy_for(requires: Sequence[type]) -> Toy:
    """Return the first toy whose space has all capabilities.

    Raises:
        LookupError: There is none; a law can't say anything then.
    """
    for toy in toys():
        if all(toy.space.supports(capability) for capability in requires):
            return toy
    raise LookupError(f"no toy has {[c.__name__ for c in requires]}; add one to testing/_toys.py.")


def spaces() -> Iterator[tuple[str, Space]]:
    """Yield every registered space with its ``small`` settings, bound to a small task."""
    for name, cls in SPACES:
        yield name, cls.small().on(Shapes())
