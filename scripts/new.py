"""Write the source and test file of a new component: ``new.py KIND NAME``."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from string import Template

ROOT = Path(__file__).parents[1]
ROOMS = {
    "strategy": "strategies",
    "space": "spaces",
    "operation": "graphs/operations",
    "estimator": "estimators",
    "scheduler": "schedulers",
}


def main(arguments: list[str]) -> int:
    """Write the two files and say which line to add; return the exit code."""
    kind, name = arguments if len(arguments) == 2 else ("", "")
    if kind not in ROOMS or not re.fullmatch(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", name):
        print(f"KIND is one of {', '.join(ROOMS)} and NAME is lower case with dashes,")
        print(f"got KIND={kind} NAME={name}; for example: make new KIND=strategy NAME=tabu-search")
        return 2
    snake, room = name.replace("-", "_"), ROOMS[kind]
    words = {
        "name": snake if kind == "operation" else name.replace("_", "-"),
        "snake": snake,
        "Class": "".join(word.capitalize() for word in snake.split("_")),
    }
    files = {
        f"src/nasturtium/{room}/_{snake}.py": f"{kind}.py.txt",
        f"tests/{room}/test_{snake}.py": f"test_{kind}.py.txt",
    }
    taken = [path for path in files if (ROOT / path).exists()]
    if taken:
        print(f"a new component has new files, but {taken[0]} exists; take another NAME.")
        return 2
    for path, template in files.items():
        text = (ROOT / "scripts" / "templates" / template).read_text()
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(Template(text).substitute(words))
        print(f"wrote {path}")
    package = "nasturtium." + room.replace("/", ".")
    print(f"now add to src/nasturtium/{room}/__init__.py, and {words['Class']!r} to its __all__:")
    print(f"    from {package}._{snake} import {words['Class']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
