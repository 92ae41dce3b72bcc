from math import nan

import pytest

from nasturtium.report._progress import expectation, progress_section, random_section


@pytest.fixture
def searched(studies):
    def make(strategy):
        study = studies(strategy=strategy)
        for i, value in enumerate((0.4, 0.2, 0.3, 0.1)):
            study.end(valid_error=value, seconds=1.0 + i)
        return study.found()

    return make


def test_progress_tells_when_the_best_came(searched):
    html = progress_section(searched("regularized-evolution"))
    assert "The best validation error, 10.00 %, came with trial 3, after 4 of 4 trials" in html
    assert "10 s of 10 s charged" in html
    assert html.count("<svg") == 2
    assert 'class="expected"' not in html


def test_random_search_is_compared_with_its_exact_expectation(searched):
    found = searched("random-search")
    values = dict(expectation(found))
    assert values[1.0] == pytest.approx(0.25)
    assert values[4.0] == pytest.approx(0.1)
    assert 'class="expected"' in progress_section(found)
    html = random_section(found)
    assert "<td>1</td><td>25.00 %</td>" in html
    assert "<td>4</td><td>10.00 %</td>" in html


def test_of_another_strategy_it_is_not_known_and_the_report_says_so(searched):
    html = random_section(searched("regularized-evolution"))
    assert "Not known. This study ran regularized-evolution" in html
    assert "--strategy random-search --trials 4" in html


def test_without_values_nothing_is_claimed(studies):
    study = studies()
    assert "no trial has a value yet" in random_section(study.found())
    assert "No trial has a value" in progress_section(study.found())
    study.end(valid_error=nan)
    assert "no trial has a value yet" in random_section(study.found())
