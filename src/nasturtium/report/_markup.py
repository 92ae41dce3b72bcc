"""HTML and SVG by functions: what is not marked as markup already is escaped."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_EMPTY = frozenset({"circle", "line", "meta", "path", "rect"})


@final
class Markup(str):
    """Text that is HTML; any other string is text that is still to be escaped."""

    __slots__ = ()


def text(value: object) -> Markup:
    """Return a value as escaped text, without characters that no page may hold.

    Example:
        >>> text("a < b")
        'a &lt; b'
    """
    if isinstance(value, Markup):
        return value
    return Markup(escape(_UNPRINTABLE.sub("\ufffd", str(value))))


def element(name: str, *children: object, **attributes: object) -> Markup:
    """Return an element.

    Args:
        name: The tag.
        children: Markup as it is, everything else as escaped text.
        attributes: By name; a trailing underscore is dropped (``class_``), others become hyphens.
            None leaves the attribute out; floats have at most two decimals.

    Example:
        >>> element("td", "1 < 2", class_="number", data_value=1.0)
        '<td class="number" data-value="1">1 &lt; 2</td>'
    """
    parts = [name]
    for key, value in attributes.items():
        if value is not None:
            parts.append(f'{key.rstrip("_").replace("_", "-")}="{text(_plain(value))}"')
    head = " ".join(parts)
    if name in _EMPTY and not children:
        return Markup(f"<{head}/>")
    return Markup(f"<{head}>{join(children)}</{name}>")


def join(parts: Iterable[object]) -> Markup:
    """Return parts one after the other, escaped where they are not markup."""
    return Markup("".join(text(part) for part in parts))


def coordinate(value: float) -> str:
    """Return a number of a drawing with at most two decimals.

    Example:
        >>> coordinate(3.0), coordinate(-0.001), coordinate(2.499)
        ('3', '0', '2.5')
    """
    short = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if short == "-0" else short


def _plain(value: object) -> object:
    return coordinate(value) if isinstance(value, float) else value
