"""Journal: the log in memory and in storage."""

import pytest

from nasturtium.engine import Journal, _journal
from nasturtium.errors import LogMovedOn
from nasturtium.storage._memory import MemoryStorage
from nasturtium.testing._running import setting_of
from nasturtium.testing._toys import small_table
from nasturtium.trials import Log, Note


class Counting(MemoryStorage):
    """A storage that counts transactions and leases."""

    def __init__(self):
        super().__init__()
        self.n_appends = 0
        self.owners = []

    def append(self, study, events, after):
        self.n_appends += 1
        return super().append(study, events, after)

    def acquire(self, study, owner):
        self.owners.append(owner)


@pytest.fixture
def storage():
    return Counting()


def journal(storage, owner=None):
    log = Log(setting_of(small_table().space))
    log.append(storage.read("s"))
    return Journal(log, storage, "s", owner)


def notes(*names):
    return [Note(name, {}) for name in names]


def test_what_is_added_is_seen_at_once_and_durable_after_a_flush(storage):
    j = journal(storage)
    j.add(*notes("a", "b"))
    j.add(*notes("c"))
    assert j.history().length == 3
    assert storage.read("s") == []
    j.flush()
    assert storage.read("s") == notes("a", "b", "c")
    assert storage.n_appends == 1


def test_a_flush_of_nothing_is_no_transaction(storage):
    j = journal(storage)
    j.flush()
    j.add(*notes("a"))
    j.flush()
    j.flush()
    assert storage.n_appends == 1


def test_a_journal_goes_on_where_the_log_ends(storage):
    first = journal(storage)
    first.add(*notes("a"))
    first.flush()
    second = journal(storage)
    second.add(*notes("b"))
    second.flush()
    assert storage.read("s") == notes("a", "b")


def test_two_journals_of_one_study_do_not_both_write(storage):
    one, two = journal(storage), journal(storage)
    one.add(*notes("a"))
    one.flush()
    two.add(*notes("b"))
    with pytest.raises(LogMovedOn):
        two.flush()
    assert storage.read("s") == notes("a")


def test_an_interruption_during_the_commit_loses_and_doubles_nothing(storage):
    for is_committed in (True, False):
        j = journal(storage)
        before = len(storage.read("s"))

        def interrupted(study, events, after, is_committed=is_committed):
            if is_committed:
                MemoryStorage.append(storage, study, events, after)
            raise KeyboardInterrupt

        storage.append = interrupted
        j.add(*notes("x", "y"))
        with pytest.raises(KeyboardInterrupt):
            j.flush()
        del storage.append
        j.add(*notes("z"))
        j.flush()
        assert storage.read("s")[before:] == notes("x", "y", "z")


def test_progress_becomes_durable_now_and_then(storage, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(_journal.time, "monotonic", lambda: clock[0])
    j = journal(storage)
    for _ in range(40):
        j.add(*notes("step"))
        j.tick()
        clock[0] += 0.1
    assert 3 <= storage.n_appends <= 4


def test_the_lease_is_renewed_while_somebody_owns_the_study(storage, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(_journal.time, "monotonic", lambda: clock[0])
    j = journal(storage, owner="me")
    for _ in range(50):
        clock[0] += 1.0
        j.tick()
    assert storage.owners == ["me"] * 3
    j.owner = None
    clock[0] += 100.0
    j.tick()
    assert len(storage.owners) == 3
