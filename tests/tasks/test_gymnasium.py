"""Control: thresholds are gymnasium's, episodes are the same for all networks, known controllers do what is known."""

import pickle
import sys

import gymnasium
import numpy as np
import pytest

from nasturtium.errors import MissingExtraError, UsageError
from nasturtium.spaces import Gene, Genome, Neurons
from nasturtium.tasks import Gymnasium, load_task
from nasturtium.tasks._gymnasium import FIRST_TEST_SEED, world_of

KNOWN = {
    "cartpole": ("CartPole-v1", 4, 2, 475.0),
    "acrobot": ("Acrobot-v1", 6, 3, -100.0),
    "mountain-car": ("MountainCar-v0", 2, 3, -110.0),
    "mountain-car-continuous": ("MountainCarContinuous-v0", 2, 1, 90.0),
    "pendulum": ("Pendulum-v1", 3, 1, -200.0),  # gymnasium names none
}


def controller(*genes):
    return Genome({}, {(source, target, 0): Gene(weight) for source, target, weight in genes}).architecture()


BALANCES = controller(("x2", "y1", 1.0), ("x3", "y1", 0.5), ("x0", "y1", 0.1), ("x1", "y1", 0.1))
"""Pushes to where the pole leans; y0 is a half, as y1 is for a pole at rest."""

ROCKS = controller(("x1", "y2", 9.0), ("bias", "y2", 1e-6), ("x1", "y0", -9.0), ("bias", "y1", -9.0))
"""Pushes to where the car moves, at rest to the right: -119.9 on average over 200 episodes of a program of its own."""

IDLE = controller()


def judged(name, architecture, **arguments):
    problem = load_task(name, **arguments)
    return problem.score(Neurons().on(problem), architecture)


@pytest.mark.parametrize("name", KNOWN)
def test_a_task_has_the_shapes_and_the_threshold_of_its_environment(name):
    environment, n_inputs, n_outputs, solved = KNOWN[name]
    problem = load_task(name)
    assert (problem.name, problem.input_shape, problem.n_outputs) == (environment, (n_inputs,), n_outputs)
    assert problem.error(solved) == 0.0 < problem.error(solved - 0.1)
    assert problem.error(problem.worst) == 1.0 == problem.error(problem.worst - 1)
    assert gymnasium.spec(environment).reward_threshold == (None if name == "pendulum" else solved)
    assert pickle.loads(pickle.dumps(problem)) == problem == load_task(problem.source)


def test_a_known_controller_balances_the_pole_and_solves_the_test_too():
    problem = load_task("cartpole")
    space = Neurons().on(problem)
    assert problem.score(space, BALANCES) == {"error": 0.0, "return": 500.0}
    assert problem.test(space, BALANCES) == {"test_error": 0.0, "test_return": 500.0}
    left = judged("cartpole", IDLE)  # always the first action; the pole falls after some ten steps
    assert 8 <= left["return"] <= 11
    assert left["error"] == pytest.approx(1 - left["return"] / 475)


def test_a_car_that_pushes_to_where_it_moves_gets_up_the_hill_and_an_idle_one_never():
    problem = load_task("mountain-car")
    assert -125 < problem.test(Neurons().on(problem), ROCKS)["test_return"] < -115
    assert judged("mountain-car", IDLE) == {"error": 1.0, "return": -200.0}
    # Of one output: nothing is half of the way from full force backward to full force forward.
    assert judged("mountain-car-continuous", IDLE)["return"] == 0.0


def test_outputs_reach_from_the_least_to_the_greatest_action():
    world = world_of("Pendulum-v1")
    np.testing.assert_array_equal(world.actions(np.array([[0.0, 0.5, 1.0, 2.0]])), [[-2.0], [0.0], [2.0], [2.0]])
    assert world_of("CartPole-v1").actions(np.array([[0.2, 0.4], [0.1, 0.5]])).tolist() == [0, 1]


def test_numbers_with_bounds_are_scaled_and_others_are_not():
    seen = world_of("CartPole-v1").seen(np.array([[4.8, 7.0, -0.41887903, -7.0]]))
    np.testing.assert_allclose(seen[:, 0], [1.0, 7.0, -1.0, -7.0], rtol=1e-6)
    seen = world_of("MountainCar-v0").seen(np.array([[-1.2, 0.07], [-0.3, 0.0]]))
    np.testing.assert_allclose(seen, [[-1.0, 0.0], [1.0, 0.0]], atol=1e-6)


@pytest.mark.parametrize("name", ["mountain-car", "pendulum"])
def test_all_episodes_at_a_time_are_those_one_by_one(name):
    problem = load_task(name)
    space = Neurons(is_recurrent=True).on(problem)
    architecture = ROCKS if name == "mountain-car" else space.sample(np.random.default_rng(1))
    one_by_one = [problem.episode(space, architecture, FIRST_TEST_SEED + i) for i in range(4)]
    np.testing.assert_allclose(problem.returns(space, architecture, FIRST_TEST_SEED, 4), one_by_one)
    assert len({*one_by_one}) > 1


def test_every_network_begins_alike_and_more_episodes_begin_with_the_same():
    first = judged("cartpole", BALANCES)
    assert judged("pendulum", IDLE) == judged("pendulum", IDLE)
    assert judged("cartpole", BALANCES) == first
    one, two = (judged(f"pendulum(episodes={n})", IDLE)["return"] for n in (1, 2))
    problem = load_task("pendulum")
    assert 2 * two - one == pytest.approx(problem.episode(Neurons().on(problem), IDLE, 1))


def test_any_environment_with_arrays_is_a_task():
    given = load_task("gymnasium(environment='CartPole-v1', worst=0)")
    space = Neurons().on(given)
    assert given.score(space, BALANCES) == judged("cartpole", BALANCES)
    assert load_task("gymnasium(environment='CartPole-v1', worst=0, solved=100)").error(50) == 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"environment": "CartPole-v1", "worst": 0, "episodes": 0}, "episodes is at least 1, got 0"),
        ({"environment": "CartPole-v1", "worst": 500}, "worst is below solved, got worst=500 and 475.0"),
        ({"environment": "Pendulum-v1", "worst": -3000}, "no threshold for Pendulum-v1"),
        ({"environment": "CartPol-v1", "worst": 0}, "one of gymnasium's, got 'CartPol-v1' .*CartPole"),
        ({"environment": "Blackjack-v1", "worst": 0, "solved": 1}, "observations are arrays of numbers, got Tuple"),
    ],
)
def test_what_is_no_environment_for_networks_is_refused_in_one_line(arguments, message):
    with pytest.raises(UsageError, match=message) as caught:
        Gymnasium(**arguments)
    assert "\n" not in str(caught.value)


def test_without_the_package_one_line_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    world_of.cache_clear()
    with pytest.raises(MissingExtraError, match=r"needs gymnasium, got none; pip install 'nasturtium\[control\]'"):
        load_task("cartpole")
