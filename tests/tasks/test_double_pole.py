"""The physics of Stanley & Miikkulainen 2002: two poles, one cart."""

import math

import numpy as np
import pytest

from nasturtium.spaces import Gene, Genome, Neurons
from nasturtium.tasks import DoublePole
from nasturtium.tasks._double_pole import FALLEN, START, change, has_fallen, moved

UPRIGHT = (0.0,) * 6


def test_the_state_of_rest_stays_and_a_push_moves_the_cart():
    assert moved(UPRIGHT, 0.0, math) == UPRIGHT
    speed, pull, *_ = change(UPRIGHT, 10.0, math)
    # Both poles upright: masses 1 + 0.1 / 4 + 0.01 / 4.
    assert (speed, pull) == (0.0, pytest.approx(10 / 1.0275))


def test_a_pole_falls_the_faster_the_shorter_it_is():
    _, _, _, long, _, short = change((0.0, 0.0, 0.1, 0.0, 0.1, 0.0), 0.0, math)
    assert 0 < long < short
    assert short / long == pytest.approx(10, rel=0.05)


def test_mirrored_states_move_as_mirrored():
    state = (0.3, -0.1, 0.05, 0.2, -0.02, 0.1)
    mirrored = moved(tuple(-value for value in state), -4.0, math)
    np.testing.assert_allclose(mirrored, [-value for value in moved(state, 4.0, math)], atol=1e-15)


def test_many_environments_at_a_time_move_as_one_by_one():
    rng = np.random.default_rng(0)
    states = rng.uniform(-0.3, 0.3, (6, 20))
    forces = rng.uniform(-10, 10, 20)
    together = np.array(moved(tuple(states), forces, np))
    one_by_one = [moved(tuple(states[:, i].tolist()), float(forces[i]), math) for i in range(20)]
    np.testing.assert_allclose(together.T, one_by_one, atol=1e-12)


def test_a_step_is_where_very_many_small_ones_lead():

    def euler(state, force, n):
        for _ in range(n):
            state = tuple(s + 0.01 / n * d for s, d in zip(state, change(state, force, math), strict=True))
        return state

    np.testing.assert_allclose(moved(START, 5.0, math), euler(START, 5.0, 20_000), atol=5e-6)


def test_it_ends_at_the_track_and_at_36_degrees():
    assert pytest.approx(0.628319, abs=1e-6) == FALLEN
    assert not has_fallen((2.4, 9.0, 0.62, 0.0, -0.62, 0.0))
    for state in ((2.41, 0, 0, 0, 0, 0), (0, 0, -0.63, 0, 0, 0), (0, 0, 0, 0, 0.63, 0)):
        assert has_fallen(state)


def push(weight):
    return Genome({}, {("bias", "y0", 0): Gene(weight)}).architecture()


def test_a_cart_that_is_left_alone_drops_its_poles():
    problem = DoublePole()
    space = Neurons().on(problem)
    n_balanced, _ = problem.balanced(space, push(0.0), 1_000)  # an output of a half is no force
    assert 10 < n_balanced < 100
    assert problem.score(space, push(0.0))["error"] == 1 - n_balanced / 100_000
    assert problem.test(space, push(0.0)) == {"test_error": 1 - 5 / 625}  # five starts are at rest


def test_without_velocities_a_network_sees_three_numbers_and_unrest_counts():
    problem = DoublePole(has_velocities=False)
    assert (problem.input_shape, DoublePole().input_shape) == ((3,), (6,))
    assert problem.seen(START) == (0.0, 0.07 / 0.52, 0.0)
    space = Neurons(is_recurrent=True).on(problem)
    n_balanced, unrest = problem.balanced(space, push(0.0), 1_000)
    assert len(unrest) == n_balanced
    assert problem.score(space, push(0.0))["error"] == 1 - 0.1 * n_balanced / 1_000 / 2
