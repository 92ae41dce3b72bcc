"""The laws of storages; third parties run them over their own.

@pytest.mark.parametrize(("name", "check"), storage_checks())
def test_law(name, check, tmp_path):
    check(partial(MyStorage, tmp_path / "studies"))
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from math import inf, nan
from multiprocessing import get_context
from threading import Thread
from typing import TYPE_CHECKING, Any

from nasturtium.errors import LeaseTaken, LogMovedOn, NasturtiumError, UsageError
from nasturtium.graphs import Deepen, Skip, Widen
from nasturtium.spaces import Architecture
from nasturtium.storage import Storage, new_owner
from nasturtium.trials import (
    Asked,
    Ended,
    Event,
    Fidelity,
    Lost,
    Measured,
    Measurement,
    Note,
    Proposal,
    State,
    encode_event,
)

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

Open = Callable[[], Storage]
"""Opens one place; each check gets another, empty one. Picklable if processes share the place."""

StorageCheck = Callable[[Open], None]
"""A law: raises AssertionError if the storage that it is given breaks it."""


def storage_checks(*, shared: bool = True) -> Iterator[tuple[str, StorageCheck]]:
    """Yield every law with its name.

    Args:
        shared: Whether several processes can use one place; off leaves those laws out.
    """
    for check in CHECKS + (SHARED_CHECKS if shared else ()):
        yield check.__name__.removeprefix("check_").replace("_", "-"), check


def sample_events() -> list[Event]:
    """Return every kind of event, with the values that are hard to keep."""
    nested = Architecture({"a/b": ("conv", (3, 5)), "ü": None, "x": 0.1, "on": True})
    edits = (Deepen("c1", kernel=5), Widen("c1", out=24), Skip("c1", "c3"))
    floats = {"tiny": 5e-324, "third": 1 / 3, "huge": 1.7976931348623157e308, "minus_zero": -0.0}
    return [
        Note("created", {"name": "a \u2028\x00\\ ' \" 😀", "seed": 2**70, "deep": [[1.5, [None]]]}),
        Asked(0, Proposal(nested), 1, Fidelity()),
        Measured(0, Measurement(0, floats, 0.25, {"test_error": 0.5}, "a" * 40, nested)),
        Asked(1, Proposal(None), 3, Fidelity(4, 36, 0.5, 0.75, 0.25, cells=2)),
        Lost(1, "killed by signal 9"),
        Lost(1, "interrupted", is_crash=False),
        Measured(1, Measurement(4, {"nan": nan, "inf": inf, "minus_inf": -inf})),
        Ended(1, State.PAUSED),
        Asked(1, Proposal(None, resume=1), 8, Fidelity(36)),
        Ended(1, State.STOPPED, "stopped by the scheduler", {"valid_error": 0.1}),
        Asked(2, Proposal(nested, (0, 1), edits, Fidelity(2), None, 3, {"t": (1,)}), 9, Fidelity(2)),
        Ended(2, State.FAILED, "ValueError: ü\ttab"),
    ]


def check_round_trip(open_: Open) -> None:
    """Every kind of event is read as it was written, NaN, infinities and signs included."""
    events = sample_events()
    with closing(open_()) as storage:
        assert storage.append("s", events, after=0) == len(events), "append returns the new length"
        found = storage.read("s")
    assert _texts(found) == _texts(events), f"expected {events}, got {found}"
    exact = [e for e in events if "NaN" not in encode_event(e)[1]]
    assert [e for e in found if "NaN" not in encode_event(e)[1]] == exact, f"got {found}"


def check_long_log(open_: Open) -> None:
    """A thousand events in appends of many sizes keep their order."""
    expected: list[Event] = []
    with closing(open_()) as storage:
        for size in (1, 2, 300, 0, 99, 598):
            new = [_mark("p", len(expected) + i) for i in range(size)]
            length = storage.append("s", new, after=len(expected))
            expected += new
            assert length == len(expected), f"expected length {len(expected)}, got {length}"
        assert storage.read("s") == expected, "events must keep their order"


def check_read_since(open_: Open) -> None:
    """Reading begins at the position that is asked for."""
    events = [_mark("p", i) for i in range(5)]
    with closing(open_()) as storage:
        storage.append("s", events, after=0)
        for since in range(7):
            assert storage.read("s", since) == events[since:], f"{since=}"


def check_unknown_study(open_: Open) -> None:
    """An unknown study has no events, and reading makes none."""
    with closing(open_()) as storage:
        assert storage.read("s") == [], "an unknown study is empty"
        assert storage.append("s", [], after=0) == 0, "no event, no change"
        assert storage.studies() == [], "a study exists from its first event on"


def check_studies(open_: Open) -> None:
    """Studies are listed from the oldest to the newest, and their logs are apart."""
    names = ["zwei", "eins", "drei/final", "ü' \"%s ?"]
    with closing(open_()) as storage:
        for i, name in enumerate(names):
            storage.append(name, [_mark(name, i)], after=0)
        storage.append(names[0], [_mark("later", 9)], after=1)
        assert storage.studies() == names, f"expected {names}, got {storage.studies()}"
        assert storage.read(names[1]) == [_mark("eins", 1)], "logs must be apart"
        assert storage.read(names[0], 1) == [_mark("later", 9)], "logs must be apart"


def check_names(open_: Open) -> None:
    """The name of a study is printable text."""
    with closing(open_()) as storage:
        for name in ("", "a\nb", "nul\x00", "\udcff"):
            calls: tuple[Callable[[], object], ...] = (
                partial(storage.read, name),
                partial(storage.append, name, [_mark("p", 0)], 0),
                partial(storage.acquire, name, new_owner()),
                partial(storage.release, name, new_owner()),
                partial(storage.checkpoints, name),
            )
            for call in calls:
                assert _raises(UsageError, call), f"{name!r} must be refused by {call}"
        assert storage.studies() == [], "what is refused is not written"


def check_compare_and_append(open_: Open) -> None:
    """An append that does not continue the log is refused and writes nothing."""
    with closing(open_()) as storage:
        assert _raises(LogMovedOn, partial(storage.append, "s", [_mark("p", 0)], 1)), "no gap"
        assert storage.studies() == [], "a refused append makes no study"
        storage.append("s", [_mark("p", 0), _mark("p", 1)], after=0)
        for after in (0, 1, 3):
            for events in ([], [_mark("q", 0)], [_mark("q", i) for i in range(4)]):
                refused = _raises(LogMovedOn, partial(storage.append, "s", events, after))
                assert refused, f"a log of length 2 must refuse {after=}"
        assert storage.read("s") == [_mark("p", 0), _mark("p", 1)], "nothing may be written"
        assert storage.append("s", [_mark("p", 2)], after=2) == 3, "the storage must work on"


def check_atomic(open_: Open) -> None:
    """An append whose last event can't be written writes none of them."""
    bad = Note("bad", {"value": object()})
    with closing(open_()) as storage:
        storage.append("s", [_mark("p", 0)], after=0)
        try:
            storage.append("s", [_mark("p", 1), bad], after=1)
        except NasturtiumError:
            assert storage.read("s") == [_mark("p", 0)], "nothing may be written"


def check_what_was_read_stays(open_: Open) -> None:
    """Changing the list that was read, or was appended, changes no log."""
    events = [_mark("p", 0), _mark("p", 1)]
    with closing(open_()) as storage:
        storage.append("s", events, after=0)
        events.clear()
        storage.read("s").clear()
        assert storage.read("s") == [_mark("p", 0), _mark("p", 1)], "a log only ever grows"


def check_lease(open_: Open) -> None:
    """One living owner at a time has the lease of a study, and may renew it."""
    one, two = new_owner(), new_owner()
    with closing(open_()) as storage:
        storage.acquire("s", one)
        storage.acquire("s", one)
        assert _raises(LeaseTaken, partial(storage.acquire, "s", two)), "one owner at a time"
        storage.acquire("other", two)
        storage.release("s", two)
        assert _raises(LeaseTaken, partial(storage.acquire, "s", two)), "it was not two's to give"
        storage.release("s", one)
        storage.acquire("s", two)
        assert _raises(LeaseTaken, partial(storage.acquire, "s", one)), "two has it now"
        assert storage.studies() == [], "a lease makes no study"


def check_threads(open_: Open) -> None:
    """Threads that append at the same time lose nothing; closing twice is fine."""
    with closing(open_()) as storage:
        threads = [Thread(target=_write, args=(storage, f"t{i}", 20)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        _assert_each_once(storage.read("s"), {f"t{i}": 20 for i in range(4)})
        storage.close()


def check_reopened(open_: Open) -> None:
    """What one storage wrote, another of the same place reads and continues."""
    with closing(open_()) as early, closing(open_()) as storage:
        storage.append("s", [_mark("p", 0)], after=0)
        assert early.read("s") == [_mark("p", 0)], "what is appended is seen by all"
        storage.append("s", [_mark("p", 1)], after=1)
        assert early.read("s", 1) == [_mark("p", 1)], "what is appended is seen by all"
    with closing(open_()) as storage:
        assert storage.append("s", [_mark("p", 2)], after=2) == 3, "a log outlives its storage"


def check_two_writers(open_: Open) -> None:
    """Processes that make a place and write one study at the same time lose nothing."""
    writers = [_Process(_writer, open_, f"w{i}", 30) for i in range(3)]
    for writer in writers:
        writer.hear()  # ready
    for writer in writers:
        writer.say("go")
    for writer in writers:
        writer.end()
    with closing(open_()) as storage:
        _assert_each_once(storage.read("s"), {f"w{i}": 30 for i in range(3)})


def check_killed_while_appending(open_: Open) -> None:
    """After kill -9, the log is a prefix of what was appended, in whole appends."""
    for n_heard in (1, 7, 40):
        process = _Process(_endless_writer, open_)
        acknowledged = [process.hear() for _ in range(n_heard)][-1]
        process.kill()
        with closing(open_()) as storage:
            found = storage.read("s")
            assert len(found) >= acknowledged, f"{acknowledged} were durable, {len(found)} left"
            assert len(found) % 3 == 0, f"three events an append, {len(found)} left"
            assert found == [_mark("p", i) for i in range(len(found))], "a log has no gap"


def check_dead_owner(open_: Open) -> None:
    """The lease of a killed process is free at once, and no earlier."""
    process = _Process(_owner, open_)
    process.hear()
    with closing(open_()) as storage:
        owner = new_owner()
        assert _raises(LeaseTaken, partial(storage.acquire, "s", owner)), "its owner lives"
        process.kill()
        storage.acquire("s", owner)


def check_fork(open_: Open) -> None:
    """A forked process may use the storage of its parent, who goes on using it."""
    if sys.platform != "win32":
        process = _Process(_forking_writer, open_)
        process.end()
        with closing(open_()) as storage:
            _assert_each_once(storage.read("s"), {"parent": 21, "child": 20})


CHECKS: tuple[StorageCheck, ...] = (
    check_round_trip,
    check_long_log,
    check_read_since,
    check_unknown_study,
    check_studies,
    check_names,
    check_compare_and_append,
    check_atomic,
    check_what_was_read_stays,
    check_lease,
    check_threads,
)
SHARED_CHECKS: tuple[StorageCheck, ...] = (
    check_reopened,
    check_two_writers,
    check_killed_while_appending,
    check_dead_owner,
    check_fork,
)


class _Process:
    """A fresh Python process that runs a function with a pipe to this one."""

    def __init__(self, function: Callable[..., None], *arguments: object) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(target=function, args=(theirs, *arguments))
        self._process.start()
        theirs.close()

    def hear(self) -> Any:
        """Return the next thing that it says."""
        assert self._pipe.poll(60), "the process says nothing"
        return self._pipe.recv()

    def say(self, word: str) -> None:
        """Say something to it."""
        self._pipe.send(word)

    def kill(self) -> None:
        """End it without warning, and wait until it is gone."""
        os.kill(self._process.pid or 0, getattr(signal, "SIGKILL", signal.SIGTERM))
        self._process.join()
        self._pipe.close()

    def end(self) -> None:
        """Wait until it has done its work."""
        self._process.join(60)
        self._pipe.close()
        assert self._process.exitcode == 0, f"the process ended with {self._process.exitcode}"


def _writer(pipe: Connection, open_: Open, who: str, n_events: int) -> None:
    pipe.send("ready")
    pipe.recv()
    with closing(open_()) as storage:
        _write(storage, who, n_events)


def _endless_writer(pipe: Connection, open_: Open) -> None:
    with closing(open_()) as storage:
        length = len(storage.read("s"))
        while True:
            new = [_mark("p", length + i) for i in range(3)]
            length = storage.append("s", new, after=length)
            pipe.send(length)


def _owner(pipe: Connection, open_: Open) -> None:
    with closing(open_()) as storage:
        storage.acquire("s", new_owner())
        pipe.send("ready")
        pipe.recv()  # until it is killed


def _forking_writer(pipe: Connection, open_: Open) -> None:
    del pipe
    with closing(open_()) as storage:
        _write(storage, "parent", 1)
        child = os.fork()
        _write(storage, "parent" if child else "child", 20, first=1 if child else 0)
        if child == 0:
            storage.close()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert status == 0, "the child must succeed"


def _write(storage: Storage, who: str, n_events: int, first: int = 0) -> None:
    """Append numbered events one by one, whoever else appends."""
    for i in range(first, first + n_events):
        while True:
            try:
                storage.append("s", [_mark(who, i)], after=len(storage.read("s")))
            except LogMovedOn:
                continue
            break


def _mark(who: str, number: int) -> Note:
    return Note("mark", {"who": who, "number": number})


def _texts(events: list[Event]) -> list[tuple[str, str]]:
    return [encode_event(event) for event in events]


def _assert_each_once(events: list[Event], expected: dict[str, int]) -> None:
    """Check that everybody's events are there once each, in the order of writing."""
    found: dict[str, list[int]] = {who: [] for who in expected}
    for event in events:
        assert isinstance(event, Note), f"unexpected {event}"
        found[event.data["who"]].append(event.data["number"])
    assert found == {who: list(range(n)) for who, n in expected.items()}, f"got {found}"


def _raises(error: type[Exception], call: Callable[[], object]) -> bool:
    try:
        call()
    except error:
        return True
    return False
