"""What the report says of a policy that learned."""

import pytest

from nasturtium.report._base import Findings
from nasturtium.report._learning import final_likeliest, learning_section, moving_average, thirds
from nasturtium.report._page import render
from nasturtium.spaces import NASBench201, choice, decisions
from nasturtium.strategies import PPO, QLearning, RandomSearch, Reinforce
from nasturtium.testing import Shapes
from nasturtium.testing._running import run

SPACE = decisions(x=choice("a", "b", "c", "d"), y=choice("e", "f", "g"))


def found_by(strategy, space=SPACE, trials=60):
    log = run(strategy, space, lambda a: {"loss": 0.1 if "b" in a.text else 0.9}, trials=trials)
    return Findings(log.history(), {"name": "study"})


def test_a_study_without_a_policy_says_so():
    assert "learns no policy" in learning_section(found_by(RandomSearch(), trials=5))


@pytest.mark.parametrize(
    ("strategy", "measure"),
    [
        (Reinforce.nasbench201(), "Entropy of the policy, nats: 2.48 at first"),
        (PPO.small(), "Entropy of the policy, nats: 2.48 at first"),
        (QLearning(repeats="allow"), "Epsilon, share of random decisions: 1 at first"),
    ],
)
def test_curves_of_sureness_and_of_what_is_sampled_and_the_favorite(strategy, measure):
    html = learning_section(found_by(strategy, trials=12 if strategy.repeats == "avoid" else 60))
    assert measure in html
    assert html.count("<svg") == 2
    assert "The policy&#x27;s likeliest architecture" in html or "The policy's likeliest architecture" in html


def test_the_favorite_is_the_one_of_the_last_policy():
    number, architecture = final_likeliest(found_by(Reinforce.nasbench201()))
    assert number == 59
    assert architecture["x"] == "b"


def test_a_network_is_drawn():
    space = NASBench201.small().on(Shapes())
    log = run(Reinforce.nasbench201(), space, lambda a: {"loss": 0.5}, trials=4)
    html = learning_section(Findings(log.history(), {}))
    assert html.count("<svg") > 2


def test_learning_shows_in_the_thirds():
    found = found_by(Reinforce.nasbench201())
    early, late = thirds([(0.0, x) for x in found.losses[:, 0]])
    assert late < early
    assert "of the last third" in learning_section(found)


def test_the_moving_average_is_a_mean_of_a_tenth():
    points = [(float(i), float(i)) for i in range(100)]
    assert moving_average(points)[0] == (9.0, 4.5)
    assert moving_average(points)[-1] == (99.0, 94.5)
    assert moving_average(points[:2]) == [(1.0, 0.5)]


def test_the_page_has_the_section():
    assert 'id="learning"' in render(found_by(PPO.small(), trials=3))
