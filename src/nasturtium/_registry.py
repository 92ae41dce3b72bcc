"""Names for components: how the command line, the log and plug-ins find a class.

A component is a class whose constructor stores its arguments unchanged under their own names.
Hence a component is stored as (name, version, arguments) and made again from them.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from nasturtium.errors import UnknownNameError, UsageError, near_matches

T = TypeVar("T")
Class = TypeVar("Class", bound=type)


class Registry(Generic[T]):
    """The classes of one kind by their registry name.

    Plug-ins arrive by the entry-point group ``nasturtium.<plural of kind>``; each entry point
    is loaded when a name is first looked up, and registers its class by being imported.

    Args:
        kind: The singular noun for messages, such as ``"strategy"``.
        group: The entry-point group, such as ``"nasturtium.strategies"``.
    """

    def __init__(self, kind: str, group: str) -> None:
        self.kind = kind
        self.group = group
        self._classes: dict[str, type[T]] = {}
        self._names: dict[type, str] = {}
        self._deferred: dict[str, str] = {}
        self._plugins_loaded = False

    def register(self, name: str) -> Callable[[Class], Class]:
        """Return a class decorator that enters the class under ``name``.

        Raises:
            UsageError: Another class has that name.
        """

        def enter(cls: Class) -> Class:
            if name in self._classes and self._classes[name].__qualname__ != cls.__qualname__:
                raise UsageError(
                    f"{self.kind} names are unique, got {name!r} for {cls.__qualname__} and "
                    f"{self._classes[name].__qualname__}; rename one."
                )
            self._classes[name] = cls
            self._names[cls] = name
            return cls

        return enter

    def defer(self, name: str, module: str) -> None:
        """Enter a name whose module is imported when the name is looked up (it may need torch)."""
        self._deferred[name] = module

    def names(self) -> list[str]:
        """Return every registered name, sorted."""
        self._load_plugins()
        return sorted({*self._classes, *self._deferred})

    def __iter__(self) -> Iterator[tuple[str, type[T]]]:
        """Yield (name, class) by name."""
        return iter([(name, self.get(name)) for name in self.names()])

    def name_of(self, cls: type) -> str | None:
        """Return the registry name of a class, or None."""
        return self._names.get(cls)

    def get(self, name: str) -> type[T]:
        """Return the class of that name.

        Raises:
            UnknownNameError: No such name; the message offers near matches.
        """
        if name not in self._classes and name in self._deferred:
            import_module(self._deferred[name])
        if name not in self._classes:
            self._load_plugins()
        if name not in self._classes:
            raise UnknownNameError(f"unknown {self.kind} {name!r}; {near_matches(name, self.names())}")
        return self._classes[name]

    def create(self, text: str, **defaults: Any) -> T:
        """Return the component that a text such as ``"nasnet(cells=2)"`` describes.

        Args:
            text: A name, or a call with keyword arguments that are Python literals.
            defaults: Arguments to use where the text gives none and the class takes them.

        Raises:
            UsageError: The text is no call, or an argument is unknown or has a wrong value.
        """
        name, arguments = parse_call(text)
        return self.make(name, {**self._known(name, defaults), **arguments})

    def make(self, name: str, arguments: dict[str, Any]) -> T:
        """Return a component from its name and arguments."""
        cls = self.get(name)
        taken = parameters(cls)
        for argument in arguments:
            if argument not in taken:
                known = near_matches(argument, taken) if taken else "it takes none."
                raise UsageError(f"{self.kind} {name!r} takes no argument {argument!r}; {known}")
        missing = [p for p, default in taken.items() if default is inspect.Parameter.empty and p not in arguments]
        if missing:
            raise UsageError(f"{self.kind} {name!r} needs {missing[0]!r}; write {name}({missing[0]}=...).")
        try:
            return cls(**arguments)
        except TypeError as error:
            raise UsageError(f"{self.kind} {name!r}: {error}; check the types of its arguments.") from error

    def _known(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        taken = parameters(self.get(name))
        return {key: value for key, value in arguments.items() if key in taken}

    def describe(self, component: T) -> dict[str, Any]:
        """Return the JSON form of a component: name, version, arguments.

        A component that has no registry name or an argument without JSON form is *opaque*: its
        description only names the class, and it can't be made again from the log.
        """
        cls = type(component)
        name = self._names.get(cls)
        arguments = {key: getattr(component, key) for key in parameters(cls)}
        try:
            plain = json.loads(json.dumps(arguments))
        except TypeError:
            name = None
        if name is None:
            return {"opaque": f"{cls.__module__}.{cls.__qualname__}"}
        return {"name": name, "version": getattr(cls, "version", 1), "arguments": plain}

    def restore(self, description: dict[str, Any]) -> T:
        """Return the component that ``describe`` wrote.

        Raises:
            UsageError: The description is opaque, or of another version of the class.
        """
        if "opaque" in description:
            raise UsageError(
                f"a stored {self.kind} must be a registered one, got {description['opaque']}, which lives in a "
                "script; run that script again with nas.Study(..., name=NAME)."
            )
        cls = self.get(description["name"])
        version = getattr(cls, "version", 1)
        if version != description["version"]:
            raise UsageError(
                f"{self.kind} {description['name']!r} was stored as version {description['version']}, this release "
                f"has version {version}; use the release that stored it."
            )
        return self.make(description["name"], tuples(description["arguments"]))

    def _load_plugins(self) -> None:
        if not self._plugins_loaded:
            self._plugins_loaded = True
            for entry in entry_points(group=self.group):
                entry.load()


def parameters(cls: type) -> dict[str, Any]:
    """Return the constructor's parameters with their defaults, in order."""
    return {p.name: p.default for p in inspect.signature(cls).parameters.values()}


def tuples(value: Any) -> Any:
    """Return a JSON value with every list as a tuple, as constructors store them."""
    if isinstance(value, list):
        return tuple(tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: tuples(item) for key, item in value.items()}
    return value


def parse_call(text: str) -> tuple[str, dict[str, Any]]:
    """Return the name and arguments of a component's text.

    Raises:
        UsageError: The text is not a name or a call with literal keyword arguments.

    Example:
        >>> parse_call("regularized-evolution(population_size=10, repeats='allow')")
        ('regularized-evolution', {'population_size': 10, 'repeats': 'allow'})
    """
    name, bracket, rest = text.strip().partition("(")
    name = name.strip()
    way_out = "write NAME or NAME(argument=value, ...)."
    if not name or (bracket and not rest.rstrip().endswith(")")):
        raise UsageError(f"a component is a name or a call, got {text!r}; {way_out}")
    try:
        call = ast.parse(f"f({rest.rstrip()[:-1] if bracket else ''})", mode="eval").body
    except SyntaxError as error:
        raise UsageError(f"a component is a name or a call, got {text!r} ({error.msg}); {way_out}") from error
    if not isinstance(call, ast.Call) or call.args or any(k.arg is None for k in call.keywords):
        raise UsageError(f"a component's arguments have names, got {text!r}; {way_out}")
    arguments = {}
    for keyword in call.keywords:
        try:
            arguments[str(keyword.arg)] = ast.literal_eval(keyword.value)
        except ValueError as error:
            raise UsageError(
                f"a component's arguments are literals, got {keyword.arg}={ast.unparse(keyword.value)}; quote strings."
            ) from error
    return name, arguments
