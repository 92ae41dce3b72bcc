"""What the tests of executors share."""

import os
import select

import pytest

from nasturtium.engine._local import LocalExecutor
from nasturtium.estimators import Function
from nasturtium.testing._executor_cases import workload_of


@pytest.fixture
def started():
    """Return what starts an executor for a function; every one is closed after the test."""
    executors = []

    def start(function, *, is_script=False, **arguments):
        executor = LocalExecutor(**arguments)
        executors.append(executor)
        executor.start(workload_of(function if is_script else Function(function)))
        return executor

    yield start
    for executor in executors:
        executor.close()


@pytest.fixture
def ends():
    """Return what tells whether a process has ended, or does so within some seconds."""
    return _ends


def _ends(pid, seconds=5.0):
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)
