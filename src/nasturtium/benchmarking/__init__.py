"""Fair comparison: tabular benchmarks that need no training, as ``nasturtium.benchmarks``."""

from nasturtium.benchmarking._data import table

__all__ = ["table"]
