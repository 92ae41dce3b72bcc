"""The verdict on the user's own network."""

import re

import pytest

from nasturtium.report import FinalResults, baseline_text, baseline_verdict

BASELINE = {
    "name": "MyNet", "charged": 60.0, "epochs": 20, "test_errors": [0.10, 0.11, 0.09], "n_test": 1000,
    "counts_examples": True, "params": 5000, "flops": 4000, "seconds": 30.0, "reason": None,
    "tried": [],
}  # fmt: skip


def found(error, params=9000):
    return [
        FinalResults(
            trial=1, key="k", folder="", params=params, flops=1, epochs=20, valid_error=error, test_error=error,
            n_test=1000, weights="final",
        )
    ]  # fmt: skip


def test_the_training_is_told():
    text = baseline_text(BASELINE)
    assert text.startswith(
        "MyNet (5,000 parameters, 4,000 multiply-accumulates) was trained by the recipe of the final"
    )
    assert "20 epochs, with 3 seeds: 30 s, of at most the 1 min 0 s" in text
    assert text.endswith("Its test error is 10.00 % (standard deviation 1.00 %).")
    assert "20 epochs (by validation the best of 20, 40, " in baseline_text({**BASELINE, "tried": [20, 40]})
    assert "could not be trained: diverged" in baseline_text({**BASELINE, "test_errors": [], "reason": "diverged"})


# sqrt(1.96**2 * (0.1 * 0.9 + 0.09 * 0.91) / 1000 + 4.303**2 * 0.01**2 * 4 / 3) = 5.59 %, Student's with 2 degrees
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            0.03,
            "Replace MyNet: the best network found has a test error of 3.00 % .* parameters, better by 7.00 %",
        ),
        (0.17, "Keep MyNet: the best network found has a test error of 17.00 % with 9,000 parameters, worse by 7.00 %"),
        (0.09, "Keep MyNet, as far as the error goes: .* the difference of 1.00 % is within the 5.59 %"),
    ],
)
def test_the_verdict_asks_whether_chance_explains_the_difference(error, words):
    assert re.match(words, baseline_verdict(BASELINE, found(error)))


def test_a_smaller_network_that_is_as_good_is_said_to_be_smaller():
    assert baseline_verdict(BASELINE, found(0.09, params=100)).endswith("It is smaller, though.")


def test_a_single_training_on_numbers_shows_nothing():
    one = {**BASELINE, "test_errors": [0.3], "counts_examples": False}
    assert baseline_verdict(one, found(0.2)).startswith("Not shown: ")
    several = {**one, "test_errors": [0.3, 0.31, 0.29]}
    assert baseline_verdict(several, found(0.2)).startswith("Replace MyNet")


def test_without_a_test_error_there_is_no_verdict():
    assert baseline_verdict(BASELINE, found(float("nan"))).startswith("No verdict")
    assert baseline_verdict({**BASELINE, "test_errors": []}, found(0.1)).startswith("No verdict")
