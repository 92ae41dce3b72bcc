"""Latency: measured with onnxruntime on this machine, or predicted from another device's measurements."""

from nasturtium.latency._estimator import METRIC, Latency, graph_latency
from nasturtium.latency._file import LatencyFile, read_file, write_file
from nasturtium.latency._folder import error_line, latency_page, measure_folder, networks_in
from nasturtium.latency._measure import Timing, measure
from nasturtium.latency._operations import Kernel, Prediction, fit, operations

__all__ = [
    "METRIC",
    "Kernel",
    "Latency",
    "LatencyFile",
    "Prediction",
    "Timing",
    "error_line",
    "fit",
    "graph_latency",
    "latency_page",
    "measure",
    "measure_folder",
    "networks_in",
    "operations",
    "read_file",
    "write_file",
]
