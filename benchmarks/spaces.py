"""How many networks a second: every registered space, built, counted, identified and mutated.

Each space has its default settings, on images of 3 x 32 x 32 and ten classes; ``neurons`` and ``miller`` on
eight numbers and two outputs, ``mlp`` on thirty and ten. ``cost`` is
parameters, multiply-accumulates, peak memory and depth of a graph, the building apart; ``search``
is what a strategy needs of a candidate, so it samples, builds and counts parameters and
multiply-accumulates. CPU time of this process, one thread, without collections of garbage (as
``timeit`` measures, too), which would come at random and cost what all that went before has made.

    python benchmarks/spaces.py [SPACE]...
"""

from __future__ import annotations

import gc
import sys
import time
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

import nasturtium  # noqa: F401 (it says who measures a user's module)
from nasturtium.spaces import SPACES, Networks
from nasturtium.testing import Shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TASKS = {"neurons": Shapes((8,), 2), "miller": Shapes((8,), 2), "mlp": Shapes((30,), 10)}
"""The tasks of spaces that are not for images."""

SECONDS = 0.4
MOST = 400


def rate(job: Callable[[Any], object], items: Iterable[Any]) -> float:
    """Return how many items a CPU second takes; the first is not timed, since much is made once a space."""
    rest = iter(items)
    job(next(rest))
    gc.collect()
    gc.disable()
    begun, n = time.process_time(), 0
    for item in islice(rest, MOST):
        job(item)
        n += 1
        if time.process_time() - begun > SECONDS:
            break
    spent = time.process_time() - begun
    gc.enable()
    return n / spent


def rates(space: Any) -> list[float]:
    """Return how often a CPU second samples, builds, counts, identifies, mutates and searches."""
    rng = np.random.default_rng(0)
    found = [space.sample(rng) for _ in range(MOST + 1)]

    def search(_: object) -> object:
        graph = space.network(space.sample(rng))
        return graph.params, graph.flops

    return [
        rate(lambda _: space.sample(rng), found),
        rate(space.network, found),
        rate(lambda graph: (graph.params, graph.flops, graph.memory, graph.depth), [space.network(a) for a in found]),
        rate(lambda graph: graph.key, [space.network(a) for a in found]),
        rate(lambda a: space.mutate(a, rng), found),
        rate(search, found),
    ]


def main() -> None:
    """Print the table in Markdown."""
    columns = ("space", "nodes", "sample", "build", "cost", "key", "mutate", "search")
    sys.stdout.write(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n")
    for name in sys.argv[1:] or SPACES.names():
        space = SPACES.get(name)().on(TASKS.get(name, Shapes((3, 32, 32), 10)))
        if not isinstance(space, Networks):
            continue
        graph = space.network(space.sample(np.random.default_rng(0)))
        cells = [name, str(len(graph.nodes)), *(f"{value:,.0f}" for value in rates(space))]
        sys.stdout.write(f"| {' | '.join(cells)} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
