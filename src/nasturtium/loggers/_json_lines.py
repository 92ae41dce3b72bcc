"""The log itself, as a text file: one event a line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from nasturtium.loggers._base import LOGGERS, Logger
from nasturtium.trials import event_to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nasturtium.trials import Event, History


@final
@LOGGERS.register("json-lines")
@dataclass(frozen=True)
class JsonLines(Logger):
    """Writes each event as one line of JSON: ``event`` is its kind, the rest is described in the docs.

    Args:
        path: The file; one of that name is written anew.
    """

    path: str

    def open(self, history: History) -> None:
        """Begin an empty file."""
        del history
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        Path(self.path).write_text("", encoding="utf-8")

    def write(self, history: History, events: Sequence[Event]) -> None:
        """Add a line for each event; whoever reads along sees whole lines."""
        del history
        kinds_and_data = map(event_to_json, events)
        lines = [json.dumps({"event": kind, **data}) + "\n" for kind, data in kinds_and_data]
        with open(self.path, "a", encoding="utf-8") as file:
            file.write("".join(lines))

    def close(self) -> None:
        """Leave the file as it is: it is whole after every call."""
