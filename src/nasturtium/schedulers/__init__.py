"""Schedulers: how far each trial goes."""

from nasturtium.schedulers._base import SCHEDULERS, Scheduler
from nasturtium.schedulers._fixed import Fixed
from nasturtium.schedulers._successive_halving import SuccessiveHalving

__all__ = ["SCHEDULERS", "Fixed", "Scheduler", "SuccessiveHalving"]
