"""Pieces of a text, and the batches of an epoch."""

import pytest
import torch

from nasturtium.tasks import Stream, batches


def stream(n, steps=4):
    return Stream(torch.arange(n + 1), steps)


def test_the_next_token_is_predicted():
    part = stream(10)
    assert len(part) == 10
    assert part.x.tolist() == list(range(10))
    assert part.y.tolist() == list(range(1, 11))


def test_an_epoch_reads_several_places_on_and_on():
    found = list(batches(stream(30), 3))
    assert [tuple(x.shape) for x, _ in found] == [(3, 4), (3, 4), (3, 2)]
    assert torch.cat([x for x, _ in found], 1).tolist() == [list(range(i, i + 10)) for i in (0, 10, 20)]
    assert all(torch.equal(y.view_as(x), x + 1) for x, y in found)
    assert stream(30).n_batches(3) == 3


@pytest.mark.parametrize("n", [1, 3, 7, 31, 100])
@pytest.mark.parametrize("places", [1, 3, 64])
def test_less_than_one_token_a_place_is_left_out(n, places):
    part = stream(n)
    read = [token for x, _ in batches(part, places, torch.Generator()) for token in x.flatten().tolist()]
    assert len(read) == len(set(read)) > n - places
    assert len(list(batches(part, places))) == part.n_batches(places)


def test_batches_may_all_have_one_length():
    assert [tuple(x.shape) for x, _ in batches(stream(30), 3, drop_last=True)] == [(3, 4), (3, 4)]


def test_pieces_follow_each_other():
    part = stream(20)
    first, rest = part.select(torch.arange(8)), part.select(torch.arange(8, 20))
    assert torch.equal(first.joined(rest).tokens, part.tokens)
    assert len(part.select(torch.arange(0))) == 0
    assert first.tokens.untyped_storage().nbytes() == 9 * 8


def test_a_sample_is_two_short_sequences():
    assert stream(30).sample().tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert stream(5).sample().tolist() == [[0, 1], [2, 3]]
