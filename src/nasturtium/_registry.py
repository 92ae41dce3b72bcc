"""Names for components: how the command line, the log and plug-ins find a class.

A component is a class whose constructor stores its arguments unchanged under their own names.
Hence a component is stored as (name, version, arguments) and made again from them, components among
the arguments included.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from nasturtium._digest import MISSING, class_name, digest, stored_arguments
from nasturtium._digest import parameters as parameters
from nasturtium.errors import UnknownNameError, UsageError, near_matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
Class = TypeVar("Class", bound=type)

_encode = json.JSONEncoder(sort_keys=True).encode


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
        self._unlisted: set[str] = set()
        REGISTRIES.setdefault(kind, self)

    def register(self, name: str, *, is_listed: bool = True) -> Callable[[Class], Class]:
        """Return a class decorator that enters the class under ``name``.

        Args:
            name: The registry name.
            is_listed: Whether ``names`` and iteration show it; not what only a function makes, such
                as the space that ``chain(...)`` returns.

        Raises:
            UsageError: Another class has that name.
        """

        def enter(cls: Class) -> Class:
            if name in self._classes and class_name(self._classes[name]) != class_name(cls):
                raise UsageError(
                    f"{self.kind} names are unique, got {name!r} for {class_name(cls)} and "
                    f"{class_name(self._classes[name])}; rename one."
                )
            self._classes[name] = cls
            self._names[cls] = name
            if not is_listed:
                self._unlisted.add(name)
            return cls

        return enter

    def defer(self, name: str, module: str) -> None:
        """Enter a name whose module is imported when the name is looked up (it may need torch)."""
        self._deferred[name] = module

    def names(self) -> list[str]:
        """Return every listed name, sorted."""
        self._load_plugins()
        return sorted({*self._classes, *self._deferred} - self._unlisted)

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
            text: A name, or a call with keyword arguments, see ``parse_call``.
            defaults: Arguments to use where the text gives none and the class takes them.

        Raises:
            UsageError: The text is no call, or an argument is unknown or has a wrong value.
        """
        name, arguments = parse_call(text)
        scalars = _scalars(self.get(name))
        for argument, value in arguments.items():
            kinds = scalars.get(argument)
            if kinds is not None and not _is_one_of(value, kinds):
                raise UsageError(
                    f"{self.kind} {name!r} takes {argument} as {' or '.join(kinds)}, got {value!r}; write another."
                )
        return self.make(name, {**self._known(name, defaults), **arguments})

    def make(self, name: str, arguments: dict[str, Any]) -> T:
        """Return a component from its name and arguments; lists count as tuples."""
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
            return cls(**{key: tuples(value) for key, value in arguments.items()})
        except TypeError as error:
            raise UsageError(f"{self.kind} {name!r}: {error}; check the types of its arguments.") from error

    def _known(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        taken = parameters(self.get(name))
        return {key: value for key, value in arguments.items() if key in taken}

    def describe(self, component: T) -> dict[str, Any]:
        """Return the JSON form of a component: name, version, arguments.

        Arguments that equal their defaults are left out, so that a new argument with a default
        changes no stored form. An argument that is itself a registered component, of any kind, is
        described in turn, its kind under ``"component"``.

        A component that has no registry name or an argument without JSON form is *opaque*: its
        description names the class and has a digest of the arguments. It can't be made again from
        the log, but it is told apart from others.
        """
        cls = type(component)
        name = self._names.get(cls)
        given = {key: value for key, value in stored_arguments(component).items() if not _is_default(cls, key, value)}
        if name is not None:
            try:
                plain = {key: _plain(value) for key, value in given.items()}
            except TypeError:
                pass
            else:
                return {"name": name, "version": getattr(cls, "version", 1), "arguments": plain}
        content = {key: value for key, value in given.items() if value is not MISSING}
        return {"opaque": class_name(cls), "digest": digest(content)}

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
        return self.make(description["name"], {k: _restored(v) for k, v in description["arguments"].items()})

    def _load_plugins(self) -> None:
        if not self._plugins_loaded:
            from importlib.metadata import entry_points  # slow to import, and seldom needed

            self._plugins_loaded = True
            for entry in entry_points(group=self.group):
                entry.load()


REGISTRIES: dict[str, Registry[Any]] = {}
"""Every registry by its kind, for components inside components."""


_SCALARS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
    "None": (type(None),),
}


def _scalars(cls: type) -> dict[str, list[str]]:
    """Return what each parameter may be, of those that are annotated with plain types alone."""
    found = {}
    for parameter in inspect.signature(cls).parameters.values():
        # A module without postponed annotations has types instead of texts.
        text = inspect.formatannotation(parameter.annotation).strip("'")
        kinds = [kind.strip() for kind in text.split("|")]
        if all(kind in _SCALARS for kind in kinds):
            found[parameter.name] = kinds
    return found


def _is_one_of(value: Any, kinds: list[str]) -> bool:
    """Return whether a literal is of one of these kinds; True and False are no numbers."""
    if isinstance(value, bool):
        return "bool" in kinds
    return any(isinstance(value, _SCALARS[kind]) for kind in kinds)


def _is_default(cls: type, name: str, value: Any) -> bool:
    """Return whether an argument is stored as its default is."""
    default = parameters(cls)[name]
    if default is inspect.Parameter.empty or value is default:
        return value is default
    try:
        return _encode(_plain(value)) == _encode(_plain(default))
    except TypeError:
        return digest(value) == digest(default)


def _plain(value: Any) -> Any:
    """Return the JSON form of an argument.

    Raises:
        TypeError: There is none.
    """
    if isinstance(value, np.generic):  # np.float64 is a float, too
        return _plain(value.item())
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, dict) and "component" not in value and all(isinstance(key, str) for key in value):
        return {key: _plain(item) for key, item in value.items()}
    for registry in REGISTRIES.values():
        if registry.name_of(type(value)) is not None:
            described = registry.describe(value)
            if "opaque" not in described:
                return {"component": registry.kind, **described}
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _restored(value: Any) -> Any:
    """Return the argument that ``_plain`` wrote: lists as tuples, components made again."""
    if isinstance(value, list):
        return tuple(_restored(item) for item in value)
    if isinstance(value, dict) and "component" in value:
        kind = value["component"]
        if kind not in REGISTRIES:
            raise UsageError(f"unknown kind of component {kind!r}; {near_matches(kind, REGISTRIES)}")
        return REGISTRIES[kind].restore(value)
    if isinstance(value, dict):
        return {key: _restored(item) for key, item in value.items()}
    return value


def tuples(value: Any) -> Any:
    """Return a JSON value with every list as a tuple, as constructors store them."""
    if isinstance(value, list):
        return tuple(tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: tuples(item) for key, item in value.items()}
    return value


def parse_call(text: str) -> tuple[str, dict[str, Any]]:
    """Return the name and arguments of a component's text.

    An argument is a literal, or the call of a registered component, of whatever kind: it is made.

    Raises:
        UsageError: The text is not a name or a call with such keyword arguments.

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
    # "x(a=1)(b=2)" is a call of a call, which has no name.
    is_named = isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    if not isinstance(call, ast.Call) or not is_named or call.args or any(k.arg is None for k in call.keywords):
        raise UsageError(f"a component's arguments have names, got {text!r}; {way_out}")
    return name, {str(keyword.arg): _argument(str(keyword.arg), keyword.value) for keyword in call.keywords}


def _argument(name: str, node: ast.expr) -> Any:
    """Return the value of an argument: a literal or a component, or a tuple of these."""
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        if isinstance(node, (ast.Tuple, ast.List)):
            return tuple(_argument(name, item) for item in node.elts)
        # Dashes in a name read as minus: "one-point(rate=1)" is "one - point(rate=1)".
        text = re.sub(r"^([\w\s-]+)\(", lambda found: found[0].replace(" ", ""), ast.unparse(node))
        if re.match(r"[\w-]+\(", text):
            return _made(text)
        wrong = f"{name}={ast.unparse(node)}"
        raise UsageError(f"a component's arguments are literals, got {wrong}; quote strings.") from error


def _made(text: str) -> Any:
    """Return the component of a call, of the one kind that knows its name."""
    name = text.partition("(")[0]
    found = [registry for registry in REGISTRIES.values() if name in registry.names()]
    if not found:
        known = [known for registry in REGISTRIES.values() for known in registry.names()]
        raise UnknownNameError(f"unknown component {name!r}; {near_matches(name, known)}")
    if len(found) > 1:
        kinds = ", ".join(registry.kind for registry in found)
        raise UsageError(f"a component inside another is of one kind, got {name!r}, a {kinds}; make it in Python.")
    return found[0].create(text)
