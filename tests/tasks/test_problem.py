import pickle

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import Gene, Genome, Neurons
from nasturtium.tasks import DoublePole, Problem, Xor, load_task

SOLUTION = Genome(
    {"h": "steep-sigmoid"},
    {
        ("x0", "h", 0): Gene(4.0),
        ("x1", "h", 0): Gene(4.0),
        ("bias", "h", 0): Gene(-6.0),
        ("x0", "y0", 0): Gene(4.0),
        ("x1", "y0", 0): Gene(4.0),
        ("bias", "y0", 0): Gene(-2.0),
        ("h", "y0", 0): Gene(-8.0),
    },
).architecture()


@pytest.mark.parametrize("name", ["xor", "double-pole", "double-pole-no-velocities", "double-pole(steps=500)"])
def test_a_problem_is_loaded_by_name_and_is_the_same_again(name):
    problem = load_task(name)
    assert isinstance(problem, Problem)
    assert load_task(problem.source) == problem
    assert pickle.loads(pickle.dumps(problem)) == problem
    assert problem.fit_part("search") == problem
    assert load_task(name).content == problem.content


def test_problems_differ_in_content():
    contents = {problem.content for problem in (Xor(), DoublePole(), DoublePole(has_velocities=False))}
    assert len(contents) == 3


def test_exclusive_or_is_solved_when_all_four_are_right():
    space = Neurons().on(Xor())
    assert Xor().score(space, SOLUTION) == {"error": 0.0}
    nothing = Genome({}, {("x0", "y0", 0): Gene(0.0)}).architecture()
    assert Xor().score(space, nothing) == {"error": 1 - (4 - 2) ** 2 / 16}  # all outputs a half
    assert Xor().test(space, SOLUTION) == {}
    no_bias = Neurons(bias=0.0).on(Xor())
    assert Xor().score(no_bias, nothing)["error"] == 0.75


def test_wrong_numbers_are_refused():
    with pytest.raises(UsageError, match="steps is at least 1"):
        DoublePole(steps=0)


def test_random_networks_are_judged_alike_twice():
    for problem in (Xor(), DoublePole(), DoublePole(has_velocities=False)):
        space = Neurons(is_recurrent=True).on(problem)
        architecture = space.sample(np.random.default_rng(0))
        error = problem.score(space, architecture)["error"]
        assert 0 <= error <= 1
        assert problem.score(space, architecture)["error"] == error
