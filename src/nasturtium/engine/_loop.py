"""The loop: promote, ask, append, submit, receive, decide, append."""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from typing import TYPE_CHECKING, final

from nasturtium.engine._base import Died, Done, Executor, Failed, Job, Message, Reported
from nasturtium.errors import RequirementError
from nasturtium.estimators._base import Assignment
from nasturtium.trials import (
    Asked,
    Decision,
    Ended,
    Fidelity,
    History,
    Lost,
    Measured,
    Proposal,
    Setting,
    State,
    Trial,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from nasturtium.engine._budget import Budget
    from nasturtium.engine._journal import Journal
    from nasturtium.schedulers._base import Scheduler
    from nasturtium.strategies._base import Strategy

TIDY_EVERY = 20

MAX_ATTEMPTS = 2
"""How often a trial's worker or engine may die before the trial has failed."""


@final
class Loop:
    """Runs one study until its budget is used up or its strategy has finished.

    Args:
        journal: The study's log.
        strategy: Proposes.
        scheduler: Divides effort.
        executor: Evaluates, already started.
        budget: When to stop.
        watch: Called with the history after every round, for displays.
        tidy: Called with the history after every ``TIDY_EVERY`` legs, to delete checkpoints.
        is_random: Whether evaluations draw from a seed; else none is derived.
    """

    def __init__(
        self,
        journal: Journal,
        strategy: Strategy,
        scheduler: Scheduler,
        executor: Executor,
        budget: Budget,
        watch: Callable[[History], None] | None = None,
        tidy: Callable[[History], None] | None = None,
        *,
        is_random: bool = True,
    ) -> None:
        self.journal = journal
        self.strategy = strategy
        self.scheduler = scheduler
        self.executor = executor
        self.budget = budget
        self.watch = watch
        self.tidy = tidy
        self.is_random = is_random
        self._begun = executor.now()
        readings = (e.at for e in reversed(journal.log.events()) if isinstance(e, Ended) and e.at is not None)
        self._before = next(readings, 0.0)
        self._again: list[int] = []
        self._running: set[int] = set()
        self._stopping: set[int] = set()
        self._n_ended = 0
        self._ahead: deque[Proposal] = deque()
        self._ahead_at: Fidelity | None = None

    def run(self) -> None:
        """Run to the end.

        Raises:
            KeyboardInterrupt: After what is in flight was put back.
            LogMovedOn: Another process wrote to this study.
        """
        self._again = recover(self.journal)
        try:
            while True:
                self._refill()
                if not self._running:
                    break
                for message in self.executor.receive(self._patience()):
                    self._handle(message)
                self.journal.tick()
                if self.watch is not None:
                    self.watch(self.journal.history())
                if self._left() == 0:
                    break
        finally:
            self._put_back()
            self.journal.flush()

    def _patience(self) -> float:
        """Return how long to wait for messages: not past the budget, nor past the lease's renewal."""
        left, longest = self._left(), self.executor.longest_wait_seconds
        return longest if left is None else min(left, longest)

    def _left(self) -> float | None:
        """Return the seconds that are left, or None if there is no bound."""
        return None if self.budget.seconds is None else self.budget.left(self._elapsed())

    def _elapsed(self) -> float:
        return self.executor.now() - self._begun

    def _refill(self) -> None:
        """Give every free worker a job: lost trials first, then promotions, then new ones."""
        jobs: list[Job] = []
        free = self.executor.n_workers - len(self._running)
        while self._again and free > len(jobs):
            jobs.append(self._job(self._again.pop(0)))
        while free > len(jobs):
            asked = self._asked(free - len(jobs), len(self._running) + len(jobs))
            if not asked:
                break
            self.journal.add(*asked)
            jobs += [self._job(event.number, is_new=event.proposal.resume is None) for event in asked]
        if jobs:
            self.journal.flush()
            for job in jobs:
                self._running.add(job.assignment.number)
                self.executor.submit(job)

    def _job(self, number: int, *, is_new: bool = False) -> Job:
        return job_of(self.journal.history(), number, is_new=is_new, is_random=self.is_random)

    def _asked(self, n: int, n_running: int) -> list[Asked]:
        """Return what to begin next: one promotion, or up to n proposals."""
        history = self.journal.log.history(sealed=True)
        if self.budget.is_spent(history, self._elapsed()):
            return []
        for number in self.scheduler.retire(history):
            self.journal.add(Ended(number, State.STOPPED, "not promoted", at=self._reading()))
            history = self.journal.log.history(sealed=True)
        promoted = self.scheduler.promote(history)
        if promoted is not None:
            return [asked_event(history, promoted, 0, self.scheduler)]
        room = self.budget.room(history, self._elapsed(), n_running)
        if not room and not self.strategy.resumes:
            return []
        events: list[Asked] = []
        resumed: set[int] = set()
        for proposal in self._proposals(history, n if self.strategy.resumes else min(n, room), room):
            if proposal.resume is None and room:
                room -= 1
                events.append(asked_event(history, proposal, len(events) - len(resumed), self.scheduler))
            elif proposal.resume is not None and proposal.resume not in resumed:
                resumed.add(proposal.resume)
                events.append(asked_event(history, proposal, 0, self.scheduler))
        return events

    def _proposals(self, history: History, n: int, room: int) -> list[Proposal]:
        """Return up to n proposals: those made ahead, which nothing has changed since, else the next ones."""
        if history.compared_at is not self._ahead_at:  # what was planned by the losses there may be another now
            self._ahead.clear()
            self._ahead_at = history.compared_at
        if not self._ahead:
            wanted = max(n, min(self.strategy.ahead(history), room))
            self._ahead.extend(self.strategy.ask(history, wanted)[:wanted])
        return [self._ahead.popleft() for _ in range(min(n, len(self._ahead)))]

    def _reading(self) -> float:
        """Return the clock's seconds since the study's beginning, over all runs."""
        return self._before + self._elapsed()

    def _handle(self, message: Message) -> None:
        number = message.number
        if isinstance(message, Reported):
            self.journal.add(Measured(number, message.measurement))
            history = self.journal.log.history(sealed=True)
            trial = history.trial(number)
            decision = self.scheduler.decide(history, trial, trial.measurements[-1])
            if decision is Decision.STOP:
                self._stopping.add(number)
            self.executor.answer(number, decision)
            return
        self._running.discard(number)
        if isinstance(message, Died):
            self._lost(message)
        elif isinstance(message, Failed):
            self._ended(Ended(number, State.FAILED, message.reason, details=message.details, at=self._reading()))
        elif isinstance(message, Done):
            stopped = number in self._stopping
            self._stopping.discard(number)
            self._ended(leg_end(self.journal.history(), number, self.scheduler, stopped=stopped, at=self._reading()))

    def _ended(self, event: Ended) -> None:
        """Note that a leg is over, and now and then delete what nobody needs."""
        self.journal.add(event)
        self._n_ended += 1
        if self.tidy is not None and self._n_ended % TIDY_EVERY == 0:
            self.tidy(self.journal.history())

    def _lost(self, message: Died) -> None:
        """Begin a trial again, or give it up."""
        number, reason = message.number, message.reason
        self._stopping.discard(number)
        self.journal.add(Lost(number, reason))
        if self.journal.history().trial(number).attempt >= MAX_ATTEMPTS:
            why = f"crashed: {reason}"
            self._ended(Ended(number, State.FAILED, why, details=message.details, at=self._reading()))
        elif not _ends_at_checkpoint(self.journal, number):
            job = self._job(number)
            self.journal.flush()
            self._running.add(number)
            self.executor.submit(job)

    def _put_back(self) -> None:
        """Mark what is in flight as interrupted, which is no crash."""
        for number in sorted({*self._running, *self._again}):
            self.journal.add(Lost(number, "interrupted", is_crash=False))
        self._running.clear()


def recover(journal: Journal) -> list[int]:
    """Return the trials in flight when the last engine ended; those that died too often fail.

    A trial that was put back in good order is not counted as lost.
    """
    again = []
    history = journal.history()
    put_back = _put_back_last(journal)
    for trial in history.trials(State.PENDING, State.RUNNING):
        if trial.number not in put_back:
            journal.add(Lost(trial.number, "the engine died"))
            if journal.history().trial(trial.number).attempt >= MAX_ATTEMPTS:
                journal.add(Ended(trial.number, State.FAILED, "crashed: the engine died with it twice"))
                continue
        if not _ends_at_checkpoint(journal, trial.number):
            again.append(trial.number)
    journal.flush()
    return again


def _ends_at_checkpoint(journal: Journal, number: int) -> bool:
    """End a lost leg whose last checkpoint is its end; return whether it was one."""
    trial = journal.history().trial(number)
    if trial.reached != trial.fidelity or trial.checkpoint is None or not trial.step:
        return False
    journal.add(leg_end(journal.history(), number, None, stopped=False))
    return True


def _put_back_last(journal: Journal) -> set[int]:
    """Return the trials whose last event is an interruption in good order."""
    last: dict[int, bool] = {}
    for event in journal.log.events():
        if isinstance(event, (Asked, Measured, Ended, Lost)):
            last[event.number] = isinstance(event, Lost) and not event.is_crash
    return {number for number, good in last.items() if good}


def asked_event(history: History, proposal: Proposal, offset: int, scheduler: Scheduler) -> Asked:
    """Return the event that begins a proposal, numbered after the trials of the history.

    Raises:
        RequirementError: It resumes a trial that is not paused, or not to a higher fidelity, or has
            parents that do not exist.
    """
    unknown = [parent for parent in proposal.parents if not 0 <= parent < history.n_trials]
    if unknown:
        raise RequirementError(f"parents are earlier trials, got {unknown} of {history.n_trials}; mend the strategy.")
    if proposal.resume is None:
        number = history.n_trials + offset
        return Asked(number, proposal, history.length, proposal.fidelity or scheduler.first(history, number))
    trial = history.trial(proposal.resume)
    fidelity = proposal.fidelity or _above(history.study, trial)
    if trial.state is not State.PAUSED or trial.fidelity.covers(fidelity):
        raise RequirementError(
            f"a paused trial is resumed to a higher fidelity, got trial {trial.number}, which is "
            f"{trial.state} at {trial.fidelity}, and {fidelity}; choose others."
        )
    return Asked(trial.number, proposal, history.length, fidelity)


def _above(study: Setting, trial: Trial) -> Fidelity:
    """Return the next rung over a trial's fidelity; the highest if it is on none."""
    higher = (r.fidelity for r in study.ladder if not trial.fidelity.covers(r.fidelity))
    return next(higher, study.ladder[-1].fidelity)


def leg_end(
    history: History, number: int, scheduler: Scheduler | None, *, stopped: bool, at: float | None = None
) -> Ended:
    """Return the event that ends a leg: finished at the top of the ladder, else paused.

    A trial that is stopped at the end of its leg has lost nothing, and counts as not stopped.
    """
    trial = history.trial(number)
    if stopped and trial.step < max(trial.fidelity.epochs, 1):
        predicted = {} if scheduler is None else scheduler.predict(history.sealed(), trial)
        return Ended(number, State.STOPPED, "stopped by the scheduler", predicted, at=at)
    if trial.reached != trial.fidelity:
        got = "nothing" if trial.reached is None else f"{trial.step}"
        reason = f"the estimator must measure to the end of the leg, step {trial.fidelity.epochs}; got {got}"
        return Ended(number, State.FAILED, reason, at=at)
    if not trial.fidelity.covers(history.study.ladder[-1].fidelity):
        return Ended(number, State.PAUSED, at=at)
    lacking = [o.metric for o in history.study.objectives if o.metric not in trial.metrics]
    if lacking and trial.architecture is not None:
        reason = f"the estimator must measure the objectives, got no {lacking[0]!r} but {sorted(trial.metrics)}"
        return Ended(number, State.FAILED, reason, at=at)
    return Ended(number, State.FINISHED, at=at)


def job_of(history: History, number: int, *, is_new: bool = False, is_random: bool = True) -> Job:
    """Return the job of a trial's current leg.

    It goes on after the last measurement if the target belongs to the same training, else anew.

    Args:
        history: Holds the trial.
        number: Its number.
        is_new: Whether it is known that nothing was measured yet.
        is_random: Whether its evaluation draws from the seed, which is 0 otherwise.
    """
    asked = history.asked(number)
    proposal, fidelity, start = asked.proposal, asked.fidelity, 0
    if not is_new:
        trial = history.trial(number)
        fidelity = trial.fidelity
        continues = (
            trial.reached is not None
            and fidelity.continues(trial.reached)
            and all(r.continues for r in history.study.ladder if r.fidelity == fidelity)
        )
        start = trial.step if continues else 0
    assignment = Assignment(
        number, proposal.architecture, fidelity, start, proposal.parents, proposal.edits, proposal.replicate
    )
    references = {}
    for other in (number, *proposal.parents) if history.has_checkpoints else ():
        checkpoint = history.trial(other).checkpoint
        if checkpoint is not None:
            references[other] = checkpoint
    return Job(assignment, evaluation_seed(history.study.seed, proposal) if is_random else 0, references)


def evaluation_seed(seed: int, proposal: Proposal) -> int:
    """Return the seed of an evaluation: of (study's seed, architecture, replicate), not of the number."""
    architecture = "space" if proposal.architecture is None else proposal.architecture.text
    text = f"{seed}|{architecture}|{proposal.replicate}"
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest(), "big")
