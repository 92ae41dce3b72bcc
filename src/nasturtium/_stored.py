"""Studies as their log has them: read without torch, the data and the components."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import RequirementError, StorageError, UsageError, near_matches
from nasturtium.report import FinalResults
from nasturtium.spaces import SPACES, Architecture, Networks, Space
from nasturtium.trials import History, Limit, Log, Note, Objective, Rung, Setting, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from nasturtium.storage import Storage
    from nasturtium.trials import Event, Trial


@final
@dataclass(frozen=True, kw_only=True)
class Elsewhere(Space):
    """Stands in for a space that can't be made again: its architectures are shown, nothing more."""

    def _sample(self, rng: np.random.Generator) -> Architecture:
        raise _elsewhere()

    def _mutate(self, architecture: Architecture, rng: np.random.Generator) -> Architecture:
        raise _elsewhere()

    def _contains(self, architecture: Architecture) -> bool:
        return True


def _elsewhere() -> RequirementError:
    return RequirementError(
        "a stored space must be a registered one to draw from it, got one of a script; run that script again."
    )


@final
@dataclass(frozen=True)
class StoredStudy:
    """A study to look at.

    Args:
        name: Its name.
        created: What its first event says of it.
        history: What has happened.
        notes: Bookkeeping events.
    """

    name: str
    created: Mapping[str, Any]
    history: History
    notes: Sequence[Note]

    @property
    def kind(self) -> str:
        """``"search"``, ``"final"`` (training), or ``"script"`` for one that a program runs."""
        return str(self.created.get("kind", "script"))

    @property
    def states(self) -> dict[str, int]:
        """Number of trials by state, those that occur."""
        found = Counter(str(trial.state) for trial in self.history.trials())
        return {str(state): found[str(state)] for state in State if found[str(state)]}

    @property
    def best(self) -> Trial | None:
        """The finished trial with the best first objective that meets the limits."""
        front = self.history.front()
        return front[0] if front else None

    def graph_key(self, trial: Trial) -> str | None:
        """Return the key of a trial's simplified network; None where there is none to be made."""
        space = self.history.study.space
        if trial.architecture is None or not isinstance(space, Networks):
            return None
        return space.network(trial.architecture).key

    def children(self, storage: Storage) -> Iterator[StoredStudy]:
        """Yield the final trainings of this search, the oldest first."""
        for name, part in child_parts(self.name, storage).items():
            if part == "final":
                yield stored_study(name, storage)


def child_parts(name: str, storage: Storage) -> dict[str, str]:
    """Return what trained beside a search, by the child study's name: final, seeds, by-hand, baseline, ...

    Args:
        name: The search's.
        storage: Where it and its children are.
    """
    prefix = f"{name}/"
    children = [other for other in storage.studies() if other.startswith(prefix)]
    return {child: child.removeprefix(prefix).split("@")[0] for child in children}


def cpu_seconds(name: str, storage: Storage) -> dict[str, float]:
    """Return the processor seconds that were measured, by part: search, final, seeds, by-hand, baseline.

    Args:
        name: The search's.
        storage: Where it and its children are.
    """
    found: dict[str, float] = {}
    for other, part in {name: "search", **child_parts(name, storage)}.items():
        seconds = sum(trial.cpu_seconds for trial in stored_study(other, storage).history.trials())
        found[part] = found.get(part, 0.0) + seconds
    return found


def stored_study(name: str, storage: Storage) -> StoredStudy:
    """Return the study of that name.

    Raises:
        UsageError: There is none; near matches are offered.
        StorageError: Its log does not begin as one of a study.
    """
    events = storage.read(name)
    if not events:
        names = storage.studies()
        hint = near_matches(name, names) if names else "there is none yet; run `nasturtium search`."
        raise UsageError(f"no study {name!r} in this storage; {hint}")
    first = events[0]
    if not isinstance(first, Note) or first.kind != "created":
        raise StorageError(f"a study's log begins with what it is, got {first} in {name!r}; restore it from a copy.")
    return _study(name, first.data, events)


def _study(name: str, created: Mapping[str, Any], events: Sequence[Event]) -> StoredStudy:
    try:
        space = SPACES.restore(dict(created["space"]))
    except UsageError:  # of a script, of a plug-in that is not installed, or of another version
        space = Elsewhere()
    setting = Setting(
        space,
        tuple(Objective(metric, maximize) for metric, maximize in created["objectives"]),
        tuple(Limit(metric, bound) for metric, bound in created["limits"]),
        created["seed"],
        created["horizon"],
        tuple(Rung.from_json(rung) for rung in created["ladder"]),
    )
    log = Log(setting)
    log.append(events)
    return StoredStudy(name, created, log.history(), [e for e in events if isinstance(e, Note)])


def stored_results(study: StoredStudy, children: Sequence[StoredStudy]) -> list[FinalResults]:
    """Return what became of the front's networks whose test error is known, from the logs alone.

    Networks of an earlier final training that are no longer on the front are left out.

    Args:
        study: A search.
        children: Its final trainings, the oldest first.
    """
    tested: dict[int, tuple[Mapping[str, Any], int]] = {}
    for log in (study, *children):
        trained = {t.proposal.attributes.get("of"): t for t in log.history.trials()}
        for note in (n.data for n in log.notes if n.kind == "tested"):
            number = note["of"]
            if note["weights"] == "final":
                tested[number] = (note, trained[number].step)
            elif number not in tested:
                tested[number] = (note, study.history.trial(number).step)
    front = [trial for trial in study.history.front() if trial.number in tested]
    return [_result(study, trial, *tested[trial.number]) for trial in front]


def _result(study: StoredStudy, trial: Trial, note: Mapping[str, Any], epochs: int) -> FinalResults:
    metrics = trial.metrics
    return FinalResults(
        trial=trial.number,
        key=study.graph_key(trial) or "",
        folder="",
        params=int(metrics["params"]),
        flops=int(metrics["flops"]),
        epochs=epochs,
        valid_error=metrics.get("valid_error", float("nan")),
        test_error=note["values"].get("test_error", float("nan")),
        n_test=note.get("n", 0),
        weights=note["weights"],
        objectives={o.metric: metrics.get(o.metric, float("nan")) for o in study.history.study.objectives},
        counts_examples=note.get("counts_examples", True),
        tested=dict(note["values"]),
    )
