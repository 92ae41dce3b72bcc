"""The verdict: whether the search found what random draws would not have."""

import re

import pytest

from nasturtium.report._page import SECTIONS, render
from nasturtium.report._verdict import RandomArm, random_arm, verdict
from nasturtium.spaces import choice, decisions


def evolved(studies, roots, children, space=None):
    study = studies(space, strategy="regularized-evolution")
    numbers = [study.end(valid_error=error) for error in roots]
    for error in children:
        number = study.ask(parents=(numbers[0],))
        study.finish(number, valid_error=error)
    return study.found()


def test_a_random_draw_as_good_as_the_best_says_that_random_search_does_as_well(studies):
    found = evolved(studies, [0.1, 0.3, 0.1, 0.2], [0.1, 0.2])
    arm = random_arm(found)
    assert arm == RandomArm(4, 2, 6)
    assert arm.chance == pytest.approx(1 - 0.5**6)
    assert verdict(found).startswith("Random search would have done as well: 2 of the 4 random candidates")


def test_a_space_smaller_than_the_search_needed_none(studies):
    tiny = decisions(a=choice(1, 2, 3))
    found = evolved(studies, [0.5, 0.4, 0.3], [0.2, 0.1], tiny)
    assert "not needed: the space has 3 architectures, and 5 trials" in verdict(found)


def test_few_random_draws_show_nothing(studies):
    found = evolved(studies, [0.5, 0.4], [0.2, 0.1, 0.3])
    assert verdict(found).startswith("Not shown")


def test_many_random_draws_that_are_all_worse_show_that_it_was_worth_it(studies):
    found = evolved(studies, [0.5] * 60, [0.1] * 5)
    arm = random_arm(found)
    share = 1 - 0.05 ** (1 / 60)  # the greatest share of good ones that 60 draws without one leave possible
    assert (1 - share) ** 60 == pytest.approx(0.05)
    assert arm.greatest_chance == pytest.approx(1 - (1 - share) ** 65)
    assert arm.greatest_chance > 0.5
    assert verdict(found).startswith("Not shown")  # 65 draws more could well hold one
    assert RandomArm(400, 0, 80).greatest_chance < 0.5


def test_what_has_no_random_draws_gets_no_verdict(studies):
    study = studies(strategy="reinforce")
    for error in (0.3, 0.2):
        study.end(valid_error=error)
    assert verdict(study.found()).startswith("No verdict on random search")
    assert verdict(studies(strategy="reinforce").found()).startswith("No verdict: the study has no result")


def test_an_evolution_in_its_first_population_is_no_verdict_for_its_draws_are_random(studies):
    study = studies(strategy="regularized-evolution")
    study.created["strategy"]["arguments"]["population_size"] = 20
    for error in (0.3, 0.2):
        study.end(valid_error=error)
    text = verdict(study.found())
    assert "still in its first population, so that its 2 candidates say what random search finds" in text
    assert "no random draws" not in text


def test_random_search_is_called_what_it_is(studies):
    study = studies()
    study.end(valid_error=0.3)
    assert verdict(study.found()).startswith("This was random search")


def test_the_random_section_tells_what_the_first_draws_give(studies):
    found = evolved(studies, [0.4, 0.2], [0.1])
    section = next(s for s in SECTIONS if s.anchor == "random").body(found)
    assert "began with 2 random candidates" in section
    assert re.findall(r"<td>(\d+)</td><td>([\d.]+ %)</td>", section) == [("1", "30.00 %"), ("2", "20.00 %")]


def test_the_page_begins_with_the_verdict(studies):
    page = render(evolved(studies, [0.4, 0.2], [0.1]))
    assert page.index('id="verdict"') < page.index('id="front"')
