"""How generated source refers to classes and functions: by name, by a copy, or by an import."""

from __future__ import annotations

import builtins
from math import isfinite
from pathlib import Path
from types import BuiltinFunctionType, FunctionType
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from nasturtium.errors import UsageError
from nasturtium.export._copy import Copy, is_installed

STANDARD = {"torch": torch, "nn": nn, "functional": functional, "Path": Path}
"""What a generated file imports anyway."""

_OWN = {"CLASSES", "INPUT_SHAPE", "MEAN", "Network", "STD", "load", "load_file", "prepare", "self"}


class References:
    """Collects the imports and definitions that a generated file needs; one a file.

    A user's class is copied if all that it uses can be copied or imported from an installed
    package; otherwise it is imported from its module.

    Attributes:
        imports: Import statements.
        definitions: Source texts of copied classes, functions and constants, in order.
    """

    def __init__(self) -> None:
        self.imports: list[str] = []
        self.definitions: list[str] = []
        self._named: dict[str, Any] = {**STANDARD, **dict.fromkeys(_OWN)}

    @property
    def names(self) -> frozenset[str]:
        """The names that are taken in the file."""
        return frozenset(self._named)

    def name(self, value: type | FunctionType | BuiltinFunctionType) -> str:
        """Return the text by which the file refers to a class or function.

        Raises:
            UsageError: It can be neither copied nor imported.
        """
        own = value.__name__
        for prefix, module in (("nn.", nn), ("functional.", functional), ("torch.", torch)):
            if vars(module).get(own) is value:
                return prefix + own
        if vars(builtins).get(own) is value or self._named.get(own) is value:
            return own
        copy = Copy(self._named)
        if not is_installed(value) and copy.take(own, value):
            self.imports += [line for line in copy.imports if line not in self.imports]
            self.definitions += copy.definitions
            self._named = copy.named
            return own
        return self._imported(value)

    def literal(self, value: Any) -> str:
        """Return a value as Python source.

        Raises:
            UsageError: The value has no source form.
        """
        if isinstance(value, (type, FunctionType, BuiltinFunctionType)):
            return self.name(value)
        if isinstance(value, tuple):
            items = [self.literal(item) for item in value]
            return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
        if isinstance(value, list):
            return f"[{', '.join(map(self.literal, value))}]"
        if isinstance(value, dict):
            pairs = (f"{self.literal(k)}: {self.literal(v)}" for k, v in value.items())
            return f"{{{', '.join(pairs)}}}"
        if isinstance(value, float) and not isfinite(value):
            return f'float("{value}")'
        if isinstance(value, str):
            return quoted(value)
        if value is None or isinstance(value, (bool, int, float, bytes, torch.dtype)):
            return repr(value)
        raise UsageError(
            f"arguments in model.py are literals, classes or functions, got {value!r}; pass what it is made of."
        )

    def _imported(self, value: type | FunctionType | BuiltinFunctionType) -> str:
        module, name = value.__module__, value.__qualname__
        if module in ("__main__", None) or "." in name:
            raise UsageError(
                f"model.py copies or imports a user's class, but {name!r} uses names of {module!r} "
                "that can't be copied; define it at the top of a file that can be imported."
            )
        alias = f"Users{name}" if name in self._named else name
        line = f"from {module} import {name}" + (f" as {alias}" if alias != name else "")
        self.imports.append(line if is_installed(value) else f"{line}  # keep it importable")
        self._named = {**self._named, alias: value}
        return alias


def quoted(text: str) -> str:
    """Return a string literal with the usual double quotes where that needs no escape.

    Example:
        >>> print(quoted("same"), quoted('6"'))
        "same" '6"'
    """
    plain = repr(text)
    return f'"{plain[1:-1]}"' if plain[0] == "'" and '"' not in plain else plain
