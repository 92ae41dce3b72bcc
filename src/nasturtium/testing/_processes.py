"""Calling a function in another process that hashes strings in another way."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

import cloudpickle

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R")

_CODE = """
import sys, cloudpickle
function, arguments = cloudpickle.loads(sys.stdin.buffer.read())
sys.stdout.buffer.write(cloudpickle.dumps(function(*arguments)))
"""


def elsewhere(function: Callable[..., R], *arguments: Any, hash_seed: int = 12345) -> R:
    """Return what a function gives in a fresh interpreter with this ``PYTHONHASHSEED``.

    Args:
        function: A function at the head of a module.
        arguments: Its arguments; classes of modules that can't be imported are sent along.
        hash_seed: Of the other process.

    Raises:
        AssertionError: The function failed there.
    """
    for argument in arguments:
        _send_along(argument if isinstance(argument, type) else type(argument))
    environment = {
        **os.environ,
        "PYTHONHASHSEED": str(hash_seed),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    process = subprocess.run(
        [sys.executable, "-c", _CODE],
        input=cloudpickle.dumps((function, arguments)),
        capture_output=True,
        env=environment,
        check=False,
    )
    said = process.stderr.decode(errors="replace").strip().splitlines() or ["nothing"]
    assert process.returncode == 0, f"another process must do the same, it said: {said[-1]}"
    result: R = cloudpickle.loads(process.stdout)
    return result


def _send_along(cls: type) -> None:
    """Make a class travel with its code if the other process could not import its module."""
    module = sys.modules.get(cls.__module__)
    try:
        is_found = find_spec(cls.__module__) is not None
    except (ImportError, ValueError):
        is_found = False
    if module is not None and not is_found:
        cloudpickle.register_pickle_by_value(module)
