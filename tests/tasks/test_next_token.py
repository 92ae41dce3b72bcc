"""The goal of language models."""

import math

import torch

from nasturtium.tasks import NextToken

GOAL = NextToken(("<unk>", "a", "b"))


def test_perplexity_of_a_model_that_knows_nothing_is_the_number_of_tokens():
    y = torch.tensor([0, 1, 2, 2])
    measured = {name: metric(torch.zeros(4, 3), y) for name, metric in GOAL.metrics.items()}
    assert measured["error"] == 0.75
    assert abs(measured["perplexity"] - 3) < 1e-6


def test_a_model_that_diverged_is_no_good():
    y = torch.tensor([0, 1])
    for bad in (torch.nan, torch.inf):
        measured = {name: metric(torch.full((2, 3), bad), y) for name, metric in GOAL.metrics.items()}
        assert measured == {"error": 1.0, "perplexity": math.inf}


def test_what_an_export_says():
    assert GOAL.facts == {"tokens": ["<unk>", "a", "b"]}
    assert (GOAL.n_outputs, GOAL.text, GOAL.objective) == (3, "3 tokens", "valid_perplexity")
