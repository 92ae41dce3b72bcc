"""Which decisions mattered: a share of variance, checked against a planted effect and against none."""

import numpy as np
import pytest

from nasturtium.report._importance import epsilon_squared, importance_section, importances
from nasturtium.spaces import choice, decisions


def planted(studies, n=80, noise=0.0):
    """Return a study where ``a`` decides, ``b`` does nothing and ``c`` is the same everywhere."""
    space = decisions(a=choice(0, 1, 2), b=choice("x", "y"), c=choice(5), many=choice(*range(100)))
    study = studies(space)
    rng = np.random.default_rng(0)
    for _ in range(n):
        architecture = space.sample(rng)
        number = study.ask(architecture)
        study.finish(number, valid_error=0.1 * architecture["a"] + noise * rng.random())
    return study.found()


def test_the_planted_decision_explains_all_and_the_idle_one_nothing(studies):
    rows = {row.decision: row for row in importances(planted(studies))}
    assert rows["a"].explained == pytest.approx(1.0)
    assert rows["a"].p == pytest.approx(0.001)
    assert rows["a"].best == "0"
    assert rows["b"].explained < 0.1
    assert rows["b"].p > 0.01
    assert "c" not in rows
    assert next(iter(rows)) == "a"


def test_numbers_with_many_values_are_cut_into_groups(studies):
    rows = {row.decision: row for row in importances(planted(studies))}
    assert " to " in rows["many"].best


def test_the_correction_makes_no_effect_zero_on_average():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(5), 6)
    found = [epsilon_squared(rng.permutation(30).astype(float), labels, 5) for _ in range(3_000)]
    assert np.mean(found) == pytest.approx(0.0, abs=4 * np.std(found) / np.sqrt(3_000))
    uncorrected = [1 - (1 - e) * (30 - 5) / (30 - 1) for e in found]
    assert np.mean(uncorrected) > 0.1


def test_few_candidates_are_too_few(studies):
    assert "too few" in importance_section(planted(studies, n=9))


def test_the_table_is_the_same_each_time(studies):
    found = planted(studies, noise=0.3)
    assert importance_section(found) == importance_section(found)
