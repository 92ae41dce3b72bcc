"""Fair comparison: tabular benchmarks that need no training, as ``nasturtium.benchmarks``."""

from nasturtium.benchmarking._base import Benchmark, Entry
from nasturtium.benchmarking._catalog import ENTRIES, load, names
from nasturtium.benchmarking._data import table
from nasturtium.benchmarking._expectation import expected_best
from nasturtium.benchmarking._from_table import from_table
from nasturtium.benchmarking._grid import Grid, run_grid
from nasturtium.benchmarking._results import Results
from nasturtium.benchmarking._run import Protocol, Run, run_once

__all__ = [
    "ENTRIES",
    "Benchmark",
    "Entry",
    "Grid",
    "Protocol",
    "Results",
    "Run",
    "expected_best",
    "from_table",
    "load",
    "names",
    "run_grid",
    "run_once",
    "table",
]
