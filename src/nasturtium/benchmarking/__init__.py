"""Fair comparison: tabular benchmarks that need no training, as ``nasturtium.benchmarks``."""

from nasturtium.benchmarking._anytime import curves, write_curves
from nasturtium.benchmarking._base import Benchmark, Entry
from nasturtium.benchmarking._catalog import ENTRIES, load, names
from nasturtium.benchmarking._data import table
from nasturtium.benchmarking._expectation import expected_best
from nasturtium.benchmarking._from_table import from_table
from nasturtium.benchmarking._grid import Grid, run_grid
from nasturtium.benchmarking._page import page
from nasturtium.benchmarking._results import Results
from nasturtium.benchmarking._run import Protocol, Run, run_once
from nasturtium.benchmarking._settings import read_strategies
from nasturtium.benchmarking._sheets import Sheet, facts, means

__all__ = [
    "ENTRIES",
    "Benchmark",
    "Entry",
    "Grid",
    "Protocol",
    "Results",
    "Run",
    "Sheet",
    "curves",
    "expected_best",
    "facts",
    "from_table",
    "load",
    "means",
    "names",
    "page",
    "read_strategies",
    "run_grid",
    "run_once",
    "table",
    "write_curves",
]
