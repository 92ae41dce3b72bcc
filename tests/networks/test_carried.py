"""Networks over long sequences, piece by piece."""

import torch

from nasturtium.networks import build, carried
from nasturtium.spaces import load
from nasturtium.testing import Shapes


def test_pieces_give_what_the_whole_gives_and_gradients_end_at_their_borders():
    space = load("recurrent", base=2, hidden=4).on(Shapes((), 6))
    network = build(space.graph(next(iter(space))))
    tokens = torch.randint(6, (3, 10), generator=torch.Generator().manual_seed(0))
    run = carried(network)
    pieces = [run(piece).view(3, -1, 6) for piece in tokens.split(4, dim=1)]
    assert torch.allclose(torch.cat(pieces, 1), network(tokens), atol=1e-6)
    pieces[1].sum().backward()
    assert not network.embedding.weight.grad[~torch.isin(torch.arange(6), tokens[:, 4:8])].any()


def test_other_networks_run_as_they_are():
    layer = torch.nn.Linear(2, 3)
    assert carried(layer) is layer
