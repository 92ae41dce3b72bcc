"""Loggers: what happens in a study, written where other tools look."""

from nasturtium.loggers._base import LOGGERS, Logger, follow
from nasturtium.loggers._json_lines import JsonLines
from nasturtium.loggers._mlflow import MLflow
from nasturtium.loggers._tensorboard import TensorBoard

__all__ = ["LOGGERS", "JsonLines", "Logger", "MLflow", "TensorBoard", "follow"]
