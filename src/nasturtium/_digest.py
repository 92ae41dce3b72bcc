"""A digest of any Python object by its content: equal across processes and hash seeds.

It tells apart what has no JSON form: functions, classes, arrays. Addresses and the order of sets
never matter. What a program may change while it runs (lists in a function's closure, an object's
attributes that its constructor does not take) is not part of a component's identity and is left
out.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache, partial
from hashlib import blake2b
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import Any, Protocol, runtime_checkable

import numpy as np

MISSING: Any = object()
"""Stands for an argument that an object does not store."""


@runtime_checkable
class _Tensor(Protocol):
    """What arrays of other libraries have in common; this module imports none of them."""

    dtype: Any
    shape: Any

    def tolist(self) -> Any: ...


def digest(value: Any) -> str:
    """Return 16 hexadecimal digits that objects of equal content share.

    - Numbers, texts and the like by type and value; ``1``, ``1.0`` and ``True`` differ.
    - Containers by type and items, sets and mappings in any order; arrays by type, shape and bytes.
    - Classes by module and qualified name.
    - Functions by module, qualified name, bytecode (which another minor version of Python may write
      differently), constants, defaults, and what they close over as long as it can't change.
    - Dataclasses by their fields; other objects by the arguments of their constructor that they
      store under their own names.
    """
    return _digested(value, ())


def parameters(cls: type) -> dict[str, Any]:
    """Return the constructor's parameters with their defaults, in order."""
    return dict(_parameters(cls))


@lru_cache(maxsize=1024)
def _parameters(cls: type) -> tuple[tuple[str, Any], ...]:
    return tuple((p.name, p.default) for p in inspect.signature(cls).parameters.values())


def class_name(cls: Any) -> str:
    """Return module and qualified name of a class or function.

    A script's module is ``__main__``, also in a worker process, which calls it ``__mp_main__``.
    """
    module = str(cls.__module__)
    return f"{'__main__' if module == '__mp_main__' else module}.{cls.__qualname__}"


def _hash(*parts: str | bytes) -> str:
    text = blake2b(digest_size=8)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        text.update(len(data).to_bytes(8, "big") + data)
    return text.hexdigest()


def _digested(value: Any, inside: tuple[int, ...]) -> str:
    """Return the digest of a value inside of others, given by their ids: a cycle ends there."""
    if value is None or isinstance(value, (bool, int, float, complex, str)):
        return _hash(class_name(type(value)), repr(value))
    if isinstance(value, (bytes, bytearray)):
        return _hash(class_name(type(value)), bytes(value))
    if id(value) in inside:
        return _hash("cycle", str(inside[::-1].index(id(value))))
    around = (*inside, id(value))
    return _of_container(value, around) or _of_code(value, around) or _of_object(value, around)


def _of_container(value: Any, around: tuple[int, ...]) -> str:
    """Return the digest of a container or array; empty if it is none."""
    kind = class_name(type(value))
    if isinstance(value, (tuple, list)):
        return _hash(kind, *(_digested(item, around) for item in value))
    if isinstance(value, (set, frozenset)):
        return _hash(kind, *sorted(_digested(item, around) for item in value))
    if isinstance(value, Mapping):
        return _hash(kind, *sorted(_digested(k, around) + _digested(v, around) for k, v in value.items()))
    if isinstance(value, (np.ndarray, np.generic)) and not value.dtype.hasobject:
        return _hash(kind, value.dtype.str, repr(value.shape), value.tobytes())
    if isinstance(value, _Tensor) and not isinstance(value, type):
        return _hash(kind, str(value.dtype), repr(tuple(value.shape)), _digested(value.tolist(), around))
    return ""


def _of_code(value: Any, around: tuple[int, ...]) -> str:
    """Return the digest of a class, function or bytecode; empty if it is none."""
    if isinstance(value, type):
        return _hash("class", class_name(value))
    if isinstance(value, FunctionType):
        cells = [_closed_over(cell, around) for cell in value.__closure__ or ()]
        parts = (value.__code__, value.__defaults__, value.__kwdefaults__)
        return _hash("function", class_name(value), *(_digested(part, around) for part in parts), *cells)
    if isinstance(value, CodeType):
        return _hash("code", value.co_code, *(_digested(part, around) for part in (value.co_names, value.co_consts)))
    if isinstance(value, MethodType):
        return _hash("method", _digested(value.__func__, around), _digested(value.__self__, around))
    if isinstance(value, BuiltinFunctionType):
        return _hash("builtin", str(value.__module__), value.__qualname__)
    if isinstance(value, partial):
        return _hash("partial", *(_digested(part, around) for part in (value.func, value.args, value.keywords)))
    return ""


def _closed_over(cell: Any, around: tuple[int, ...]) -> str:
    """Return the digest of a closure's cell: of a list and the like its type alone."""
    try:
        value = cell.cell_contents
    except ValueError:  # not assigned yet
        return _hash("empty")
    is_settled = value is None or isinstance(
        value, (bool, int, float, complex, str, bytes, tuple, frozenset, np.ndarray, type, FunctionType, partial)
    )
    if is_dataclass(value) and not isinstance(value, type):
        is_settled = value.__dataclass_params__.frozen  # type: ignore[attr-defined]  # not in typeshed
    return _digested(value, around) if is_settled else _hash("object", class_name(type(value)))


def _of_object(value: Any, around: tuple[int, ...]) -> str:
    kind = type(value)
    if is_dataclass(value):
        stored = {f.name: getattr(value, f.name, MISSING) for f in fields(value) if f.init and f.compare}
    else:
        stored = stored_arguments(value)
    rows = sorted(name + _digested(item, around) for name, item in stored.items() if item is not MISSING)
    return _hash("object", class_name(kind), *rows)


def stored_arguments(value: Any) -> dict[str, Any]:
    """Return the constructor's arguments as an object stores them, ``MISSING`` where it does not."""
    try:
        names = parameters(type(value))
    except (TypeError, ValueError):  # a class of C code without a signature
        return {}
    return {name: getattr(value, name, MISSING) for name in names}
