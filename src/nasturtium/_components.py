"""What ``components`` prints: every registered space, strategy, estimator, scheduler and task, and the benchmarks."""

from __future__ import annotations

import inspect
import re
import textwrap
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from nasturtium._registry import Registry, parameters
from nasturtium.errors import UnknownNameError, near_matches
from nasturtium.spaces import Decisions, Edits, Finite, Networks, Open

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

KINDS = {
    "spaces": ("nasturtium.spaces", "SPACES"),
    "strategies": ("nasturtium.strategies", "STRATEGIES"),
    "estimators": ("nasturtium.estimators", "ESTIMATORS"),
    "schedulers": ("nasturtium.schedulers", "SCHEDULERS"),
    "tasks": ("nasturtium.tasks", "TASKS"),
}
"""Where the registry of each kind is; looking into those of estimators and tasks loads torch."""

CAPABILITIES = (Networks, Open, Decisions, Edits, Finite)

BOUND = frozenset({"limits", "input_shape", "n_outputs"})
"""Arguments of spaces that the task and ``--limit`` set."""


def components(kind: str | None) -> list[dict[str, Any]]:
    """Return what is registered, of one kind or of all, as JSON data.

    Raises:
        UnknownNameError: There is no such kind.
    """
    known = (*KINDS, "benchmarks")
    if kind is not None and kind not in known:
        raise UnknownNameError(f"unknown kind of component {kind!r}; {near_matches(kind, known)}")
    found = []
    for plural in known if kind is None else (kind,):
        if plural == "benchmarks":
            found += _benchmarks()
            continue
        module, name = KINDS[plural]
        registry: Registry[Any] = getattr(import_module(module), name)
        found += [_component(plural, each, cls) for each, cls in registry]
    return found


def _component(kind: str, name: str, cls: type) -> dict[str, Any]:
    known = {key: value for base in reversed(cls.__mro__) for key, value in vars(base).items()}
    text = (inspect.getdoc(cls) or "").replace("``", "")
    capabilities = [c.__name__ for c in CAPABILITIES if issubclass(cls, c)]
    return {
        "kind": kind,
        "name": name,
        "description": text.partition("\n")[0],
        "reference": known.get("reference") or " ".join(_section(text, "References").split()),
        "requires": [c.__name__ for c in known.get("requires", ())],
        "capabilities": capabilities + ["several objectives"] * bool(known.get("multi_objective")),
        "arguments": _arguments(kind, cls, _section(text, "Args")),
    }


def _benchmarks() -> list[dict[str, Any]]:
    """Return the benchmarks, which are no classes: a name says all."""
    from nasturtium.benchmarking import ENTRIES  # loads what runs them; other listings do without

    return [
        {
            "kind": "benchmarks",
            "name": name,
            "description": entry.description,
            "reference": entry.reference,
            "requires": [],
            "capabilities": [],
            "arguments": [],
        }
        for name, entry in sorted(ENTRIES.items())
    ]


def _arguments(kind: str, cls: type, text: str) -> list[dict[str, str]]:
    """Return the arguments; the default is as one writes it, and empty where one must be given."""
    meanings = dict(re.findall(r"^(\w+): (.*(?:\n +.*)*)", text, re.MULTILINE))
    return [
        {
            "name": name,
            "default": "" if default is inspect.Parameter.empty else repr(default),
            "description": " ".join(meanings.get(name, "").split()),
        }
        for name, default in parameters(cls).items()
        if not (kind == "spaces" and name in BOUND)
    ]


def _section(text: str, title: str) -> str:
    r"""Return a section of a docstring without its indentation; empty if there is none.

    Example:
        >>> _section("What it is.\n\nArgs:\n    a: One.\n        More.\n\nNotes:", "Args")
        'a: One.\n    More.'
    """
    found = re.search(rf"^{title}:\n((?:    .*\n?|\n)*)", text, re.MULTILINE)
    return textwrap.dedent(found[1]).strip() if found else ""


def components_page(found: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return what ``components`` prints: with all arguments if it is about one kind."""
    kinds = list(dict.fromkeys(entry["kind"] for entry in found))
    parts: list[RenderableType] = []
    for kind in kinds:
        parts.append(Text(kind.capitalize(), style="bold underline"))
        parts += [_entry(entry, is_full=len(kinds) == 1) for entry in found if entry["kind"] == kind]
        parts.append("")
    if len(kinds) > 1:
        parts.append(Text("`nasturtium components strategies` and so on explain the arguments of one kind."))
    return Group(*parts)


def _entry(entry: Mapping[str, Any], *, is_full: bool) -> RenderableType:
    names = [argument["name"] for argument in entry["arguments"]]
    inside = f"({', '.join(names)})" if names and not is_full else ""
    table = Table.grid(padding=(0, 0, 0, 2))
    lines = [Text(entry["description"])]
    label = "has" if entry["kind"] == "spaces" else "handles"
    if entry["capabilities"]:
        lines.append(Text(f"{label}: {', '.join(entry['capabilities'])}", style="dim"))
    if entry["requires"]:
        lines.append(Text(f"needs a space with: {', '.join(entry['requires'])}", style="dim"))
    if entry["reference"]:
        lines.append(Text(entry["reference"], style="dim"))
    if is_full:
        lines += map(_argument, entry["arguments"])
    for line in lines:
        table.add_row("", line)
    return Group(Text.assemble((entry["name"], "bold cyan"), inside), table)


def _argument(argument: Mapping[str, str]) -> Text:
    default = f"={argument['default']}" if argument["default"] else " (needed)"
    return Text.assemble(("  " + argument["name"], "cyan"), default, f"  {argument['description']}")
