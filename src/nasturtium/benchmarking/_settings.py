"""Strategies with many settings, read from a TOML file."""

from __future__ import annotations

import sys
from itertools import product
from typing import TYPE_CHECKING

from nasturtium.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path


def read_strategies(path: Path) -> list[str]:
    """Return the strategies of a TOML file as calls, one for each combination of settings.

    Each ``[[strategy]]`` table has a ``name`` and arguments; an argument that is a list stands for
    each of its values, so that two lists of two give four strategies::

        [[strategy]]
        name = "regularized-evolution"
        population_size = [10, 20]
        sample_size = [3, 10]

    Raises:
        UsageError: The file can't be read, or is not of that form.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"a grid is a readable TOML file, got {path} ({error}); mend it.") from error
    tables = data.get("strategy")
    if not isinstance(tables, list) or not all(isinstance(t, dict) and isinstance(t.get("name"), str) for t in tables):
        raise UsageError(f"a grid has [[strategy]] tables with a name, got {sorted(data)} in {path}; add one.")
    calls = []
    for table in tables:
        name = table.pop("name")
        if [] in table.values():
            raise UsageError(f"a list stands for each of its values, got an empty one for {name!r}; name a value.")
        options = [value if isinstance(value, list) else [value] for value in table.values()]
        for values in product(*options):
            arguments = ", ".join(f"{key}={value!r}" for key, value in zip(table, values, strict=True))
            calls.append(f"{name}({arguments})" if arguments else name)
    return calls
