"""The list of benchmarks, and how one is loaded."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from nasturtium.benchmarking import _nasbench101, _nasbench201, _nasbench_graph, _nasbench_nlp
from nasturtium.errors import UnknownNameError, near_matches

if TYPE_CHECKING:
    from nasturtium.benchmarking._base import Benchmark, Entry

ENTRIES: dict[str, Entry] = {
    **_nasbench101.ENTRIES,
    **_nasbench201.ENTRIES,
    **_nasbench_graph.ENTRIES,
    **_nasbench_nlp.ENTRIES,
}


def names() -> list[str]:
    """Return the names of all benchmarks, sorted.

    Example:
        >>> "nasbench201-cifar10-e12" in names()
        True
    """
    return sorted(ENTRIES)


@lru_cache
def load(name: str) -> Benchmark:
    """Return the benchmark of a name; the same object each time.

    Raises:
        UnknownNameError: There is no such benchmark; the message offers near matches.

    Example:
        >>> load("nasbench-graph-cora").objectives
        ('valid_error',)
    """
    if name not in ENTRIES:
        raise UnknownNameError(f"unknown benchmark {name!r}; {near_matches(name, ENTRIES)}")
    return ENTRIES[name].make(name)
