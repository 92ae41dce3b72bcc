"""Study: one search, from Python."""

import gc
from dataclasses import dataclass

import pytest

from nasturtium import Study
from nasturtium.errors import (
    RequirementError,
    SearchFinished,
    StudyExistsError,
    UnknownNameError,
    UsageError,
)
from nasturtium.estimators import Estimator, Function
from nasturtium.schedulers import SuccessiveHalving
from nasturtium.spaces import Networks, chain, choice, decisions, op
from nasturtium.storage._memory import MemoryStorage
from nasturtium.strategies import RandomSearch, RegularizedEvolution
from nasturtium.testing import Shapes, ToyLearner, ToySupernet, ToyTwoStage
from nasturtium.testing._running import Juggler, text_of
from nasturtium.testing._toys import table
from nasturtium.trials import Decision, Fidelity, Limit, Objective, PriorTrial, Rung, State

TOY = table()
FUNCTION = Function(TOY.metrics)
SMALL = decisions(x=choice(1, 2, 3), y=choice(1, 2, 3))


def study(**arguments):
    return Study(**{"space": TOY.space, "estimator": FUNCTION, "objectives": ["loss"], **arguments})


def told(found):
    return [(t.number, text_of([t.proposal]), t.metrics) for t in found.history.trials()]


# --- running -------------------------------------------------------------------------------------


def test_a_study_of_a_function_in_three_lines():
    space = decisions(x=choice(1, 2, 3), y=choice(1, 2, 3))
    found = Study(space=space, estimator=Function(lambda a: {"valid_error": a["x"] * a["y"] / 9}))
    found.run("random-search", trials=20, seed=0)
    assert len(found.history.finished()) == 9
    assert dict(found.front()[0].architecture) == {"x": 1, "y": 1}


@pytest.mark.parametrize("youngest", [0, 700, 20_000])
def test_garbage_is_collected_as_before_once_the_search_is_over(youngest):
    before = gc.get_threshold()
    seen = []
    try:
        gc.set_threshold(youngest, *before[1:])
        study().run("random-search", trials=2, watch=lambda history: seen.append(gc.get_threshold()[0]))
        assert gc.get_threshold() == (youngest, *before[1:])
        assert {*seen} == {youngest and max(youngest, 10_000)}  # who switched it off wants it off
    finally:
        gc.set_threshold(*before)


def test_garbage_is_collected_as_often_as_ever_where_networks_are_made():
    seen = []
    space = chain(op("global_pool"), op("linear", out=choice(2, 3)), op("linear")).on(Shapes())
    searched = Study(space=space, estimator=Picky(), objectives=["valid_error"])
    searched.run("random-search", trials=2, watch=lambda history: seen.append(gc.get_threshold()))
    assert {*seen} == {gc.get_threshold()}


def test_components_are_given_as_themselves_by_name_or_by_call():
    runs = [
        study().run(strategy, trials=12, seed=3)
        for strategy in (
            RegularizedEvolution(10, 3, repeats="allow"),
            "regularized-evolution(population_size=10, sample_size=3, repeats='allow')",
        )
    ]
    assert told(runs[0]) == told(runs[1])
    assert study(scheduler="successive-halving(bracket=4)").scheduler == SuccessiveHalving(4)


def test_running_on_goes_on():
    once, twice = study(), study()
    once.run("random-search", trials=10, seed=1)
    twice.run("random-search", trials=4, seed=1)
    twice.run("random-search", trials=10)
    assert told(once) == told(twice)


def test_watch_is_called_with_the_history():
    seen = []
    study().run("random-search", trials=3, watch=lambda history: seen.append(history.n_trials))
    assert seen[-1] == 3


def test_an_executor_of_ones_own():
    found = study(estimator=ToyLearner(TOY.metrics), scheduler="successive-halving")
    found.run("random-search", trials=9, executor=Juggler(3))
    assert len(found.history.finished()) == 1


def test_a_one_shot_study():
    found = study(estimator=ToySupernet(TOY.metrics)).run(ToyTwoStage(), trials=10, seed=0)
    assert found.history.trial(0).architecture is None
    assert {t.parents for t in found.history.trials()[1:]} == {(0,)}


def test_the_horizon_is_the_number_of_trials_and_is_set_once():
    found = study()
    found.run("random-search", trials=4)
    found.run("random-search", trials=6)
    assert found.history.study.horizon == 4
    given = study()
    given.run("random-search", trials=4, horizon=100)
    assert given.history.study.horizon == 100


# --- stored studies ------------------------------------------------------------------------------


def test_a_stored_study_goes_on_in_another_object():
    storage = MemoryStorage()
    study(storage=storage, name="s").run("random-search", trials=4, seed=1)
    found = study(storage=storage, name="s").run("random-search", trials=10)
    assert told(found) == told(study().run("random-search", trials=10, seed=1))
    assert found.created["seed"] == 1


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"space": SMALL}, "space"),
        ({"estimator": ToySupernet(TOY.metrics)}, "estimator"),
        ({"objectives": ["loss", "size"]}, "objectives"),
        ({"objectives": [Objective("loss", maximize=True)]}, "objectives"),
        ({"limits": {"size": 3}}, "limits"),
        ({"scheduler": "successive-halving"}, "scheduler"),
    ],
)
def test_another_component_under_the_same_name_is_refused(changed, part):
    storage = MemoryStorage()
    study(storage=storage, name="s").run("random-search", trials=2)
    with pytest.raises(StudyExistsError, match=f"study 's' was stored with {part}"):
        study(storage=storage, name="s", **changed)


def test_another_strategy_or_seed_is_refused():
    found = study(name="s").run("random-search", trials=2, seed=1)
    with pytest.raises(StudyExistsError, match="runs strategy"):
        found.run("regularized-evolution", trials=4)
    with pytest.raises(StudyExistsError, match="has seed 1, got 2"):
        found.run("random-search", trials=4, seed=2)
    assert found.run("random-search", trials=3, seed=1).history.n_trials == 3


def test_names_are_made_up_where_none_is_given():
    storage = MemoryStorage()
    names = []
    for _ in range(3):
        found = study(storage=storage).run("random-search", trials=1)
        names.append(found.name)
    assert names == ["study-1", "study-2", "study-3"]
    assert storage.studies() == names


def test_notes_are_part_of_what_the_study_is():
    found = study(notes={"why": "a test"}).run("random-search", trials=1)
    assert found.created["why"] == "a test"
    assert found.created["strategy"]["name"] == "random-search"
    assert set(found.created["versions"]) >= {"python", "nasturtium", "numpy"}


def test_a_study_that_has_not_begun_has_no_history():
    found = study(name="s")
    assert not found.is_begun
    with pytest.raises(UsageError, match=r"study 's' must have begun.*call run\(\) or ask\(\) first"):
        _ = found.history


def test_prior_results_reach_the_strategy_and_survive_reopening():
    a = next(iter(TOY.space))
    prior = [PriorTrial(a, {"loss": 0.5}, "digits", Fidelity())]
    storage = MemoryStorage()
    study(storage=storage, name="s", prior=prior).run("random-search", trials=1)
    again = study(storage=storage, name="s")
    assert list(again.history.prior) == prior
    assert again.history.n_trials == 1


# --- what does not fit ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Picky(Estimator):
    requires = (Networks,)

    def metrics(self):
        return ("valid_error", "params")

    def evaluate(self, assignment, context):
        return iter(())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"objectives": []}, UsageError, "at least one objective"),
        ({"estimator": Function}, UsageError, r"estimator is an instance, got the class Function; write Function\(\)"),
        ({"objectives": ["loss", Objective("loss", maximize=True)]}, UsageError, "each objective is another metric"),
        ({"objectives": ["test_error"]}, UsageError, "no search may see the test data"),
        ({"space": "nasnett"}, UnknownNameError, "did you mean 'nasnet'"),
        ({"scheduler": "fix"}, UnknownNameError, "did you mean 'fixed'"),
        ({"estimator": "train"}, UnknownNameError, "did you mean 'training'"),
        ({"estimator": Picky()}, RequirementError, "Picky needs a space with Networks"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(arguments, error, message):
    with pytest.raises(error, match=message):
        study(**arguments)


def test_unknown_metrics_are_refused_where_the_estimator_names_its_own():
    space = chain(op("global_pool"), op("linear")).on(Shapes())
    with pytest.raises(UsageError, match="unknown metric 'valid_errror'; did you mean 'valid_error'"):
        Study(space=space, estimator=Picky(), objectives=["valid_errror"])
    with pytest.raises(UsageError, match="unknown metric 'latency_ms'"):
        Study(space=space, estimator=Picky(), limits={"latency_ms": 3.0})


def test_limits_on_costs_restrict_the_space_and_others_the_losses():
    space = chain(op("conv", out=choice(4, 8)), op("global_pool"), op("linear")).on(Shapes())
    found = Study(space=space, estimator=FUNCTION, objectives=["loss"], limits={"params": 120, "latency_ms": 3.0})
    assert found.space == space.limited(params=120)
    assert found.limits == (Limit("latency_ms", 3.0),)


def test_a_strategy_for_one_objective_is_refused_with_two_before_anything_is_written():
    storage = MemoryStorage()
    found = study(storage=storage, estimator=ToySupernet(TOY.metrics), objectives=["loss", "size"])
    with pytest.raises(RequirementError, match="handles one objective"):
        found.run(ToyTwoStage(), trials=3)
    assert storage.studies() == []


def test_a_one_shot_strategy_needs_a_one_shot_estimator():
    with pytest.raises(RequirementError, match="trains the whole space, got Function"):
        study().run(ToyTwoStage(), trials=3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "a budget needs a bound"),
        ({"trials": 0}, "a budget is positive"),
        ({"minutes": -1}, "a budget is positive"),
        ({"trials": 2, "workers": 0}, "workers is at least 1"),
        ({"trials": 2, "workers": 2, "executor": "inline"}, "the inline executor has one worker"),
        ({"trials": 2, "executor": "lokal"}, "unknown executor 'lokal'; did you mean 'local'"),
    ],
)
def test_impossible_runs_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        study().run("random-search", **arguments)


def test_a_study_without_an_estimator_is_only_told():
    with pytest.raises(UsageError, match=r"run\(\) needs an estimator"):
        study(estimator=None).run("random-search", trials=3)


# --- a loop of one's own -------------------------------------------------------------------------


def test_ask_and_tell_equal_run():
    by_hand, by_run = study(estimator=None), study()
    while by_hand.ask("random-search", seed=4).number < 9:
        number = by_hand.history.n_trials - 1
        by_hand.tell(number, TOY.metrics(by_hand.history.architecture(number)))
    by_run.run("random-search", trials=10, seed=4)
    assert [p for _, p, _ in told(by_hand)] == [p for _, p, _ in told(by_run)]


def test_a_told_trial_has_finished_or_failed():
    found = study(estimator=None)
    first, second = (found.ask("random-search") for _ in range(2))
    assert (first.number, second.number) == (0, 1)
    assert first.state is State.PENDING
    assert found.tell(second, "out of memory") is Decision.STOP
    assert found.tell(first, {"loss": 0.25}, seconds=3.0) is Decision.STOP
    trials = found.history.trials()
    assert [str(t.state) for t in trials] == ["finished", "failed"]
    assert trials[1].reason == "out of memory"
    assert (trials[0].metrics, trials[0].seconds) == ({"loss": 0.25}, 3.0)


def test_a_trial_is_told_while_it_is_under_way_only():
    found = study(estimator=None)
    trial = found.ask("random-search")
    found.tell(trial, {"loss": 0.25})
    with pytest.raises(UsageError, match="only a trial under way is told, got trial 0, which is finished"):
        found.tell(trial, {"loss": 0.5})
    with pytest.raises(UsageError, match="got 7"):
        found.tell(7, {"loss": 0.5})


@pytest.mark.parametrize("metrics", [{"loss": "low"}, [0.5], 0.5, {"loss": None}])
def test_a_trial_is_told_numbers_or_a_reason(metrics):
    found = study(estimator=None)
    trial = found.ask("random-search")
    with pytest.raises(UsageError, match="a trial is told numbers by metric"):
        found.tell(trial, metrics)
    found.tell(trial, {"loss": 0.25})
    assert found.history.trial(0).metrics == {"loss": 0.25}


def test_a_negative_seed_is_refused_before_anything_is_written():
    storage = MemoryStorage()
    with pytest.raises(UsageError, match="a seed is at least 0, got -1"):
        study(storage=storage).run("random-search", trials=1, seed=-1)
    assert storage.studies() == []


def test_a_finite_space_ends_with_search_finished():
    found = Study(space=SMALL, objectives=["loss"])
    for _ in range(9):
        trial = found.ask("random-search")
        found.tell(trial, {"loss": 1.0})
    with pytest.raises(SearchFinished, match="RandomSearch has nothing left to propose after 9"):
        found.ask("random-search")


def test_none_means_wait():
    found = Study(space=SMALL, objectives=["loss"])
    trials = [found.ask("random-search") for _ in range(9)]
    assert found.ask("random-search") is None
    for trial in trials:
        found.tell(trial, {"loss": 1.0})
    with pytest.raises(SearchFinished):
        found.ask("random-search")


LADDER = tuple(Rung(Fidelity(n, schedule=9), n / 9) for n in (1, 3, 9))


def test_legs_in_a_loop_of_ones_own():
    found = study(estimator=None, scheduler="successive-halving(bracket=3)", ladder=LADDER)
    told_at = []
    for _ in range(6):
        trial = found.ask("random-search", horizon=3)
        if trial is None:
            break
        loss = TOY.metrics(trial.architecture)["loss"]
        for step in range(trial.step + 1, trial.fidelity.epochs + 1):
            decision = found.tell(trial, {"loss": loss}, step=step)
        told_at.append((trial.number, trial.fidelity.epochs, decision))
        if len(found.history.finished()):
            break
    best = min(range(3), key=lambda n: TOY.metrics(found.history.architecture(n))["loss"])
    assert told_at == [
        (0, 1, Decision.STOP),
        (1, 1, Decision.STOP),
        (2, 1, Decision.STOP),
        (best, 3, Decision.STOP),
        (best, 9, Decision.STOP),
    ]
    assert [m.step for m in found.history.trial(best).measurements] == list(range(1, 10))
    states = sorted(str(t.state) for t in found.history.trials())
    assert states == ["finished", "stopped", "stopped"]


def test_a_step_within_the_leg_is_answered():
    found = study(estimator=None, ladder=LADDER)
    trial = found.ask(RandomSearch())
    assert found.tell(trial, {"loss": 0.9}, step=1) is Decision.CONTINUE
    assert found.tell(trial, {"loss": 0.5}, step=8) is Decision.CONTINUE
    assert found.tell(trial, {"loss": 0.4}, step=9) is Decision.STOP
    assert found.history.trial(0).state is State.FINISHED


def test_a_loop_of_ones_own_goes_on_after_a_restart():
    storage = MemoryStorage()
    first = study(estimator=None, storage=storage, name="s")
    first.tell(first.ask("random-search", seed=2), {"loss": 0.5})
    second = study(estimator=None, storage=storage, name="s")
    assert second.ask("random-search").number == 1
    assert second.history.study.seed == 2
