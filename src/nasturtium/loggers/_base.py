"""The contract of a logger, and how loggers follow a study."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from nasturtium._registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nasturtium.trials import Event, History


class Logger(ABC):
    """Writes a study's events where another tool reads them.

    What it has written is a function of the log: a study that is resumed is written anew from its
    first event. Loggers only look; one that fails stops the run as any error does.
    """

    @abstractmethod
    def open(self, history: History) -> None:
        """Begin to write a study, over what an earlier run of it left."""

    @abstractmethod
    def write(self, history: History, events: Sequence[Event]) -> None:
        """Write the next events.

        Args:
            history: The study, after them.
            events: What happened since the last call.
        """

    @abstractmethod
    def close(self) -> None:
        """End what ``open`` began."""


LOGGERS: Registry[Logger] = Registry("logger", "nasturtium.loggers")


@contextmanager
def follow(loggers: Sequence[Logger]) -> Iterator[Callable[[History], None]]:
    """Yield what ``Study.run(watch=...)`` is to be given, so that these loggers write the study.

    Example:
        >>> import json, tempfile, pathlib
        >>> import nasturtium as nas
        >>> from nasturtium.spaces import choice, decisions
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "log.jsonl"
        >>> function = nas.estimators.Function(lambda x: {"valid_error": x["a"] / 9})
        >>> study = nas.Study(space=decisions(a=choice(1, 2, 3)), estimator=function)
        >>> with nas.loggers.follow([nas.loggers.JsonLines(str(path))]) as watch:
        ...     _ = study.run("random-search", trials=2, seed=0, watch=watch)
        >>> [json.loads(line)["event"] for line in path.read_text().splitlines()]
        ['created', 'asked', 'measured', 'ended', 'asked', 'measured', 'ended']
    """
    seen = 0
    with ExitStack() as opened:

        def watch(history: History) -> None:
            nonlocal seen
            if seen == 0:
                for logger in loggers:
                    logger.open(history)
                    opened.callback(logger.close)
            events = history.events()[seen:]
            if events:
                for logger in loggers:
                    logger.write(history, events)
                seen += len(events)

        yield watch
