"""What a history says after each kind of event, and that it never changes."""

from math import inf, isnan, nan

import numpy as np
import pytest

from nasturtium.errors import StorageError, UsageError
from nasturtium.spaces import Architecture, choice, decisions
from nasturtium.trials import (
    INFEASIBLE,
    Asked,
    Ended,
    Fidelity,
    Limit,
    Log,
    Lost,
    Measured,
    Measurement,
    Note,
    Objective,
    PriorTrial,
    Proposal,
    Rung,
    Setting,
    State,
)

SPACE = decisions(x=choice(*range(20)))
NOTHING, LOW, HIGH = Fidelity(), Fidelity(1, schedule=3), Fidelity(3)


def a(x):
    return Architecture({"x": x})


def log_of(*events, objectives=("loss",), limits=(), memoize=True):
    setting = Setting(SPACE, tuple(Objective(o) for o in objectives), limits)
    log = Log(setting, memoize=memoize)
    log.append(events)
    return log


def asked(number, fidelity=NOTHING, **proposal):
    return Asked(number, Proposal(a(number), **proposal), 0, fidelity)


def measured(number, step=0, **metrics):
    return Measured(number, Measurement(step, metrics))


def ended(number, state=State.FINISHED, reason=None):
    return Ended(number, state, reason)


def one(number, loss):
    return asked(number), measured(number, loss=loss), ended(number)


# --- states --------------------------------------------------------------------------------------


def test_a_trial_goes_from_pending_to_running_to_finished():
    log = log_of(asked(0))
    states = [log.history().trial(0).state]
    log.append([measured(0, loss=1.0)])
    states.append(log.history().trial(0).state)
    log.append([ended(0)])
    states.append(log.history().trial(0).state)
    assert states == [State.PENDING, State.RUNNING, State.FINISHED]


def test_counts_of_trials_that_are_under_way():
    log = log_of(asked(0), asked(1), asked(2), measured(1, loss=1.0), ended(1, State.PAUSED))
    history = log.history()
    assert (history.n_trials, history.n_under_way) == (3, 2)
    log.append([ended(0, State.FAILED), Asked(1, Proposal(a(1), resume=1), 0, HIGH)])
    history = log.history()
    assert (history.n_trials, history.n_under_way) == (3, 2)
    log.append([ended(2), ended(1, State.PAUSED), ended(1, State.STOPPED)])
    assert log.history().n_under_way == 0


def test_trials_are_completed_in_the_order_in_which_they_end():
    log = log_of(asked(0), asked(1), asked(2), ended(2), ended(0, State.FAILED), ended(1))
    assert list(log.history().completed) == [2, 0, 1]
    assert [t.number for t in log.history().finished()] == [2, 1]
    assert [t.number for t in log.history().trials(State.FAILED)] == [0]
    assert [t.number for t in log.history().trials()] == [0, 1, 2]


def test_a_lost_leg_is_forgotten_and_the_earlier_ones_are_kept():
    leg = [asked(0, LOW), measured(0, 0, params=5), measured(0, 1, loss=0.5), ended(0, State.PAUSED)]
    log = log_of(*leg, Asked(0, Proposal(a(0), resume=0), 0, HIGH), measured(0, 2, loss=0.3))
    log.append([Lost(0, "killed by SIGKILL")])
    trial = log.history().trial(0)
    assert [m.step for m in trial.measurements] == [0, 1]
    assert (trial.state, trial.attempt, trial.fidelity) == (State.RUNNING, 1, HIGH)
    log.append([Lost(0, "interrupted", is_crash=False)])
    assert log.history().trial(0).attempt == 1


def test_a_trial_lost_in_its_first_leg_is_pending_again():
    log = log_of(asked(0), measured(0, loss=0.5), Lost(0, "interrupted", is_crash=False))
    trial = log.history().trial(0)
    assert (trial.state, trial.measurements, trial.attempt) == (State.PENDING, (), 0)


def test_what_came_before_a_checkpoint_is_kept_and_starts_the_count_of_losses_anew():
    def saved(step, reference):
        return Measured(0, Measurement(step, {"loss": 1 / (1 + step)}, checkpoint=reference))

    log = log_of(asked(0, HIGH), measured(0, 0), saved(1, "one"), measured(0, 2, loss=0.3))
    log.append([Lost(0, "killed")])
    assert [m.step for m in log.history().trial(0).measurements] == [0, 1]
    assert log.history().trial(0).attempt == 1
    log.append([measured(0, 2, loss=0.3), Lost(0, "killed")])
    assert log.history().trial(0).attempt == 2
    log.append([saved(2, "two"), Lost(0, "killed")])
    trial = log.history().trial(0)
    assert (trial.step, trial.attempt, trial.checkpoint) == (2, 1, "two")


def test_epochs_are_counted_over_all_legs():
    leg = [asked(0, LOW), measured(0, 0), measured(0, 1, loss=0.5), ended(0, State.PAUSED)]
    log = log_of(*leg, asked(1, HIGH), measured(1, 0), measured(1, 2, loss=0.5))
    assert log.history().n_epochs == 3
    log.append([Lost(1, "killed"), Asked(0, Proposal(a(0), resume=0), 0, HIGH), measured(0, 0)])
    assert log.history().n_epochs == 1
    log.append([measured(0, 3, loss=0.4), ended(0)])
    assert log.history().n_epochs == 4
    assert log.history().before(3).n_epochs == 1


def test_notes_change_nothing():
    log = log_of(Note("created", {}), *one(0, 0.5), Note("tested", {"trial": 0}))
    assert log.history().n_trials == 1
    assert len(log) == 5


def test_trials_are_numbered_in_order():
    with pytest.raises(StorageError, match="got 2 after 1"):
        log_of(asked(0), asked(2))


@pytest.mark.parametrize("number", [-1, 1])
def test_an_unknown_trial_is_refused(number):
    with pytest.raises(UsageError, match=rf"is in \[0, 1\), got {number}"):
        log_of(asked(0)).history().trial(number)


# --- views ---------------------------------------------------------------------------------------


def test_a_history_does_not_change_when_the_log_grows():
    log = log_of(*one(0, 0.5), asked(1))
    history = log.history()
    before = history.trials(), history.losses().tolist(), list(history.completed)
    log.append([measured(1, loss=0.1), ended(1), *one(2, 0.2)])
    assert (history.trials(), history.losses().tolist()[:1], list(history.completed)) == (
        before[0],
        before[1][:1],
        before[2],
    )
    assert history.n_trials == 2
    assert isnan(history.losses()[1, 0])


def test_losses_that_were_handed_out_do_not_change():
    log = log_of(*one(0, 0.5), asked(1))
    losses = log.history().losses()
    log.append([measured(1, loss=0.1), ended(1)])
    assert log.history().losses()[:, 0].tolist() == [0.5, 0.1]
    assert losses[0, 0] == 0.5
    assert isnan(losses[1, 0])
    with pytest.raises(ValueError, match="read-only"):
        losses[0, 0] = 0.0


def test_an_earlier_history_is_as_it_was():
    log = log_of(*one(0, 0.5), *one(1, 0.4), *one(2, 0.3))
    for length in range(len(log) + 1):
        early = log.history().before(length)
        assert early.n_trials == -(-length // 3)
        assert len(early.completed) == length // 3
        assert early.length == length
    assert log.history(4).before(3).n_trials == 1


@pytest.mark.parametrize("length", [-1, 4])
def test_a_history_is_no_longer_than_its_log(length):
    with pytest.raises(UsageError, match="length"):
        log_of(*one(0, 0.5)).history().before(length)
    with pytest.raises(UsageError, match="length"):
        log_of(*one(0, 0.5)).history(length)


def test_a_sealed_history_hides_the_report():
    log = log_of(asked(0), Measured(0, Measurement(0, {"loss": 0.5, "test_error": 0.1})), ended(0))
    history = log.history()
    assert history.trial(0).report == {"test_error": 0.1}
    for sealed in (history.sealed(), history.sealed().before(3), log.history(sealed=True)):
        assert sealed.trial(0).report == {}
        assert sealed.trials()[0].report == sealed.finished()[0].report == sealed.front()[0].report
        assert isnan(sealed.losses([Objective("test_error")])[0, 0])
        seen = sealed.fold("report", dict, lambda state, trial: {**state, **trial.report})
        assert seen == {}
    assert history.fold("report", dict, lambda state, trial: {**state, **trial.report})


def test_completed_is_a_sequence_that_stays_as_it_is():
    log = log_of(*one(0, 0.5), *one(1, 0.4), *one(2, 0.3))
    completed = log.history().completed
    log.append(one(3, 0.2))
    assert list(completed) == [0, 1, 2]
    assert (completed[0], completed[-1], len(completed), 1 in completed, 3 in completed) == (0, 2, 3, True, False)
    assert [completed[-2:], completed[:1], completed[::-1], completed[5:]] == [[1, 2], [0], [2, 1, 0], []]
    with pytest.raises(IndexError):
        completed[3]


# --- losses --------------------------------------------------------------------------------------


def test_losses_are_rows_by_trial_and_columns_by_objective():
    log = log_of(asked(0), measured(0, loss=0.5, params=10), asked(1), objectives=("loss", "params"))
    assert log.history().losses().shape == (2, 2)
    assert log.history().losses([Objective("params", maximize=True)]).shape == (2, 1)


def test_losses_are_of_the_highest_fidelity_that_was_reached():
    low = [asked(0, LOW), measured(0, 0, params=5), measured(0, 1, loss=0.5), ended(0, State.PAUSED)]
    log = log_of(*low, asked(1, LOW), measured(1, 1, loss=0.4), ended(1, State.PAUSED))
    assert log.history().losses()[:, 0].tolist() == [0.5, 0.4]
    log.append([Asked(1, Proposal(a(1), resume=1), 0, HIGH), measured(1, 3, loss=0.6)])
    log.append([ended(1)])
    losses = log.history().losses()[:, 0]
    assert isnan(losses[0])
    assert losses[1] == 0.6
    assert log.history().losses(at=LOW)[:, 0].tolist() == [0.5, 0.4]
    costs = log.history().losses([Objective("params")], at=LOW)[:, 0]
    assert costs[0] == 5
    assert isnan(costs[1])


def test_a_step_of_another_schedule_is_not_comparable():
    log = log_of(asked(0, HIGH), measured(0, 1, loss=0.7), measured(0, 3, loss=0.2), ended(0))
    log.append([asked(1, Fidelity(1)), measured(1, 1, loss=0.9), ended(1, State.PAUSED)])
    assert log.history().losses(at=LOW)[0, 0] == 0.7
    assert isnan(log.history().losses(at=LOW)[1, 0])
    assert isnan(log.history().losses(at=Fidelity(1))[0, 0])


def test_failed_trials_and_unknown_or_infinite_values_have_no_loss():
    events = [*one(0, nan), *one(1, inf), *one(2, -inf), asked(3), measured(3, size=1), ended(3)]
    events += [asked(4), measured(4, loss=0.1), ended(4, State.FAILED, "died"), asked(5)]
    assert np.isnan(log_of(*events).history().losses()).all()


def test_a_violated_limit_is_worse_than_any_loss_and_the_worse_the_more():
    limits = (Limit("latency_ms", 10.0),)
    events = []
    for number, latency in enumerate([5.0, 10.0, 11.0, 20.0]):
        events += [asked(number), measured(number, loss=0.5, latency_ms=latency), ended(number)]
    events += [asked(4), measured(4, loss=0.5), ended(4)]
    log = log_of(*events, limits=limits, objectives=("loss", "latency_ms"))
    losses = log.history().losses()
    assert losses[:2, 0].tolist() == [0.5, 0.5]
    assert (losses[2:4] >= INFEASIBLE).all()
    assert losses[3, 0] > losses[2, 0]
    assert np.isnan(losses[4]).all()  # nobody knows whether it meets the limit
    assert [t.number for t in log.history().front()] == [0]


def test_losses_do_not_depend_on_when_they_are_asked_for():
    log = log_of()
    events = [asked(0, LOW), asked(1, HIGH), measured(0, 1, loss=0.5), ended(0, State.PAUSED)]
    events += [measured(1, 1, loss=0.4), Lost(1, "x"), measured(1, 1, loss=0.6)]
    events += [measured(1, 3, loss=0.3), ended(1), Asked(0, Proposal(a(0), resume=0), 0, HIGH)]
    events += [measured(0, 3, loss=0.2), ended(0), asked(2), ended(2, State.FAILED)]
    for event in events:
        log.append([event])
        fresh = log_of(*log.events())
        for at in (None, LOW, HIGH):
            np.testing.assert_array_equal(log.history().losses(at=at), fresh.history().losses(at=at))


def test_a_stopped_trial_has_the_values_that_were_predicted_for_it():
    log = log_of(asked(0, HIGH), measured(0, 3, loss=0.4), ended(0))
    log.append([asked(1, HIGH), measured(1, 1, loss=0.9)])
    log.append([Ended(1, State.STOPPED, "stopped by the scheduler", {"loss": 0.7})])
    assert log.history().losses()[:, 0].tolist() == [0.4, 0.7]
    assert log.history().losses(at=LOW)[1, 0] == 0.9


def test_a_failed_trial_keeps_what_it_measured_at_lower_rungs():
    log = log_of(asked(0, HIGH), measured(0, 3, loss=0.4), ended(0))
    log.append([asked(1, HIGH), measured(1, 1, loss=0.9), ended(1, State.FAILED, "died")])
    assert isnan(log.history().losses()[1, 0])
    assert log.history().losses(at=LOW)[1, 0] == 0.9


def test_a_trial_of_the_whole_space_has_no_loss():
    log = log_of(Asked(0, Proposal(None), 0, NOTHING), measured(0, loss=0.1), ended(0), *one(1, 0.5))
    assert isnan(log.history().losses()[0, 0])
    assert [t.number for t in log.history().front()] == [1]


# --- front ---------------------------------------------------------------------------------------


def test_the_front_holds_finished_trials_that_none_dominates():
    events = []
    for number, (loss, params) in enumerate([(0.3, 5), (0.1, 9), (0.2, 9), (0.5, 1)]):
        events += [asked(number), measured(number, loss=loss, params=params), ended(number)]
    events += [asked(4), measured(4, loss=0.0, params=0), ended(4, State.STOPPED)]
    log = log_of(*events, objectives=("loss", "params"))
    assert [t.number for t in log.history().front()] == [1, 0, 3]
    assert [t.number for t in log.history().front([Objective("loss", maximize=True)])] == [3]


def test_the_front_of_nothing_is_empty():
    assert log_of().history().front() == []
    assert log_of(asked(0)).history().front() == []
    assert log_of(*one(0, nan)).history().front() == []


def test_before_any_has_finished_those_paused_highest_stand_in():
    setting = Setting(SPACE, (Objective("loss"),), ladder=(Rung(LOW, 1 / 3), Rung(HIGH)))
    log = Log(setting)
    log.append([asked(0, LOW), measured(0, 1, loss=0.5), ended(0, State.PAUSED)])
    log.append([asked(1, LOW), measured(1, 1, loss=0.4), ended(1, State.PAUSED)])
    assert [t.number for t in log.history().front()] == [1]
    log.append([Asked(0, Proposal(a(0), resume=0), 0, HIGH), measured(0, 3, loss=0.6), ended(0)])
    assert [t.number for t in log.history().front()] == [0]


def test_trials_that_violate_a_limit_are_on_no_front():
    events = [asked(0), measured(0, loss=0.1, latency_ms=20.0), ended(0)]
    assert log_of(*events, limits=(Limit("latency_ms", 10.0),)).history().front() == []


# --- fold ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("memoize", [True, False])
def test_a_fold_goes_over_completed_trials_in_their_order(memoize):
    log = log_of(asked(0), asked(1), asked(2), ended(2), ended(0), memoize=memoize)

    def numbers():
        return log.history().fold("numbers", tuple, lambda state, trial: (*state, trial.number))

    assert numbers() == (2, 0)
    log.append([ended(1)])
    assert numbers() == (2, 0, 1)


def test_a_fold_takes_each_trial_once():
    taken = []

    def step(state, trial):
        taken.append(trial.number)
        return state + 1

    log = log_of(*one(0, 0.5), *one(1, 0.4))
    assert log.history().fold("n", int, step) == 2
    assert log.history().fold("n", int, step) == 2
    log.append(one(2, 0.3))
    assert log.history().fold("n", int, step) == 3
    assert taken == [0, 1, 2]


def test_a_fold_of_an_earlier_history_begins_anew_and_spoils_nothing():
    log = log_of(*one(0, 0.5), *one(1, 0.4), *one(2, 0.3))
    history = log.history()

    def count(view):
        return view.fold("n", int, lambda state, trial: state + 1)

    assert (count(history), count(history.before(3)), count(history)) == (3, 1, 3)
    assert count(history.before(0)) == 0


@pytest.mark.parametrize("memoize", [True, False])
def test_steps_fewer_than_trials_are_taken_once_each(memoize):
    log = log_of(memoize=memoize)
    taken = []

    def blocks():
        def step(state, i):
            taken.append(i)
            return (*state, log.history().losses()[2 * i : 2 * i + 2, 0].sum())

        return log.history().iterate("blocks", log.history().n_settled // 2, tuple, step)

    assert blocks() == ()
    log.append([*one(0, 0.5), *one(1, 0.25), *one(2, 0.125)])
    assert blocks() == blocks() == (0.75,)
    log.append(one(3, 0.125))
    assert blocks() == (0.75, 0.25)
    assert taken == ([0, 1] if memoize else [0, 0, 0, 1])


def test_settled_are_the_trials_before_the_first_that_goes_on():
    log = log_of(asked(0), asked(1), asked(2))
    counts = []
    for event in (ended(1), ended(0, State.PAUSED), ended(0, State.STOPPED), ended(2, State.FAILED)):
        log.append([event])
        counts.append(log.history().n_settled)
    assert counts == [0, 0, 2, 3]


def test_a_fold_without_the_memo_gives_the_same():
    step = lambda state, trial: (*state, trial.metrics["loss"])  # noqa: E731
    events = [*one(0, 0.5), *one(1, 0.4)]
    kept, fresh = log_of(*events), log_of(*events, memoize=False)
    for _ in range(2):
        assert kept.history().fold("x", tuple, step) == fresh.history().fold("x", tuple, step)


# --- candidates ----------------------------------------------------------------------------------


def test_what_was_asked_for_has_been_seen_pending_or_not():
    log = log_of(*one(0, 0.5), asked(1), Asked(2, Proposal(None), 0, Fidelity()))
    history = log.history()
    assert [history.seen(a(x)) for x in range(3)] == [True, True, False]
    assert not history.before(3).seen(a(1))
    assert len(history.identities) == 2
    assert history.architecture(2) is None


def test_prior_results_are_no_trials():
    prior = [PriorTrial(a(7), {"loss": 0.1}, "digits", Fidelity())]
    log = Log(Setting(SPACE, (Objective("loss"),)), prior=prior)
    assert log.history().prior == tuple(prior)
    assert log.history().n_trials == 0
    assert not log.history().seen(a(7))


def test_to_frame_has_a_row_a_trial():
    pd = pytest.importorskip("pandas")
    log = log_of(*one(0, 0.5), asked(1))
    frame = log.history().to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert frame["x"].tolist() == [0, 1]
    assert frame["state"].tolist() == ["finished", "pending"]
    assert frame["loss"][0] == 0.5
