"""Architecture: the genotype, as a space samples it, a strategy mutates it and the log keeps it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol, final

from nasturtium._registry import tuples

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode


class Form(Protocol):
    """An immutable value that stands for an architecture until its content is asked for."""

    def content(self) -> Mapping[str, Any]:
        """Return the architecture's content."""


@final
class Architecture(Mapping[str, Any]):
    """One member of a search space: an immutable mapping with an exact JSON form.

    In a decision space it maps each decision's path to the value chosen, in the order of the
    decisions; in a growing space it holds the graph. Two architectures are equal if their JSON
    texts are.

    Args:
        content: JSON data by name; lists count as tuples.

    Example:
        >>> a = Architecture({"kernel": 3, "op": "conv"})
        >>> a["kernel"], a.text, a.key
        (3, '{"kernel":3,"op":"conv"}', '745cf22e5f041824')
    """

    __slots__ = ("_content", "_key", "_text", "form")

    _content: dict[str, Any]
    form: Form | None
    """What it was made of, until its content is asked for."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = dict(content)
        self._text: str | None = None
        self._key: str | None = None
        self.form = None

    @classmethod
    def of(cls, form: Form) -> Architecture:
        """Return the architecture of a form, whose content is written when it is asked for.

        A search in memory may never ask, and whoever knows the form need not read it back.
        """
        made = cls.__new__(cls)
        made._text = made._key = None
        made.form = form
        return made

    if not TYPE_CHECKING:  # to which any name would be an attribute

        def __getattr__(self, name: str) -> Any:
            """Write the content; only what is not there yet is looked for here."""
            form = self.form if name == "_content" else None
            if form is None:
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
            self._content = content = dict(form.content())
            self.form = None  # one of them is enough to keep
            return content

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Architecture:
        """Return the architecture that ``to_json`` wrote."""
        return cls(tuples(dict(data)))

    def to_json(self) -> dict[str, Any]:
        """Return the content as JSON data."""
        data: dict[str, Any] = json.loads(self.text)
        return data

    def changed(self, name: str, value: Any) -> Architecture:
        """Return the architecture in which one value differs."""
        return Architecture({**self._content, name: value})

    @property
    def text(self) -> str:
        """The JSON text; the same for equal architectures."""
        if self._text is None:
            self._text = _encode(self._content)
        return self._text

    @property
    def key(self) -> str:
        """Hash of the content, stable across processes and releases (16 hexadecimal digits)."""
        if self._key is None:
            self._key = blake2b(self.text.encode(), digest_size=8).hexdigest()
        return self._key

    def __getitem__(self, name: str) -> Any:
        """Return the value of a decision."""
        return self._content[name]

    def __contains__(self, name: object) -> bool:
        """Return whether there is a decision of that name."""
        return name in self._content

    def __iter__(self) -> Iterator[str]:
        """Yield the names in order."""
        return iter(self._content)

    def __len__(self) -> int:
        """Return the number of decisions."""
        return len(self._content)

    def __eq__(self, other: object) -> bool:
        """Return whether the contents are the same."""
        return isinstance(other, Architecture) and self.text == other.text

    def __hash__(self) -> int:
        """Return a hash for use within one process."""
        return hash(self.text)

    def __repr__(self) -> str:
        """Return a form that can be evaluated."""
        return f"Architecture({self._content!r})"

    def __reduce__(self) -> tuple[type[Architecture], tuple[dict[str, Any]]]:
        """Pickle the content alone."""
        return (Architecture, (self._content,))
