"""A cache of results: what was trained once need not be trained again."""

from __future__ import annotations

import json
import os
import secrets
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, final

from nasturtium.errors import UsageError
from nasturtium.estimators._base import ESTIMATORS, Assignment, Checkpoints, Context, Estimator
from nasturtium.spaces import SPACES, Networks
from nasturtium.trials import Measurement, Rung

if TYPE_CHECKING:
    from collections.abc import Iterator

HIT = "from the cache"
"""The note on the first measurement of a repeated candidate."""


@final
@ESTIMATORS.register("cached")
@dataclass(frozen=True)
class Cached(Estimator):
    """Gives the results of another estimator again where it has measured the same function before.

    The same means: one graph key, data, fidelity and replicate, by the same estimator with the same
    arguments, in any study that uses the folder. A hit costs no time and says so in its note.
    Trainings of equal functions differ by their seed, so a cache hides that noise: leave it out, or
    propose replicates, to see it.

    Args:
        of: The estimator. None that reads its parents' weights, whose results are not the
            candidate's alone.
        folder: Where results and checkpoints are kept; workers share it.

    Raises:
        UsageError: The estimator has no description that a later process would know it by, or it
            reads weights of parents.
    """

    of: Estimator
    folder: str = "nasturtium-cache"

    requires: ClassVar[tuple[type, ...]] = (Networks,)

    def __post_init__(self) -> None:
        """Check that results can be told apart by what the estimator says of itself."""
        if "opaque" in ESTIMATORS.describe(self.of):
            raise UsageError(f"a cache is of a registered estimator, got {type(self.of).__name__}; register it.")
        if self.of.inherits:
            raise UsageError("a cache is of estimators that begin anew, got inherited weights; leave one out.")

    def ladder(self) -> tuple[Rung, ...]:
        """Return the other estimator's rungs."""
        return self.of.ladder()

    def metrics(self) -> tuple[str, ...]:
        """Return the other estimator's metrics."""
        return self.of.metrics()

    def final(self, epochs: int) -> Estimator | None:
        """Return the other estimator's: a final training is not repeated."""
        return self.of.final(epochs)

    def evaluate(self, assignment: Assignment, context: Context) -> Iterator[Measurement]:
        """Yield what is known of the leg, else what the other estimator measures; see ``Estimator``."""
        leg = Path(self.folder) / entry_name(self.of, assignment, context)
        found = read_leg(leg)
        if found is not None:
            yield from _again(*found, context.checkpoints)
            return
        recording = Recording(context.checkpoints)
        measured = []
        watched = replace(context, checkpoints=recording)
        with closing(self.of.evaluate(assignment, watched)) as stream:  # type: ignore[type-var]
            for measurement in stream:
                measured.append(measurement)
                if measurement.step == assignment.fidelity.epochs:
                    write_leg(leg, measured, recording.saved)
                yield measurement


def entry_name(estimator: Estimator, assignment: Assignment, context: Context) -> str:
    """Return the name of a leg's results: a hash of all that they depend on but chance.

    Args:
        estimator: What measures.
        assignment: The leg.
        context: Space and task.

    Raises:
        UsageError: The whole space is to be evaluated.
    """
    if assignment.architecture is None:
        raise UsageError("a cache keeps results of architectures, got the whole space; leave it out.")
    space, fidelity = context.space, assignment.fidelity
    assert isinstance(space, Networks), "the engine checks what an estimator requires"
    what = {
        "graph": space.graph(assignment.architecture).key,
        "training": sorted(dict(space.training(assignment.architecture)).items()),
        "space": None if fidelity.is_whole else SPACES.describe(space),
        "task": getattr(context.task, "content", None),
        "estimator": ESTIMATORS.describe(estimator),
        "fidelity": fidelity.to_json(),
        "start": assignment.start,
        "replicate": assignment.replicate,
    }
    return blake2b(json.dumps(what, sort_keys=True).encode(), digest_size=20).hexdigest()


@final
class Recording:
    """Checkpoints that remember the last one that was saved.

    Args:
        inner: Where they are kept.
    """

    def __init__(self, inner: Checkpoints) -> None:
        self.inner = inner
        self.saved: bytes | None = None

    def load(self, number: int) -> bytes | None:
        """Return the latest checkpoint of a trial."""
        return self.inner.load(number)

    def reference(self, number: int) -> str | None:
        """Return what identifies the bytes that ``load`` gives."""
        return self.inner.reference(number)

    def save(self, data: bytes) -> str:
        """Store a checkpoint and remember its bytes."""
        self.saved = data
        return self.inner.save(data)


def write_leg(path: Path, measured: list[Measurement], checkpoint: bytes | None) -> None:
    """Write a leg's results, each file whole or not at all; the one that counts comes last.

    Args:
        path: The files' name without a suffix.
        measured: From the leg's beginning to its end.
        checkpoint: The state at its end.
    """
    rows = [[m.step, dict(m.metrics), dict(m.report)] for m in measured]
    path.parent.mkdir(parents=True, exist_ok=True)
    if checkpoint is not None:
        _write(path.with_suffix(".pt"), checkpoint)
    data = {"rows": rows, "has_checkpoint": checkpoint is not None}
    _write(path.with_suffix(".json"), json.dumps(data).encode())


def read_leg(path: Path) -> tuple[list[Measurement], bytes | None] | None:
    """Return what ``write_leg`` wrote; None if there is nothing, or not all of it (any more)."""
    try:
        data: dict[str, Any] = json.loads(path.with_suffix(".json").read_bytes())
        checkpoint = path.with_suffix(".pt").read_bytes() if data["has_checkpoint"] else None
        return [Measurement(step, metrics, report=report) for step, metrics, report in data["rows"]], checkpoint
    except (OSError, ValueError, KeyError):
        return None


def _again(measured: list[Measurement], checkpoint: bytes | None, checkpoints: Checkpoints) -> Iterator[Measurement]:
    for index, measurement in enumerate(measured):
        is_last = index == len(measured) - 1
        reference = checkpoints.save(checkpoint) if is_last and checkpoint is not None else None
        yield replace(measurement, checkpoint=reference, note=HIT if index == 0 else None)


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    temporary.write_bytes(data)
    temporary.replace(path)
