"""Owners of leases: who runs a study, and whether they still can."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from pathlib import Path

LEASE_SECONDS = 60.0
"""How long a lease that nobody renews keeps others out, if its owner can't be looked at."""


def new_owner() -> str:
    """Return a fresh name for an engine of this process: ``host:pid:start-token``.

    The start time tells the process from a later one with the same number.
    """
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{_start(pid)}-{secrets.token_hex(4)}"


def is_alive(owner: str) -> bool | None:
    """Return whether an owner's process runs; None if that can't be known from here."""
    parts = owner.rsplit(":", 2)
    if len(parts) != 3 or parts[0] != socket.gethostname() or not parts[1].isdigit():
        return None
    pid, start = int(parts[1]), parts[2].partition("-")[0]
    if Path("/proc/self/stat").exists():
        return _start(pid) == start
    return False if _is_gone(pid) else None


def _start(pid: int) -> str:
    """Return when a process was started, in its machine's own unit; empty if that is unknown."""
    try:
        # The command's name, in parentheses, may itself hold spaces and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]  # a zombie runs no study


def _is_gone(pid: int) -> bool:
    """Return whether there is certainly no process of that number."""
    if sys.platform == "win32":  # there, os.kill ends the process
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def in_words(owner: str) -> str:
    """Return an owner in words."""
    parts = owner.rsplit(":", 2)
    return f"process {parts[1]} on {parts[0]}" if len(parts) == 3 else owner
