"""The engine: one loop, its budget, its journal and its executors."""

from nasturtium.engine._base import Died, Done, Executor, Failed, Job, Message, Reported, Workload
from nasturtium.engine._budget import Budget
from nasturtium.engine._inline import InlineExecutor
from nasturtium.engine._journal import Journal
from nasturtium.engine._local import LocalExecutor
from nasturtium.engine._loop import Loop, asked_event, job_of, leg_end

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
    "Workload",
    "asked_event",
    "job_of",
    "leg_end",
]
