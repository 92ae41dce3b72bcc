"""The loop: budgets, failures, interruptions, kills, legs, one-shot studies."""

from dataclasses import dataclass, replace

import pytest

from nasturtium.engine import Budget, Died, Journal, Loop, Workload
from nasturtium.engine._loop import evaluation_seed, job_of
from nasturtium.errors import LogMovedOn, RequirementError
from nasturtium.estimators import Estimator, Function
from nasturtium.schedulers import Fixed, Scheduler, SuccessiveHalving
from nasturtium.storage._memory import MemoryStorage
from nasturtium.strategies import RandomSearch, RegularizedEvolution, Strategy
from nasturtium.testing import ToyLearner, ToySupernet, ToyTwoStage
from nasturtium.testing._running import Juggler, Shelf, run, setting_of, snapshot, text_of
from nasturtium.testing._toys import small_table, table
from nasturtium.trials import (
    Asked,
    Decision,
    Ended,
    Fidelity,
    Log,
    Lost,
    Measured,
    Measurement,
    Note,
    Proposal,
    State,
    event_from_json,
    event_to_json,
)

TOY = table()
LEARNER = ToyLearner(TOY.metrics)


class Bench:
    """A study in a storage, on which one loop after the other runs."""

    def __init__(self, estimator=None, strategy=None, scheduler=None, seed=0):
        self.estimator = estimator or Function(TOY.metrics)
        self.strategy = strategy or RandomSearch()
        self.scheduler = scheduler or Fixed()
        self.setting = setting_of(TOY.space, self.estimator, seed=seed)
        self.storage = MemoryStorage()
        self.shelf = Shelf()

    def journal(self):
        """Return the journal of a process that has just started."""
        log = Log(self.setting)
        log.append(event_from_json(*event_to_json(e)) for e in self.storage.read("s"))
        return Journal(log, self.storage, "s")

    def run(self, budget, executor=None, watch=None):
        executor = executor or Juggler(1)
        executor.start(Workload(self.estimator, TOY.space, None, checkpoints=self.shelf))
        loop = Loop(self.journal(), self.strategy, self.scheduler, executor, budget, watch)
        loop.run()
        return self.history

    @property
    def history(self):
        """What is durable."""
        return self.journal().history()


def told(history):
    """Return what must not depend on interruptions: candidates and metrics by number."""
    return [
        (t.number, str(t.state), text_of([t.proposal]), [dict(m.metrics) for m in t.measurements])
        for t in history.trials()
    ]


# --- budgets -------------------------------------------------------------------------------------


def test_trials_are_numbered_from_0_and_end_in_order_with_one_worker():
    history = Bench().run(Budget(trials=7))
    assert [t.number for t in history.finished()] == list(range(7))
    assert list(history.completed) == list(range(7))


def test_everything_that_is_measured_is_durable():
    bench = Bench(LEARNER)
    journals = []
    bench.run(Budget(trials=3), watch=lambda history: journals.append(history))
    assert len(journals) >= 30
    assert snapshot(bench.history) == snapshot(journals[-1])


def test_a_budget_of_trials_counts_those_of_earlier_runs():
    bench = Bench()
    bench.run(Budget(trials=4))
    assert bench.run(Budget(trials=6)).n_trials == 6
    assert bench.run(Budget(trials=6)).n_trials == 6


def test_a_study_in_two_runs_equals_one_in_a_single_run():
    bench, other = (Bench(strategy=RegularizedEvolution.small()) for _ in range(2))
    bench.run(Budget(trials=13))
    bench.run(Budget(trials=40))
    other.run(Budget(trials=40))
    assert told(bench.history) == told(other.history)


def test_a_budget_of_seconds_is_of_the_executors_clock():
    # The juggler's clock counts messages: a trial of the learner has eleven.
    history = Bench(LEARNER).run(Budget(seconds=40))
    assert [str(t.state) for t in history.trials()] == ["finished"] * 3


def test_what_is_under_way_when_time_is_up_is_put_back_and_run_again():
    bench = Bench(LEARNER)
    bench.run(Budget(seconds=8), Juggler(2))
    assert {str(t.state) for t in bench.history.trials()} == {"pending"}
    history = bench.run(Budget(trials=2), Juggler(2))
    assert [str(t.state) for t in history.trials()] == ["finished"] * 2
    assert [t.attempt for t in history.trials()] == [0, 0]


def test_a_budget_of_epochs_ends_the_study():
    history = Bench(LEARNER).run(Budget(epochs=20))
    assert [t.step for t in history.trials()] == [9, 9, 9]


def test_a_budget_of_epochs_holds_for_promotions_too():
    history = Bench(LEARNER, scheduler=SuccessiveHalving()).run(Budget(epochs=10))
    assert sum(t.step for t in history.trials()) == 11
    assert sorted({t.step for t in history.trials()}) == [1, 3]


def test_a_strategy_with_nothing_left_ends_the_study():
    toy = small_table()
    assert run(RandomSearch(), toy.space, toy.metrics, trials=99).history().n_trials == 12


# --- candidates that fail ------------------------------------------------------------------------


def test_a_candidate_that_raises_has_failed_and_the_search_goes_on():
    def metrics(architecture):
        if architecture["layer_0"] == "a":
            raise ValueError("too\nlarge")
        return TOY.metrics(architecture)

    history = Bench(Function(metrics)).run(Budget(trials=40))
    failed = history.trials(State.FAILED)
    assert failed
    assert {t.reason for t in failed} == {"ValueError: too large"}
    assert {t.architecture["layer_0"] for t in failed} == {"a"}
    assert len(failed) + len(history.finished()) == 40


@dataclass(frozen=True)
class Ladderless(Estimator):
    measurements: tuple = ()

    def ladder(self):
        return LEARNER.ladder()

    def evaluate(self, assignment, context):
        yield from self.measurements


def test_an_estimator_that_measures_nothing_has_failed():
    trial = Bench(Ladderless()).run(Budget(trials=1)).trial(0)
    assert (trial.state, trial.reason) == (
        State.FAILED,
        "the estimator must measure to the end of the leg, step 9; got nothing",
    )


def test_an_estimator_that_ends_early_has_failed():
    trial = Bench(Ladderless((Measurement(0, {}),))).run(Budget(trials=1)).trial(0)
    assert (trial.state, trial.reason) == (
        State.FAILED,
        "the estimator must measure to the end of the leg, step 9; got 0",
    )


# --- stopping ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StopsAt(Scheduler):
    step: int

    def first(self, history, number):
        return history.study.ladder[-1].fidelity

    def decide(self, history, trial, measurement):
        assert history.trial(trial.number) == trial
        assert trial.measurements[-1] is measurement
        return Decision.STOP if measurement.step >= self.step else Decision.CONTINUE


def test_a_stopped_trial_measures_nothing_more():
    history = Bench(LEARNER, scheduler=StopsAt(4)).run(Budget(trials=3))
    assert [t.step for t in history.trials()] == [4, 4, 4]
    assert {t.state for t in history.trials()} == {State.STOPPED}
    assert {t.reason for t in history.trials()} == {"stopped by the scheduler"}


def test_a_trial_that_is_stopped_at_its_end_has_finished():
    history = Bench(LEARNER, scheduler=StopsAt(9)).run(Budget(trials=3))
    assert {t.state for t in history.trials()} == {State.FINISHED}


# --- workers that die ----------------------------------------------------------------------------


class Deadly(Juggler):
    """A juggler one of whose workers dies over a trial's measurement, a number of times."""

    def __init__(self, number, times, n_workers=1):
        super().__init__(n_workers)
        self.number, self.times = number, times
        self.seeds = []

    def submit(self, job):
        if job.assignment.number == self.number:
            self.seeds.append((job.seed, job.assignment))
        super().submit(job)

    def receive(self, timeout=None):
        messages = super().receive(timeout)
        for message in messages:
            is_victim = message.number == self.number and len(self.seeds) <= self.times
            if is_victim and getattr(message, "measurement", Measurement(0, {})).step == 3:
                self._waiting.pop(message.number).close()
                return (Died(message.number, "killed by SIGSEGV"),)
        return messages


@pytest.mark.parametrize("workers", [1, 3])
def test_a_trial_whose_worker_died_is_run_again_with_the_same_seed(workers):
    executor = Deadly(2, times=1, n_workers=workers)
    history = Bench(LEARNER).run(Budget(trials=6), executor)
    trial = history.trial(2)
    assert (trial.state, trial.attempt) == (State.FINISHED, 1)
    assert [m.step for m in trial.measurements] == list(range(10))
    assert len(executor.seeds) == 2
    assert executor.seeds[0] == executor.seeds[1]
    assert trial.metrics == Bench(LEARNER).run(Budget(trials=6)).trial(2).metrics


def test_a_trial_whose_worker_died_twice_has_failed():
    history = Bench(LEARNER).run(Budget(trials=6), Deadly(2, times=2))
    trial = history.trial(2)
    assert (trial.state, trial.reason) == (State.FAILED, "crashed: killed by SIGSEGV")
    assert len(history.finished()) == 5


# --- engines that die ----------------------------------------------------------------------------


class Killed(BaseException):
    """As sudden as kill -9."""


class Grave(MemoryStorage):
    """A storage that a killed process can't write to any more."""

    is_dead = False

    def append(self, study, events, after):
        if self.is_dead:
            raise Killed
        return super().append(study, events, after)


class Mortal(Juggler):
    """A juggler under which the whole process is killed at some message."""

    def __init__(self, storage, at, n_workers=1):
        super().__init__(n_workers)
        self.storage, self.at = storage, at

    def receive(self, timeout=None):
        if self.now() >= self.at:
            self.storage.is_dead = True
            raise Killed
        return super().receive(timeout)


def killed_and_resumed(bench, at, budget, workers=1):
    bench.storage = Grave()
    with pytest.raises(Killed):
        bench.run(budget, Mortal(bench.storage, at, workers))
    bench.storage.is_dead = False
    return bench.run(budget, Juggler(workers))


STUDIES = [
    (Function(TOY.metrics), RegularizedEvolution(4, 2), Fixed(), 20),
    (LEARNER, RegularizedEvolution(4, 2), Fixed(), 7),
    (LEARNER, RandomSearch(), SuccessiveHalving(bracket=4, eta=2), 8),
    (ToySupernet(TOY.metrics), ToyTwoStage(), Fixed(), 15),
]


@pytest.mark.parametrize(("estimator", "strategy", "scheduler", "trials"), STUDIES)
def test_a_study_that_was_killed_goes_on_as_if_it_had_not_been(estimator, strategy, scheduler, trials):
    whole = Bench(estimator, strategy, scheduler).run(Budget(trials=trials))
    assert whole.n_trials == trials
    n_messages = sum(len(t.measurements) for t in whole.trials()) + trials
    for at in range(0, n_messages, 3):
        bench = Bench(estimator, strategy, scheduler)
        history = killed_and_resumed(bench, at, Budget(trials=trials))
        assert told(history) == told(whole), f"killed at message {at}"
        assert list(history.completed) == list(whole.completed)


@pytest.mark.parametrize("at", [0, 1, 2, 5, 17, 40])
def test_with_several_workers_every_trial_is_there_once_after_a_kill(at):
    bench = Bench(LEARNER, RegularizedEvolution(4, 2))
    history = killed_and_resumed(bench, at, Budget(trials=9), workers=3)
    assert [t.number for t in history.trials()] == list(range(9))
    assert len(history.finished()) == 9
    assert max(t.attempt for t in history.trials()) == 1


def test_a_trial_with_which_the_engine_died_twice_has_failed():
    bench = Bench(LEARNER)
    bench.storage = Grave()
    for _ in range(2):
        bench.storage.is_dead = False
        with pytest.raises(Killed):
            bench.run(Budget(trials=3), Mortal(bench.storage, 4))
    bench.storage.is_dead = False
    history = bench.run(Budget(trials=3))
    assert history.trial(0).state is State.FAILED
    assert history.trial(0).reason == "crashed: the engine died with it twice"
    assert len(history.finished()) == 2


class Interrupted(Juggler):
    """A juggler at whose fifth message the user presses Ctrl-C."""

    def receive(self, timeout=None):
        if self.now() == 5:
            raise KeyboardInterrupt
        return super().receive(timeout)


def test_an_interruption_puts_back_what_is_under_way_and_is_no_crash():
    bench = Bench(LEARNER)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            bench.run(Budget(trials=4), Interrupted(2))
        assert {str(t.state) for t in bench.history.trials()} == {"pending"}
    history = bench.run(Budget(trials=4))
    assert told(history) == told(Bench(LEARNER).run(Budget(trials=4)))
    assert {t.attempt for t in history.trials()} == {0}


def test_another_writer_ends_the_loop():
    bench = Bench()

    def intrude(history):
        bench.storage.append("s", [Note("intruder", {})], len(bench.storage.read("s")))

    with pytest.raises(LogMovedOn):
        bench.run(Budget(trials=5), watch=intrude)


# --- strategies that do odd things ---------------------------------------------------------------


@dataclass(frozen=True)
class Proposes(Strategy):
    """Proposes what a function says."""

    function: object

    def ask(self, history, n):
        return self.function(history, n)


class Resumes(Proposes):
    resumes = True


def test_proposals_beyond_the_number_asked_for_are_left_out():
    strategy = Proposes(lambda history, n: RandomSearch().ask(history, n + 5))
    assert Bench(strategy=strategy).run(Budget(trials=3)).n_trials == 3


class PlansAhead(Proposes):
    def ahead(self, history):
        return 6


def test_what_was_proposed_ahead_is_dropped_once_losses_are_compared_elsewhere():
    def ask(history, n):
        at = history.compared_at
        found = RandomSearch().ask(history, n)
        return [replace(proposal, attributes={"at": 0 if at is None else at.epochs}) for proposal in found]

    history = Bench(LEARNER, PlansAhead(ask), SuccessiveHalving(bracket=2, eta=2)).run(Budget(trials=6))
    seen = [history.before(trial.asked_at).compared_at for trial in history.trials()]
    assert [trial.proposal.attributes["at"] for trial in history.trials()] == [
        0 if at is None else at.epochs for at in seen
    ]
    assert len(set(seen)) > 1


def test_unknown_parents_are_refused_before_anything_is_written():
    strategy = Proposes(lambda history, n: [replace(RandomSearch().ask(history, 1)[0], parents=(history.n_trials,))])
    bench = Bench(strategy=strategy)
    with pytest.raises(RequirementError, match=r"parents are earlier trials, got \[0\] of 0"):
        bench.run(Budget(trials=3))
    assert bench.history.n_trials == 0


def test_a_strategy_may_resume_a_trial_it_has_begun_cheaply():
    def ask(history, n):
        paused = history.trials(State.PAUSED)
        if paused:
            return [Proposal(paused[0].architecture, resume=paused[0].number)]
        cheap = LEARNER.ladder()[0].fidelity
        return [replace(RandomSearch().ask(history, 1)[0], fidelity=cheap)]

    bench = Bench(LEARNER, Resumes(ask))
    history = bench.run(Budget(trials=3))
    assert [t.step for t in history.trials()] == [9, 9, 9]
    legs = [e.fidelity.epochs for e in bench.storage.read("s") if isinstance(e, Asked)]
    assert legs == [1, 3, 9] * 3
    whole = Bench(LEARNER).run(Budget(trials=3))
    assert [t.metrics for t in history.trials()] == [t.metrics for t in whole.trials()]


@pytest.mark.parametrize("fidelity", [None, Fidelity(1, schedule=9)])
def test_only_a_paused_trial_is_resumed_and_only_upwards(fidelity):
    def ask(history, n):
        if not history.n_trials:
            return RandomSearch().ask(history, 1)
        return [Proposal(history.architecture(0), resume=0, fidelity=fidelity)]

    scheduler = Fixed() if fidelity is None else SuccessiveHalving()
    bench = Bench(LEARNER, Proposes(ask), scheduler)
    with pytest.raises(RequirementError, match="a paused trial is resumed to a higher fidelity"):
        bench.run(Budget(trials=3))
    assert bench.history.n_trials == 1


# --- one-shot ------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3])
def test_trial_0_trains_the_space_and_later_trials_read_its_checkpoint(workers):
    bench = Bench(ToySupernet(TOY.metrics), ToyTwoStage())
    history = bench.run(Budget(trials=20), Juggler(workers))
    first, *others = history.trials()
    assert (first.architecture, first.state) == (None, State.FINISHED)
    assert first.checkpoint is not None
    assert all(t.parents == (0,) and t.architecture is not None for t in others)
    assert all(m.note is None for t in others for m in t.measurements)
    # What the shared weights say is not what an architecture alone gives, but near it.
    gaps = [t.metrics["loss"] - TOY.metrics(t.architecture)["loss"] for t in others]
    assert any(abs(gap) > 1e-6 for gap in gaps)
    assert max(map(abs, gaps)) < 0.3


def test_nothing_else_is_proposed_before_the_space_is_trained():
    bench = Bench(ToySupernet(TOY.metrics), ToyTwoStage())
    bench.run(Budget(trials=20), Juggler(3))
    events = bench.storage.read("s")
    assert [type(e) for e in events[:4]] == [Asked, Measured, Ended, Asked]


def test_a_space_that_can_not_be_trained_ends_the_study():
    def fails(architecture):
        raise ValueError("no data")

    bench = Bench(ToySupernet(fails), ToyTwoStage())
    history = bench.run(Budget(trials=20))
    assert [t.state for t in history.trials()] == [State.FAILED]


# --- seeds ---------------------------------------------------------------------------------------


def test_the_seed_of_an_evaluation_is_of_study_architecture_and_replicate():
    a, b = (TOY.space.sample(_rng(seed)) for seed in (0, 1))
    seeds = [
        evaluation_seed(0, Proposal(a)),
        evaluation_seed(1, Proposal(a)),
        evaluation_seed(0, Proposal(b)),
        evaluation_seed(0, Proposal(None)),
        evaluation_seed(0, Proposal(a, replicate=1)),
    ]
    assert len(set(seeds)) == 5
    assert evaluation_seed(0, Proposal(a, parents=(3,), attributes={"x": 1})) == seeds[0]
    assert all(0 <= seed < 2**56 for seed in seeds)


def test_no_seed_is_derived_for_what_is_not_random():
    log = Log(setting_of(TOY.space, seed=3))
    log.append([Asked(0, Proposal(TOY.space.sample(_rng(0))), 1, Fidelity())])
    assert job_of(log.history(), 0).seed == evaluation_seed(3, log.history().trial(0).proposal)
    assert job_of(log.history(), 0, is_random=False).seed == 0


def _rng(seed):
    import numpy as np

    return np.random.default_rng(seed)


def test_a_lost_leg_leaves_its_trace_in_the_log():
    bench = Bench(LEARNER)
    bench.run(Budget(trials=3), Deadly(1, times=1))
    lost = [event for event in bench.storage.read("s") if isinstance(event, Lost)]
    assert lost == [Lost(1, "killed by SIGSEGV")]
