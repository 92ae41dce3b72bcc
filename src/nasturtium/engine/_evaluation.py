"""One job under way: its stream of measurements, told as messages, wherever it runs."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, final

from nasturtium.engine._base import Done, Failed, Job, Message, Reported, Workload
from nasturtium.estimators._base import Checkpoints, Context, Diverged
from nasturtium.trials import Decision, Measurement

if TYPE_CHECKING:
    from collections.abc import Generator

MAX_REASON = 300
"""Characters of a failure's one-line reason."""

OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "bad_alloc")
"""What torch's allocators say, all of them in a plain RuntimeError."""


@final
class Evaluation:
    """A job under way, which goes on by one measurement at a time.

    ``advance`` is called first, and again after every ``Reported`` once ``decision`` is set.

    Args:
        workload: What the study shares.
        job: The leg.
        checkpoints: Where its state is read and written.
    """

    __slots__ = ("_number", "_stream", "decision")

    def __init__(self, workload: Workload, job: Job, checkpoints: Checkpoints) -> None:
        context = Context(workload.space, workload.task, job.seed, checkpoints, workload.device, job.deadline)
        self._number = job.assignment.number
        self._stream = stream(workload, job, context)
        self.decision = Decision.CONTINUE

    def advance(self) -> Message:
        """Run the candidate to its next measurement, or end it, and return what came of it.

        Only what is no ``Exception`` passes through: KeyboardInterrupt and SystemExit.
        """
        try:
            if self.decision is Decision.STOP:
                self._stream.close()
                return Done(self._number)
            for measurement in self._stream:
                return Reported(self._number, checked(measurement))
            return Done(self._number)
        except Exception as error:
            return failure(self._number, error)

    def close(self) -> None:
        """End the candidate; nobody wants to know any more how."""
        self.decision = Decision.STOP
        self.advance()


def stream(workload: Workload, job: Job, context: Context) -> Generator[object, None, None]:
    """Yield what the estimator yields; closing this closes any kind of iterator below it."""
    yield from workload.estimator.evaluate(job.assignment, context)


def checked(measurement: object) -> Measurement:
    """Return the measurement that an estimator yielded.

    Raises:
        TypeError: It is something else.
    """
    if not isinstance(measurement, Measurement):
        raise TypeError(
            f"an estimator yields Measurement, got {type(measurement).__name__}; "
            "write yield Measurement(step, metrics)."
        )
    return measurement


def failure(number: int, error: BaseException) -> Failed:
    """Return the message about a candidate that raised, and free what its frames hold."""
    traceback.clear_frames(error.__traceback__)
    return Failed(number, reason_of(error), "".join(traceback.format_exception(error)))


def reason_of(error: BaseException) -> str:
    r"""Return one line that says what was raised.

    Example:
        >>> reason_of(ValueError("the kernel is larger\n than the image"))
        'ValueError: the kernel is larger than the image'
        >>> reason_of(MemoryError())
        'out of memory: MemoryError'
    """
    try:
        text = str(error)
    except Exception:
        text = ""
    name = type(error).__name__
    if isinstance(error, Diverged):
        return one_line(f"diverged: {text}") if text else "diverged: the loss is not finite"
    if isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(sign in text.lower() for sign in OUT_OF_MEMORY)
    ):
        return one_line(f"out of memory: {text or name}")
    return one_line(f"{name}: {text}") if text else name


def one_line(text: str) -> str:
    """Return the text in one line of at most ``MAX_REASON`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_REASON else f"{line[: MAX_REASON - 1]}…"
