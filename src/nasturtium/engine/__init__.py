"""The engine: one loop, its budget, its journal and its executors."""

from typing import TYPE_CHECKING, Any

from nasturtium.engine._base import Died, Done, Executor, Failed, Job, Message, Reported, Workload
from nasturtium.engine._budget import Budget
from nasturtium.engine._inline import InlineExecutor
from nasturtium.engine._journal import Journal
from nasturtium.engine._loop import Loop, asked_event, job_of, leg_end
from nasturtium.engine._simulated import SimulatedExecutor

if TYPE_CHECKING:
    from nasturtium.engine._local import LocalExecutor

__all__ = [
    "Budget",
    "Died",
    "Done",
    "Executor",
    "Failed",
    "InlineExecutor",
    "Job",
    "Journal",
    "LocalExecutor",
    "Loop",
    "Message",
    "Reported",
    "SimulatedExecutor",
    "Workload",
    "asked_event",
    "job_of",
    "leg_end",
]


def __getattr__(name: str) -> Any:
    """Import what needs multiprocessing when it is first used."""
    if name == "LocalExecutor":
        from nasturtium.engine._local import LocalExecutor

        return LocalExecutor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
