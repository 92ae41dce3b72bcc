"""Fair comparison: tabular benchmarks that need no training, as ``nasturtium.benchmarks``."""

from nasturtium.benchmarking._base import Benchmark, Entry
from nasturtium.benchmarking._catalog import ENTRIES, load, names
from nasturtium.benchmarking._data import table
from nasturtium.benchmarking._expectation import expected_best
from nasturtium.benchmarking._from_table import from_table

__all__ = ["ENTRIES", "Benchmark", "Entry", "expected_best", "from_table", "load", "names", "table"]
