"""Metrics of outputs that come batch by batch."""

import pytest
import torch

from nasturtium.errors import UsageError
from nasturtium.tasks import MeanTally, NextToken, WholeTally, classification_error

METRICS = NextToken(tuple("abcd")).metrics


def test_means_over_batches_are_those_of_everything():
    generator = torch.Generator().manual_seed(0)
    outputs, y = torch.randn(50, 4, generator=generator), torch.randint(4, (50,), generator=generator)
    tallies = [MeanTally(METRICS), WholeTally(METRICS)]
    for rows in torch.arange(50).split(7):
        for tally in tallies:
            tally.add(outputs[rows], y[rows])
    mean, whole = (tally.metrics() for tally in tallies)
    assert mean == pytest.approx(whole)
    assert mean["error"] == classification_error(outputs, y)
    assert mean["perplexity"] == pytest.approx(torch.nn.functional.cross_entropy(outputs, y).exp().item())


def test_only_means_over_tokens_can_be_summed():
    with pytest.raises(UsageError, match=r"a metric of a text is a TokenMean, got .* for 'error'"):
        MeanTally({"error": classification_error})
