"""Copies of a user's classes and functions with all that they use."""

from __future__ import annotations

import ast
import builtins
import inspect
import symtable
import sys
import sysconfig
import textwrap
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any


class Copy:
    """One try to copy; a failed one is thrown away.

    Args:
        named: What names mean in the file so far.

    Attributes:
        named: What they mean with the copy.
        imports: Import statements that the copy needs.
        definitions: Source texts, each after what it uses.
    """

    def __init__(self, named: dict[str, Any]) -> None:
        self.named = dict(named)
        self.imports: list[str] = []
        self.definitions: list[str] = []

    def take(self, name: str, value: Any) -> bool:
        """Make a name mean a value, and return whether that works."""
        if name in self.named:
            return self.named[name] is value
        self.named[name] = value
        if isinstance(value, ModuleType):
            return self._import(f"import {value.__name__}", value, name, value.__name__)
        if _is_literal(value):
            self.definitions.append(f"{name} = {value!r}")
            return True
        own = getattr(value, "__name__", None)
        module = sys.modules.get(getattr(value, "__module__", None) or "")
        if own is None or module is None:
            return False
        if is_installed(value):
            fits = vars(module).get(own) is value
            return fits and self._import(f"from {module.__name__} import {own}", value, name, own)
        return own == name and self._source(value, vars(module))

    def _import(self, line: str, value: Any, name: str, own: str) -> bool:
        if not is_installed(value):
            return False
        self.imports.append(line if name == own else f"{line} as {name}")
        return True

    def _source(self, value: Any, scope: dict[str, Any]) -> bool:
        """Append the source of a class or function behind what it uses."""
        if _has_closure(value):
            return False
        try:
            source = textwrap.dedent(inspect.getsource(value)).strip()
            needed, annotated = _global_names(source)
        except (OSError, TypeError, SyntaxError):
            return False
        for name in [*needed, *annotated]:
            if name not in scope:
                # What only annotations mention may be missing: they are not evaluated.
                if hasattr(builtins, name) or name in annotated:
                    continue
                return False
            if not self.take(name, scope[name]):
                return False
        self.definitions.append(source)
        return True


def is_installed(value: Any) -> bool:
    """Return whether a module, class or function comes with Python or an installed package."""
    name = value.__name__ if isinstance(value, ModuleType) else value.__module__
    top = (name or "builtins").partition(".")[0]
    if top == "nasturtium":  # exported files must run without it
        return False
    if top in sys.stdlib_module_names and top != "__main__":
        return True
    file = getattr(sys.modules.get(top), "__file__", None)
    paths = sysconfig.get_paths()
    folders = [Path(paths[key]).resolve() for key in ("purelib", "platlib")]
    return file is not None and any(f in Path(file).resolve().parents for f in folders)


def _is_literal(value: Any) -> bool:
    if not isinstance(value, (bool, int, float, str, tuple, list, dict, type(None))):
        return False
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError):
        return False


def _has_closure(value: Any) -> bool:
    """Return whether a class or function uses variables of a function around it."""
    functions = [value] if isinstance(value, FunctionType) else vars(value).values()
    codes = [f.__code__ for f in functions if isinstance(f, FunctionType)]
    return any(set(code.co_freevars) - {"__class__"} for code in codes)


def _global_names(source: str) -> tuple[list[str], list[str]]:
    """Return the global names that a definition needs, and those only its annotations use."""
    tree = ast.parse(source)
    defined = {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    every = _referenced(source) - defined
    needed = _referenced(ast.unparse(_Bare().visit(tree))) - defined
    return sorted(needed), sorted(every - needed)


def _referenced(source: str) -> set[str]:
    names: set[str] = set()
    tables = [symtable.symtable(source, "copy", "exec")]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        is_top = table.get_type() == "module"
        names |= {
            s.get_name()
            for s in table.get_symbols()
            if s.is_referenced() and (s.is_global() or (is_top and not s.is_assigned()))
        }
    return names


class _Bare(ast.NodeTransformer):
    """Drops the annotations of arguments, results and variables."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return ast.Pass()
        return ast.Assign([node.target], node.value, lineno=node.lineno)
