"""How a law checks that something is refused in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def refusal(error: type[Exception], call: Callable[[], object]) -> str | None:
    """Return the one line with which a call is refused, or None if it is not.

    Raises:
        AssertionError: The message has several lines.
    """
    try:
        call()
    except error as reason:
        line = str(reason)
    else:
        return None
    assert "\n" not in line, f"the reason is one line, got {line!r}"
    return line
