"""The job once it is prepared: search, final training, baseline, delivery; whatever of that is lacking."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from nasturtium._baseline import BASELINE_SHARE, train_baseline
from nasturtium._delivery import deliver
from nasturtium._evidence import EVIDENCE_SHARE, SEEDS_SHARE, Means, results_of, train_by_hand, train_seeds
from nasturtium._final import child_name, open_final, plan_final
from nasturtium._planning import SEARCH_SHARE, Plan, one_thread
from nasturtium._stored import child_parts, stored_study
from nasturtium._study import Study
from nasturtium.strategies import STRATEGIES
from nasturtium.trials import History, Note

if TYPE_CHECKING:
    from nasturtium.report import FinalResults

EXPORT_SHARE = 0.06
"""Share of the minutes that is kept for testing, export and report."""

HANGING_SECONDS = 1800.0
"""Time without a measurement after which a candidate counts as hung, where no clock runs."""

Watch = Callable[[str, Study, History], None]
"""Called with the phase (a name in ``_display.PHASES``), the study and its history.

Once when a phase begins, and after every round of the engine.
"""


@final
@dataclass(frozen=True)
class Outcome:
    """What a job ends with.

    Args:
        study: The search.
        rows: The front, tested.
        seconds: Spent by phase.
        out: Where networks, ``front.json`` and report are, or None.
        problems: Files that could not be exported, by path, with the reason.
    """

    study: Study
    rows: list[FinalResults]
    seconds: Mapping[str, float]
    out: Path | None
    problems: Mapping[str, str]


@one_thread()
def complete(
    study: Study,
    *,
    executor: str = "local",
    begun: float | None = None,
    minutes: float | None = None,
    trials: int | None = None,
    workers: int | None = None,
    out: Path | None = None,
    watch: Watch | None = None,
) -> Outcome:
    """Run what a prepared or interrupted job still lacks, and return the tested front.

    Args:
        study: A study of ``prepare``.
        executor: ``"local"`` or ``"inline"``.
        begun: When the job began, by ``time.monotonic``.
        minutes: Another time for what is left; None means what the plan has left.
        trials: Another number of trials.
        workers: Another number of workers.
        out: Another folder for the results.
        watch: For displays.
    """
    begun = time.monotonic() if begun is None else begun
    plan = Plan(**study.created["plan"])
    workers = workers or plan.workers
    whole = None if (minutes or plan.minutes) is None else 60 * (minutes or plan.minutes or 0.0)
    spent = {"search": 0.0, "final": 0.0}
    clock = time.monotonic()
    used = 0.0 if minutes else _used(study, workers)

    def left(kept: float = 0.0) -> float | None:
        """Return the seconds until the export, less what is kept for something else."""
        return None if whole is None else whole * (1 - EXPORT_SHARE) - used - (time.monotonic() - begun) - kept

    own = study.created.get("baseline")
    kept = 0.0 if own is None or whole is None else BASELINE_SHARE * whole
    search_phase(study, plan, executor, workers, minutes, trials, begun, left(kept), watch)
    spent["search"], clock = time.monotonic() - clock, time.monotonic()

    seconds = left(kept)
    final_phase(study, executor, workers, seconds, watch)
    spent["final"], clock = time.monotonic() - clock, time.monotonic()

    if is_tested(study):
        evidence_phase(study, Means(watch=_watched("evidence", watch)), left(kept))
        spent["evidence"], clock = time.monotonic() - clock, time.monotonic()
        if own is not None and "baseline_result" not in results_of(study.notes):
            train_baseline(study, own, left(), Means(executor, workers, _watched("baseline", watch)))
            spent["baseline"], clock = time.monotonic() - clock, time.monotonic()

    given = study.created["out"] if out is None else out
    folder = None if given is None else Path(given).resolve()
    rows, problems = deliver(study, folder, spent, watch, None if whole is None else begun + max(whole - used, 0.0))
    spent["export"] = time.monotonic() - clock
    delivered = {"n_trials": study.history.n_trials, "seconds": spent, "out": None if folder is None else str(folder)}
    study.journal.add(Note("delivered", delivered))
    study.journal.flush()
    return Outcome(study, rows, spent, folder, problems)


def is_tested(study: Study) -> bool:
    """Return whether networks are trained, and test data there to judge them by."""
    from nasturtium._subject import subject_of

    subject = subject_of(study.task)
    return subject.trains and subject.n_test > 0


def evidence_phase(study: Study, means: Means, seconds: float | None) -> None:
    """Train the winner with other seeds, and a network made by hand, in the time that is left.

    One after the other in this process: side by side, a machine with few free cores ends none of them in time.

    Args:
        study: The search, its final training done.
        means: What the trainings may use.
        seconds: Time for both; without a clock, numbers are fixed.
    """
    begun = time.monotonic()
    train_seeds(study, None if seconds is None else SEEDS_SHARE * seconds, means)
    train_by_hand(study, None if seconds is None else seconds - (time.monotonic() - begun), means)


def _watched(phase: str, watch: Watch | None) -> Callable[[Study], None] | None:
    return None if watch is None else lambda child: watch(phase, child, child.history)


ONE_AT_A_TIME = ("seeds", "by-hand", "baseline-length")
"""The child studies whose trainings are done one after the other, whatever the workers."""


def _used(study: Study, workers: int) -> float:
    """Return the seconds that a search and its child studies have taken, by what evaluations were charged."""
    used = sum(trial.seconds for trial in study.history.trials()) / workers
    for name, part in child_parts(study.name, study.storage).items():
        charged = sum(trial.seconds for trial in stored_study(name, study.storage).history.trials())
        used += charged / (1 if part in ONE_AT_A_TIME else workers)
    return used


def search_phase(
    study: Study,
    plan: Plan,
    executor: str,
    workers: int,
    minutes: float | None,
    trials: int | None,
    begun: float,
    rest: float | None,
    watch: Watch | None,
) -> None:
    """Run the search, unless its final training has begun already.

    If no candidate has finished in its time, it goes on until one has, while there is time at all.
    """
    if study.storage.read(child_name(study)) and minutes is None and trials is None:
        return
    seconds = None
    if minutes is not None:
        seconds = 60 * minutes * SEARCH_SHARE
    elif plan.search_seconds is not None and trials is None:
        charged = sum(t.seconds for t in study.history.trials()) / workers
        seconds = max(0.5, plan.search_seconds - charged - (time.monotonic() - begun))
    wanted = trials if trials is not None else (plan.trials if minutes is None else None)
    strategy = STRATEGIES.restore(study.created["strategy"])
    if watch is not None:
        watch("search", study, study.history)

    def run(wanted: int | None, seconds: float | None) -> None:
        study.run(
            strategy,
            patience=_patience(seconds),
            trials=wanted,
            minutes=None if seconds is None else seconds / 60,
            workers=workers,
            executor=executor,
            memory_bytes=study.created.get("memory_bytes"),
            watch=None if watch is None else lambda history: watch("search", study, history),
        )

    started = time.monotonic()
    run(wanted, seconds)
    if seconds is not None and rest is not None and not study.history.finished():
        run(max(1, study.history.n_trials), max(1.0, rest - (time.monotonic() - started)))


def _patience(seconds: float | None) -> float:
    """Return the time without a measurement after which a candidate counts as hung."""
    return HANGING_SECONDS if seconds is None else max(60.0, 0.25 * seconds)


def final_phase(study: Study, executor: str, workers: int, seconds: float | None, watch: Watch | None) -> None:
    """Run the final training, if there is something to train.

    It is planned for all of its time but ``EVIDENCE_SHARE``; where it takes longer than the search's
    measurements promised, it takes that share too, since a network that is trained comes first.
    """
    planned = None if seconds is None else (1 - EVIDENCE_SHARE) * seconds
    opened = open_final(study, plan_final(study, planned, workers))
    if opened is None:
        return
    child, strategy = opened
    child.begin(strategy, seed=study.history.study.seed, horizon=len(strategy.numbers))
    if watch is not None:
        watch("final", child, child.history)
    child.run(
        strategy,
        trials=len(strategy.numbers),
        minutes=None if seconds is None else max(seconds, 1.0) / 60,
        patience=None if seconds is None else max(60.0, seconds),
        seed=study.history.study.seed,
        workers=workers,
        executor=executor,
        memory_bytes=study.created.get("memory_bytes"),
        watch=None if watch is None else lambda history: watch("final", child, history),
    )
