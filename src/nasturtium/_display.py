"""What a search shows while it runs and when it has ended.

On a terminal: a few lines that renew themselves, in a thread of Rich's, so that they go on while
the search waits for its workers. Elsewhere: a handful of plain lines.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from math import nan
from typing import TYPE_CHECKING, Any, final

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from nasturtium._evidence import results_of
from nasturtium.report import (
    baseline_text,
    baseline_verdict,
    component_name,
    counted,
    duration,
    front_table,
    hand_text,
    percent,
    seeds_text,
    title_of,
    value_text,
)
from nasturtium.trials import INFEASIBLE, State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from rich.console import RenderableType

    from nasturtium._complete import Outcome
    from nasturtium._study import Study
    from nasturtium.trials import History, Objective, Trial

PHASES = {
    "search": "search",
    "final": "final training",
    "evidence": "other seeds, a network made by hand",
    "baseline": "training your network",
    "export": "test and export",
}
"""The phases of a job in order, as they are called."""

LOOK_SECONDS = 0.25
"""The least time between two looks at the history; a look is a few milliseconds of the engine's."""


@final
@dataclass
class Seen:
    """What the last look at the running phase found; the display's thread reads it.

    Args:
        phase: Name of the phase.
        since: When the phase began, by ``time.monotonic``.
        states: Number of trials by state.
        best: The best finished trial of each objective of the search.
        n_begun: Trials that were over already when this run of the phase began.
    """

    phase: str
    since: float
    states: dict[State, int] = field(default_factory=dict)
    best: list[tuple[Objective, Trial]] = field(default_factory=list)
    n_begun: int = 0

    @property
    def n_over(self) -> int:
        """Trials that are over."""
        return sum(self.states.get(state, 0) for state in (State.FINISHED, State.STOPPED, State.FAILED))


@final
class Display:
    """Shows a job; a context manager around it, whose ``watch`` the job calls.

    Args:
        console: Where to.
        study: The search.
        begun: When the job began, by ``time.monotonic``.
        seconds: The whole job's time, or None.
        trials: Number of trials of the search, or None.
    """

    def __init__(
        self,
        console: Console,
        study: Study,
        *,
        begun: float,
        seconds: float | None,
        trials: int | None,
    ) -> None:
        self.console = console
        self.study = study
        self.begun = begun
        self.seconds = seconds
        self.trials = trials
        self._seen = Seen("search", time.monotonic())
        self._looked = 0.0
        self._n_final = 0
        self._phases: list[str] = []
        self._live: Live | None = None

    def __enter__(self) -> Display:
        """Say what is searched, and begin to show it."""
        self.console.print(headline(self.study), style="bold")
        self.console.print(Text(f"plan: {plan_text(self.study.created['plan'])}"))
        if self.console.is_terminal:
            self._live = Live(
                console=self.console,
                get_renderable=self.render,
                refresh_per_second=4,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take the lines away that renew themselves."""
        if self._live is not None:
            self._live.stop()

    def watch(self, phase: str, study: Study, history: History) -> None:
        """Take note of how far the job is; called by the engine after every round."""
        is_new = phase not in self._phases
        now = time.monotonic()
        if is_new:
            self._phases.append(phase)
            self._begin(phase, history, now)
        elif now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        if phase == "export":
            return
        states: dict[State, int] = {}
        for trial in history.trials():
            states[trial.state] = states.get(trial.state, 0) + 1
        self._seen.states = states
        if phase == "search":
            self._seen.best = best_trials(history)
        else:
            self._n_final = len(study.created["of"])

    def _begin(self, phase: str, history: History, now: float) -> None:
        # The first call of the search comes with its first message, so count from the job's begin.
        since = self.begun if phase == "search" and len(self._phases) == 1 else now
        n_over = len(history.completed) if phase != "export" else 0
        self._seen = Seen(phase, since, self._seen.states, self._seen.best, n_over)
        if not self.console.is_terminal:
            self.console.print(f"{duration(now - self.begun):>8}  {PHASES[phase]}")

    # -- on a terminal ---------------------------------------------------------------------------

    def render(self) -> RenderableType:
        """Return the lines as they are now; called by Rich's thread."""
        seen = self._seen
        now = time.monotonic()
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column()
        grid.add_row(Text(PHASES[seen.phase], style="bold cyan"), self._bar(seen, now))
        if seen.phase != "export":
            grid.add_row(Text("trials"), Text(states_text(seen.states, self._goal(seen))))
        for n_before, (objective, trial) in enumerate(seen.best):
            label = "" if n_before else "best so far"
            grid.add_row(Text(label), Text(best_text(objective, trial, self.study.objectives)))
        elapsed = clock(now - self.begun)
        grid.add_row(Text("time"), Text(elapsed + self._of_budget() + self._left(seen, now)))
        return Group(grid, Text("Ctrl-C stops; everything measured is kept and can be resumed.", style="dim"))

    def _goal(self, seen: Seen) -> int | None:
        return self.trials if seen.phase == "search" else self._n_final or None

    def _bar(self, seen: Seen, now: float) -> RenderableType:
        goal = self._goal(seen)
        if self.seconds is not None:
            return ProgressBar(total=self.seconds, completed=min(now - self.begun, self.seconds), width=40)
        if goal:
            return ProgressBar(total=goal, completed=min(seen.n_over, goal), width=40)
        return ProgressBar(total=None, pulse=True, width=40, animation_time=now)

    def _of_budget(self) -> str:
        return "" if self.seconds is None else f" of {clock(self.seconds)}"

    def _left(self, seen: Seen, now: float) -> str:
        """Return how long it will still take: the phase where trials are counted, else the job."""
        if self.seconds is not None:
            left = max(0.0, self.seconds - (now - self.begun))
            return f", {clock(left)} left"
        goal = self._goal(seen)
        done = seen.n_over - seen.n_begun
        if not goal or done < 1:
            return ""
        left = (now - seen.since) / done * max(0, goal - seen.n_over)
        return f", about {clock(left)} left in this phase"


def headline(study: Study) -> str:
    """Return what is searched, in one line."""
    created = study.created
    task = "no task" if created["task"] is None else created["task"]["name"]
    parts = [task, component_name(created["space"]), component_name(created["strategy"])]
    return f"{study.name}: {', '.join(parts)}, seed {created['seed']}"


def plan_text(plan: Mapping[str, Any]) -> str:
    """Return how a job is divided, in words.

    Args:
        plan: As the log has it.
    """
    whole = [] if plan["trials"] is None else [counted(plan["trials"], "trial")]
    whole += [] if plan["minutes"] is None else [duration(60 * plan["minutes"])]
    why = "" if plan["why"] == "as given" else f": {plan['why']}"
    return f"{', '.join(whole)} with {counted(plan['workers'], 'worker')}{why}"


def best_trials(history: History) -> list[tuple[Objective, Trial]]:
    """Return the best finished trial of each objective that meets the limits; each trial once."""
    losses = history.losses()
    front = [trial for trial in history.front() if losses[trial.number].max() < INFEASIBLE]
    found: dict[int, tuple[Objective, Trial]] = {}
    for objective in history.study.objectives if front else ():
        best = min(front, key=lambda t: (objective.loss(t.metrics.get(objective.metric, nan)), t.number))
        found.setdefault(best.number, (objective, best))
    return list(found.values())


def best_text(objective: Objective, trial: Trial, objectives: tuple[Objective, ...]) -> str:
    """Return a best trial in words: its own objective first."""
    ordered = [objective, *(o for o in objectives if o != objective)]
    metrics = trial.metrics
    values = [f"{title_of(o.metric)} {value_text(o.metric, metrics.get(o.metric, nan))}" for o in ordered]
    return f"{', '.join(values)} (trial {trial.number})"


def states_text(states: dict[State, int], goal: int | None) -> str:
    """Return the trials by state in words."""
    n_done = states.get(State.FINISHED, 0)
    parts = [f"{n_done} of {goal} finished" if goal else f"{n_done} finished"]
    running = states.get(State.RUNNING, 0) + states.get(State.PENDING, 0)
    parts += [f"{running} running"] * bool(running)
    others = (State.PAUSED, State.STOPPED, State.FAILED)
    parts += [f"{states[state]} {state}" for state in others if states.get(state)]
    return ", ".join(parts)


def clock(seconds: float) -> str:
    """Return a time as on a clock.

    Example:
        >>> clock(75), clock(3725)
        ('1:15', '1:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


# --- the end -------------------------------------------------------------------------------------


def print_outcome(console: Console, outcome: Outcome, storage: str) -> None:
    """Print what a job ends with: the front, where files are, how the time was spent.

    Args:
        console: Where to.
        outcome: What there is.
        storage: URL of the database.
    """
    study = outcome.study
    console.print()
    console.print(front_table(study.history, final=outcome.rows or None))
    console.print()
    failed = len(study.history.trials(State.FAILED))
    found = results_of(study.notes)
    facts = {
        "trials": states_text(_states(study.history), None) + (f"; see `nasturtium show {study.name}`" * bool(failed)),
        "limits": limits_text(study.history, study.created.get("rejected_share", 0.0)),
        "plan": plan_text(study.created["plan"]),
        "time": f"{duration(sum(outcome.seconds.values()))} ("
        + ", ".join(f"{PHASES[phase]} {duration(spent)}" for phase, spent in outcome.seconds.items())
        + ")",
        "winner": seeds_text(found.get("seeds_result"), outcome.rows),
        "by hand": hand_text(found.get("by_hand_result"), found.get("seeds_result"), outcome.rows),
        "too short": short_line(outcome),
        "your network": baseline_line(outcome),
        "files": None if outcome.out is None else f"{outcome.out}: report.html, front.json, a folder per network",
        "study": f"{study.name}, seed {study.history.study.seed}, in {storage}",
    }
    for name, fact in facts.items():
        if fact:
            console.print(Text(f"{name}: {fact}"), soft_wrap=True)
    print_problems(console, outcome.problems)


def baseline_line(outcome: Outcome) -> str | None:
    """Return what became of the user's own network; None without one."""
    baseline = results_of(outcome.study.notes).get("baseline_result")
    if baseline is None:
        return None
    return f"{baseline_text(baseline)} {baseline_verdict(baseline, outcome.rows)}"


def short_line(outcome: Outcome) -> str | None:
    """Return that no network came through the final training, if so; None where there is none to come through."""
    estimator = outcome.study.estimator
    if any(row.weights == "final" for row in outcome.rows) or not outcome.study.history.finished():
        return None
    if estimator is None or estimator.final(1) is None:
        return None
    if not outcome.rows:
        return "no final training ended in the time, and the search trained smaller stand-ins; raise --minutes"
    return "no final training ended in the time, so the networks have the weights of the search; raise --minutes"


def limits_text(history: History, rejected_share: float) -> str:
    """Return what the limits left: of random networks, and of the candidates; empty without limits.

    Args:
        history: The study.
        rejected_share: Share of random networks that break a limit on a cost.
    """
    parts = []
    if bounds := history.study.space.limits:
        bound = " and ".join(f"{metric} <= {value_text(metric, value)}" for metric, value in bounds)
        parts.append(f"{percent(1 - rejected_share)} of random networks have {bound}; all candidates do")
    for limit in history.study.limits:
        values = [t.metrics[limit.metric] for t in history.trials(State.FINISHED) if limit.metric in t.metrics]
        n = sum(value <= limit.bound for value in values)
        bound = f"{limit.metric} <= {value_text(limit.metric, limit.bound)}"
        parts.append(f"{n} of {counted(len(values), 'finished candidate')} have {bound}")
    return "; ".join(parts)


def print_problems(console: Console, problems: Mapping[str, str]) -> None:
    """Say which files an export could not write."""
    for file, reason in problems.items():
        console.print(Text(f"not written: {file}: {reason}", style="yellow"), soft_wrap=True)


def _states(history: History) -> dict[State, int]:
    states: dict[State, int] = {}
    for trial in history.trials():
        states[trial.state] = states.get(trial.state, 0) + 1
    return states
