"""The report's section on where the results come from: what it takes to get them again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nasturtium.report._format import component_text
from nasturtium.report._grid import facts_table
from nasturtium.report._markup import Markup, element, join

if TYPE_CHECKING:
    from nasturtium.report._base import Findings

_MOST_TEXT = 20_000


def origin_section(found: Findings) -> Markup:
    """Return command, seed, data hash, components and versions."""
    created = found.created
    facts: dict[str, object] = {
        "study": created.get("name", "unnamed"),
        "command": _command(created),
        "seed": created.get("seed", found.history.study.seed),
        "task": _task(created.get("task")),
        "space": component_text(created.get("space")),
        "strategy": component_text(created.get("strategy")),
        "estimator": component_text(created.get("estimator")),
        "scheduler": component_text(created.get("scheduler")),
        "horizon": created.get("horizon", found.history.study.horizon) or "none",
        "log": f"{found.history.length:,} events",
    }
    versions = created.get("versions")
    if isinstance(versions, Mapping):
        facts["versions"] = ", ".join(f"{name} {version}" for name, version in versions.items())
    text = json.dumps(dict(created), indent=2, default=str)
    shown = text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}…"
    raw = element("details", element("summary", "As the log has it"), element("pre", shown))
    return join([facts_table(facts), raw])


def _command(created: Mapping[str, object]) -> Markup | str:
    command = created.get("command")
    if isinstance(command, (list, tuple)):
        command = shlex.join(str(part) for part in command)
    return element("code", command) if command else "not recorded (started from Python)"


def _task(task: object) -> str:
    if not isinstance(task, Mapping):
        return "none"
    return f"{task.get('name', 'unnamed')}, content hash {task.get('content', 'unknown')}"
