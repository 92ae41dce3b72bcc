"""The events of a study's log, and their JSON forms."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import UsageError
from nasturtium.spaces import Architecture
from nasturtium.trials._values import Fidelity, Measurement, Proposal, State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@final
@dataclass(frozen=True, slots=True)
class Asked:
    """A new trial exists, or (``proposal.resume``) a paused one goes on.

    Args:
        number: The trial's number.
        proposal: What is to be evaluated.
        asked_at: Length of the log that the ``ask`` or ``promote`` saw.
        fidelity: The leg's target.
    """

    number: int
    proposal: Proposal
    asked_at: int
    fidelity: Fidelity


@final
@dataclass(frozen=True, slots=True)
class Measured:
    """A running trial has a new measurement."""

    number: int
    measurement: Measurement


@final
@dataclass(frozen=True, slots=True)
class Ended:
    """A trial's leg is over: it is paused, finished, stopped or failed.

    Args:
        number: The trial's number.
        state: What it is now.
        reason: Why it failed or was stopped.
        predicted: Values that a scheduler predicted for it.
        details: A traceback, or the last lines of a worker's error output.
        at: Reading of the executor's clock, in seconds from the study's beginning.
    """

    number: int
    state: State
    reason: str | None = None
    predicted: Mapping[str, float] = field(default_factory=dict)
    details: str = ""
    at: float | None = None


@final
@dataclass(frozen=True, slots=True)
class Lost:
    """A trial's current leg was lost and begins again with the same seed.

    Args:
        number: The trial's number.
        reason: What happened.
        is_crash: Whether its worker or engine died; an interruption is no crash.
    """

    number: int
    reason: str
    is_crash: bool = True


@final
@dataclass(frozen=True, slots=True)
class Note:
    """Bookkeeping: what the study is, who runs it, which test data was read.

    Args:
        kind: What it is about, such as ``"created"``, ``"tested"``, ``"budget"``.
        data: JSON data.

    Raises:
        UsageError: The kind is that of another event.
    """

    kind: str
    data: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Check the kind."""
        if self.kind in ("asked", "measured", "ended", "lost"):
            raise UsageError(f"a note's kind is none of the other events', got {self.kind!r}; rename it.")


Event = Asked | Measured | Ended | Lost | Note


def event_to_json(event: Event) -> tuple[str, dict[str, Any]]:
    """Return an event's kind and JSON data; floats survive exactly, NaN and infinities too."""
    if isinstance(event, Asked):
        data = {"n": event.number, "p": event.proposal.to_json(), "at": event.asked_at, "f": event.fidelity.to_json()}
        return "asked", data
    if isinstance(event, Measured):
        return "measured", _measured_to_json(event)
    if isinstance(event, Ended):
        return "ended", _ended_to_json(event)
    if isinstance(event, Lost):
        return "lost", {"n": event.number, "r": event.reason, "c": event.is_crash}
    return event.kind, dict(event.data)


def _measured_to_json(event: Measured) -> dict[str, Any]:
    m = event.measurement
    data = {"n": event.number, "s": m.step, "m": dict(m.metrics), "t": m.seconds}
    if m.report:
        data["r"] = dict(m.report)
    if m.checkpoint is not None:
        data["c"] = m.checkpoint
    if m.architecture is not None:
        data["a"] = m.architecture.to_json()
    if m.note is not None:
        data["o"] = m.note
    if m.cpu_seconds:
        data["u"] = round(m.cpu_seconds, 4)
    return data


def _ended_to_json(event: Ended) -> dict[str, Any]:
    data: dict[str, Any] = {"n": event.number, "s": str(event.state)}
    if event.reason is not None:
        data["r"] = event.reason
    if event.predicted:
        data["p"] = dict(event.predicted)
    if event.details:
        data["d"] = event.details
    if event.at is not None:
        data["e"] = event.at
    return data


@lru_cache(maxsize=256)
def _fidelity(items: tuple[tuple[str, Any], ...]) -> Fidelity:
    """Return a fidelity; most trials share a few."""
    return Fidelity.from_json(dict(items))


def _asked(data: Mapping[str, Any]) -> Asked:
    proposal = Proposal.from_json(data["p"])
    return Asked(data["n"], proposal, data["at"], _fidelity(tuple(data["f"].items())))


def _measured(data: Mapping[str, Any]) -> Measured:
    architecture = data.get("a")
    measurement = Measurement(
        step=data["s"],
        metrics=data["m"],
        seconds=data["t"],
        report=data.get("r", {}),
        checkpoint=data.get("c"),
        architecture=None if architecture is None else Architecture.from_json(architecture),
        note=data.get("o"),
        cpu_seconds=data.get("u", 0.0),
    )
    return Measured(data["n"], measurement)


_DECODERS: Mapping[str, Callable[[Mapping[str, Any]], Event]] = {
    "asked": _asked,
    "measured": _measured,
    "ended": lambda d: Ended(d["n"], State(d["s"]), d.get("r"), d.get("p", {}), d.get("d", ""), d.get("e")),
    "lost": lambda d: Lost(d["n"], d["r"], d["c"]),
}


def event_from_json(kind: str, data: Mapping[str, Any]) -> Event:
    """Return the event that ``event_to_json`` wrote."""
    decoder = _DECODERS.get(kind)
    return decoder(data) if decoder else Note(kind, data)


_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_N_AT_ONCE = 100  # parsed together: few calls, and what is parsed stays in the processor's cache


def encode_event(event: Event) -> tuple[str, str]:
    """Return an event's kind and JSON text.

    Raises:
        TypeError: It holds something that JSON has no form for.
    """
    kind, data = event_to_json(event)
    return kind, _encode(data)


def decode_events(rows: Sequence[tuple[str, str]]) -> list[Event]:
    """Return the events whose kinds and JSON texts ``encode_event`` wrote."""
    events: list[Event] = []
    for start in range(0, len(rows), _N_AT_ONCE):
        part = rows[start : start + _N_AT_ONCE]
        parsed = json.loads("[" + ",".join([text for _, text in part]) + "]")
        kinds = [kind for kind, _ in part]
        events += [event_from_json(kind, data) for kind, data in zip(kinds, parsed, strict=True)]
    return events
