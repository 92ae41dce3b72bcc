"""Write the reference pages from the code: public names, components, commands, laws.

`docs/conf.py` runs this at the start of every build; nothing that it writes is committed.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import typer.main
from sphinx.pycode import ModuleAnalyzer

import nasturtium
import nasturtium.testing
from nasturtium._registry import Registry, parameters
from nasturtium.cli import app
from nasturtium.report import svg_of
from nasturtium.spaces import SPACES, Networks
from nasturtium.testing import Shapes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


def rooms() -> dict[str, ModuleType]:
    """Return the public packages and modules of nasturtium by their full name."""
    found = {"nasturtium": nasturtium}
    for item in pkgutil.walk_packages(nasturtium.__path__, "nasturtium."):
        if not any(part.startswith("_") for part in item.name.split(".")):
            found[item.name] = importlib.import_module(item.name)
    return found


def registries() -> dict[str, Registry[Any]]:
    """Return every registry by its plural, such as ``"strategies"``."""
    found: dict[str, Registry[Any]] = {}
    for module in rooms().values():
        bases = [f"{module.__name__}._base"] if hasattr(module, "__path__") else []
        modules = [module, *(importlib.import_module(b) for b in bases if _exists(b))]
        for value in (value for m in modules for value in vars(m).values()):
            if isinstance(value, Registry):
                found[value.group.partition(".")[2]] = value
    return dict(sorted(found.items()))


def public_names(module: ModuleType) -> list[str]:
    """Return what a module says is public; for one without ``__all__``, what it defines."""
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    )


def owners() -> dict[int, str]:
    """Return for each public object's id the deepest public path to it, where it is documented."""
    owner: dict[int, str] = {}
    for module_name, module in sorted(rooms().items(), key=lambda item: item[0].count(".")):
        for name in public_names(module):
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isroutine(value):
                owner[id(value)] = f"{module_name}.{name}"
    return owner


def commands() -> dict[str, Any]:
    """Return the commands of the command line by name."""
    return dict(sorted(typer.main.get_command(app).commands.items()))  # type: ignore[attr-defined]


def write(folder: Path) -> None:
    """Write every reference page into ``folder`` and remove pages that are no longer made."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = dict(_pages())
    for old in [*folder.glob("*.rst"), *folder.glob("*.svg")]:
        if old.name not in pages:
            old.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:  # an unchanged page is not built again
            path.write_text(text)


def _pages() -> Iterator[tuple[str, str]]:
    yield "0-commands.rst", _commands_page()
    yield "1-components.rst", _components_page()
    yield "2-laws.rst", _laws_page()
    drawings = {f"drawing-{name}.svg": svg for name, svg in _drawings().items()}
    yield "3-drawings.rst", _drawings_page(list(drawings))
    yield from drawings.items()
    owner = owners()
    for name, module in rooms().items():
        if public_names(module):
            yield f"{name}.rst", _module_page(name, module, owner)


def _module_page(module_name: str, module: ModuleType, owner: dict[int, str]) -> str:
    lines = [*_title(module_name), f".. automodule:: {module_name}", "   :no-members:", ""]
    for name in public_names(module):
        value, path = getattr(module, name), f"{module_name}.{name}"
        if inspect.ismodule(value):
            lines += [f"- :py:mod:`{value.__name__}`", ""]
        elif owner.get(id(value), path) != path:
            about = _first_sentence(value)
            lines += [f"- :py:obj:`{name} <{owner[id(value)]}>`: {about}", ""]
        elif inspect.isclass(value):
            lines += [f".. autoclass:: {path}", "   :members:", "   :show-inheritance:", ""]
        elif inspect.isroutine(value):
            lines += [f".. autofunction:: {path}", ""]
        else:
            about = [f"   {line}" for line in _text_below(module_name, name)]
            lines += [f".. py:data:: {name}", f"   :module: {module_name}", "", *about, ""]
    return "\n".join(lines) + "\n"


def _text_below(package: str, name: str) -> list[str]:
    """Return the string under a constant's definition, in whichever module of the package it is."""
    for module in sorted(sys.modules):
        if module == package or module.startswith(f"{package}._"):
            text = ModuleAnalyzer.for_module(module).find_attr_docs().get(("", name))
            if text:
                return list(text)
    return []


def _components_page() -> str:
    lines = _title("Components")
    for plural, registry in registries().items():
        lines += [*_title(plural, "-"), *_table_head("name", "what it is", "reference")]
        for name, cls in registry:
            arguments = ", ".join(parameters(cls))
            about = _first_sentence(cls)
            reference = getattr(cls, "reference", None) or ""
            lines += [f"   * - ``{name}({arguments})``", f"     - {about}", f"     - {reference}"]
        lines.append("")
    return "\n".join(lines) + "\n"


def _commands_page() -> str:
    lines = _title("Commands")
    for name, command in commands().items():
        about = inspect.cleandoc(command.help or "").replace("For example:\n", "For example::\n")
        lines += [*_title(name, "-"), about, ""]
        shown = [p for p in command.params if p.name != "help"]
        usage = [p.name.upper() for p in shown if p.param_type_name == "argument"]
        lines += ["::", "", f"   nasturtium {' '.join([name, *usage])} [OPTIONS]", ""]
        lines += _table_head("argument or option", "meaning") if shown else []
        for parameter in shown:
            is_argument = parameter.param_type_name == "argument"
            spelled = parameter.name.upper() if is_argument else ", ".join(parameter.opts)
            meaning = " ".join((getattr(parameter, "help", None) or "").split())
            lines += [f"   * - ``{spelled}``", f"     - {meaning}"]
        lines.append("")
    return "\n".join(lines) + "\n"


def _laws_page() -> str:
    lines = [
        *_title("Laws"),
        "What every implementation of a contract promises. :py:mod:`nasturtium.testing` runs them",
        "over everything that is registered, and over your own classes.",
        "",
    ]
    for name in public_names(nasturtium.testing):
        if name.endswith("_checks"):
            lines += [*_title(name.removesuffix("_checks"), "-"), *_table_head("law", "meaning")]
            for law, check in getattr(nasturtium.testing, name)():
                lines += [f"   * - ``{law}``", f"     - {_first_sentence(check)}"]
            lines.append("")
    return "\n".join(lines) + "\n"


def _drawings() -> dict[str, str]:
    """Return the drawing of one random network of each space, by the space's name."""
    found = {}
    for name, cls in SPACES:
        space = cls.small().on(Shapes())
        if space.supports(Networks):
            found[name] = svg_of(space.graph(space.sample(np.random.default_rng(0))))
    return found


def _drawings_page(files: list[str]) -> str:
    lines = [*_title("Drawings")]
    lines += ["One random network of each space, small; ``nasturtium show NAME --trial K`` draws yours.", ""]
    for file in files:
        name = file.removeprefix("drawing-").removesuffix(".svg")
        lines += [*_title(name, "-"), f".. image:: {file}", f"   :alt: A network of the space {name}", ""]
    return "\n".join(lines) + "\n"


def _first_sentence(value: Any) -> str:
    return " ".join((inspect.getdoc(value) or "").partition("\n\n")[0].split())


def _table_head(*columns: str) -> list[str]:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    return lines + [f"   {'* ' if i == 0 else '  '}- {c}" for i, c in enumerate(columns)]


def _title(text: str, mark: str = "=") -> list[str]:
    return [text, mark * len(text), ""]


def _exists(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


if __name__ == "__main__":
    write(Path(__file__).parents[1] / "docs" / "reference" / "generated")
