"""The controller: a function of the completed trials in their order, cheap, the same in every process."""

import time

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.policies import LSTM, Logits
from nasturtium.spaces import NASNet, choice, decisions
from nasturtium.strategies import PPO, Chebyshev, QLearning, Reinforce, check_fit
from nasturtium.strategies._controller import N_PAST, learned
from nasturtium.testing import Shapes
from nasturtium.testing._processes import elsewhere
from nasturtium.testing._running import events_of, run, setting_of, text_of, told
from nasturtium.testing._toys import table
from nasturtium.trials import Asked, Ended, Log, Measured, Measurement, Proposal, State

STRATEGIES = {
    "reinforce": Reinforce(batch_size=3, learning_rate=0.02),
    "reinforce of nas-bench-201": Reinforce.nasbench201(),
    "ppo": PPO(LSTM(units=10, layers=1), batch_size=5, learning_rate=0.02),
}
LENGTHS = (1, 10, 99, 100, 101)


def strategy_of(name):
    return STRATEGIES[name]


def study_log(name, trials=101):
    toy = table()
    return run(strategy_of(name), toy.space, toy.metrics, trials=trials, workers=2)


# --- resuming ------------------------------------------------------------------------------------


def proposals_at(name, lengths):
    """Return what a fresh strategy proposes after some numbers of asked trials."""
    log = study_log(name)
    asked = [i for i, event in enumerate(log.events()) if isinstance(event, Asked)]
    return [text_of(strategy_of(name).ask(log.history(asked[n - 1] + 1).sealed(), 2)) for n in lengths]


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_fresh_object_in_another_process_proposes_the_same(name):
    assert elsewhere(proposals_at, name, LENGTHS) == proposals_at(name, LENGTHS)


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_running_strategy_proposed_what_a_fresh_one_does(name):
    log = study_log(name)
    for event in log.events():
        if isinstance(event, Asked) and event.number in (*LENGTHS, 100):
            history = log.history(event.asked_at).sealed()
            number = event.number - history.n_trials
            assert text_of([strategy_of(name).ask(history, number + 1)[number]]) == text_of([event.proposal])


# --- what teaches --------------------------------------------------------------------------------


def fed(losses, strategy, space=None):
    """Return the controller after trials of the strategy's own with these outcomes, one after the other."""
    log = Log(setting_of(space or table().space))
    fidelity = log.study.ladder[-1].fidelity
    for number, outcome in enumerate(losses):
        proposal = strategy.ask(log.history(), 1)[0]
        log.append(events_of(number, proposal, outcome, len(log), fidelity))
    return log, learned(log.history(), strategy)


def test_parameters_change_with_each_full_batch():
    strategy = Reinforce(Logits(), batch_size=4)
    counts = [fed([{"loss": 0.1 * n} for n in range(k)], strategy)[1].n_updates for k in range(10)]
    assert counts == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]


def test_a_failed_trial_gets_the_worst_reward_so_far():
    strategy = Reinforce(Logits(), batch_size=2, reward="accuracy")
    outcomes = [{"loss": 0.9}, {"loss": 0.2}, {"loss": 0.3}, "died"]
    failed = fed(outcomes, strategy)[1]
    told_worst = fed([*outcomes[:3], {"loss": 0.9}], strategy)[1]
    assert failed.worst == pytest.approx(0.1)
    assert {k: v.tolist() for k, v in failed.weights.arrays.items()} == {
        k: v.tolist() for k, v in told_worst.weights.arrays.items()
    }


def test_failures_before_any_success_teach_nothing():
    controller = fed(["died"] * 4, Reinforce(Logits(), batch_size=2))[1]
    assert (controller.n_updates, dict(controller.weights.arrays)) == (2, {})


def test_trials_that_it_did_not_propose_teach_nothing():
    space = table().space
    rng = np.random.default_rng(0)
    log = told(setting_of(space), [(Proposal(space.sample(rng)), {"loss": 0.1 * n}) for n in range(9)])
    strategy = Reinforce(Logits(), batch_size=2)
    assert learned(log.history(), strategy).n_updates == 0


def test_trials_sampled_too_long_ago_teach_nothing():
    strategy = Reinforce(Logits(), batch_size=1)
    log, controller = fed([{"loss": 0.1}] * (N_PAST + 2), strategy)
    late = Proposal(log.history().architecture(0), attributes={"update": 0})
    log.append(events_of(N_PAST + 2, late, {"loss": 0.5}, len(log), log.study.ladder[-1].fidelity))
    assert learned(log.history(), strategy) is controller


def test_the_order_of_completion_counts():
    strategy, toy = Reinforce(Logits(), batch_size=1, learning_rate=0.1), table()
    ends = []
    for order in ((0, 1, 2), (2, 1, 0)):
        log = Log(setting_of(toy.space))
        fidelity = log.study.ladder[-1].fidelity
        for number, proposal in enumerate(strategy.ask(log.history(), 3)):
            log.append([Asked(number, proposal, 0, fidelity)])
        for number in order:
            measured = Measured(number, Measurement(fidelity.epochs, {"loss": 0.3 * number}))
            log.append([measured, Ended(number, State.FINISHED)])
        ends.append(learned(log.history(), strategy).weights.arrays)
    assert any(ends[0][name].tolist() != ends[1][name].tolist() for name in ends[0])


# --- proposals -----------------------------------------------------------------------------------


def test_proposals_carry_what_the_report_shows():
    history = study_log("reinforce", trials=12).history()
    attributes = [t.proposal.attributes for t in history.trials()]
    assert {a["update"] for a in attributes} >= {0, 1, 2}
    assert attributes[0]["entropy"] == pytest.approx(8 * np.log(5), rel=0.01)
    shown = [a["update"] for a in attributes if "likeliest" in a]
    assert shown == sorted(set(a["update"] for a in attributes))
    assert set(attributes[0]["likeliest"]) == set(table().space.columns)


def test_a_policy_that_is_sure_proposes_something_new_all_the_same():
    history = run(Reinforce(Logits(), 1, 5.0, reward="accuracy"), table().space, table().metrics, trials=25).history()
    assert history.trial(24).proposal.attributes["update"] == 24
    assert len({t.architecture for t in history.trials()}) == 25


def test_proposals_keep_to_the_limits():
    space = NASNet.small().on(Shapes())
    sizes = [space.cost(space.sample(np.random.default_rng(seed)), "params") for seed in range(30)]
    limited = space.limited(params=float(np.quantile(sizes, 0.3)))
    log = run(Reinforce(Logits(), 1, 0.1), limited, lambda a: {"loss": limited.cost(a, "params")}, trials=30)
    assert all(trial.architecture in limited for trial in log.history().trials())


# --- costs ---------------------------------------------------------------------------------------


def cpu_seconds(action):
    begun = time.process_time()
    action()
    return time.process_time() - begun


@pytest.mark.slow
@pytest.mark.parametrize("strategy", [Reinforce(), PPO(), QLearning()])
def test_an_ask_is_cheap_after_a_thousand_trials(strategy):
    space = NASNet().on(Shapes())  # 50 decisions
    log = run(strategy, space, lambda a: {"loss": len(a.text) / 2_500}, trials=1_000)
    asks = [cpu_seconds(lambda: strategy.ask(log.history().sealed(), 1)) for _ in range(20)]
    assert np.median(asks) < 0.010


@pytest.mark.slow
@pytest.mark.parametrize("strategy", [Reinforce(), PPO(), QLearning()])
def test_starting_anew_after_a_thousand_trials_takes_seconds(strategy):
    space = NASNet().on(Shapes())  # 50 decisions
    log = run(strategy, space, lambda a: {"loss": len(a.text) / 2_500}, trials=1_000)
    fresh = Log(log.study)
    fresh.append(log.events())
    assert cpu_seconds(lambda: strategy.ask(fresh.history().sealed(), 1)) < 10


@pytest.mark.parametrize("horizon", [10, 100, 1_000, 12_800, 50_000])
def test_scaled_settings_reach_the_papers_at_its_horizon(horizon):
    strategy = Reinforce().scaled(horizon)
    assert strategy.batch_size == min(8, max(1, horizon // 25))
    assert (strategy.learning_rate == 0.0006) == (horizon >= 12_800)
    assert PPO().scaled(horizon).learning_rate <= strategy.learning_rate
    assert PPO().scaled(20_000) == PPO()


@pytest.mark.parametrize("method", [Reinforce, PPO])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size is at least 1"),
        ({"batch_size": np.nan}, "batch_size is at least 1"),
        ({"baseline_decay": 1.0}, "batch_size is at least 1"),
        ({"baseline_decay": np.nan}, "batch_size is at least 1"),
        ({"learning_rate": 0.0}, "learning_rate is positive"),
        ({"learning_rate": np.nan}, "learning_rate is positive"),
        ({"learning_rate": np.inf}, "learning_rate is positive"),
        ({"entropy_weight": -1.0}, "learning_rate is positive"),
        ({"entropy_weight": np.nan}, "learning_rate is positive"),
        ({"reward": "fitness"}, "reward is one of"),
        ({"repeats": "never"}, "repeats is 'avoid' or 'allow'"),
    ],
)
def test_impossible_arguments_are_refused(method, arguments, message):
    with pytest.raises(UsageError, match=message):
        method(**arguments)


@pytest.mark.parametrize("method", [Reinforce, PPO, QLearning])
def test_a_scalarization_for_another_number_of_objectives_is_refused_before_anything_runs(method):
    setting = setting_of(table().space, objectives=("loss", "size"))
    check_fit(method(scalarization=Chebyshev((1.0, 0.5))), setting)
    with pytest.raises(UsageError, match=r"a weight for each objective, here 2, got \[1.0, 1.0, 1.0\]"):
        check_fit(method(scalarization=Chebyshev((1.0, 1.0, 1.0))), setting)


def test_a_space_of_two_is_learned():
    space = decisions(x=choice("a", "b"))
    strategy = Reinforce(Logits(), 1, 0.1, reward="accuracy", repeats="allow")
    log = run(strategy, space, lambda a: {"loss": float(a["x"] == "a")}, trials=60)
    assert [t.architecture["x"] for t in log.history().trials()[-20:]].count("b") >= 16
