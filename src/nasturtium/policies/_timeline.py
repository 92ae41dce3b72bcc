"""Which step of a recurrent policy answers which decision.

A decision is a step of its own, but for skips: those into one place follow each other and are answered
together at the place's anchor point (Zoph & Le 2017, section 3.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from nasturtium.policies._walk import Head

NOTHING = -1
"""The anchor of a place about which nothing was decided, such as the image or the stem."""


@final
class Timeline:
    """Gives times to the decisions of one walk, one after the other."""

    __slots__ = ("_anchoring", "_latest", "time")

    def __init__(self) -> None:
        self.time = -1
        self._anchoring: str | None = None
        self._latest: dict[str, int] = {}

    def place(self, path: str, head: Head) -> tuple[int, int]:
        """Return the time of the next decision, and that of the anchor it skips from.

        The anchor of an earlier place is its last step. Without a skip the second number has no meaning.
        """
        parent = path.rpartition(".")[0] if head.skip_from is not None else None
        if parent is None or parent != self._anchoring:
            self.time += 1
        self._anchoring = parent
        end = len(path)
        while end > 0:
            self._latest[path[:end]] = self.time
            end = path.rfind(".", 0, end)
        return self.time, NOTHING if head.skip_from is None else self._latest.get(head.skip_from, NOTHING)
