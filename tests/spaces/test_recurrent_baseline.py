"""LSTM and GRU as graphs, held against torch's."""

import pytest
import torch
from torch import nn

from nasturtium.errors import UsageError
from nasturtium.networks import build
from nasturtium.spaces import Architecture, RecurrentBaseline
from nasturtium.testing import Shapes, check_sweep

TOKENS = Shapes((), 9)


def network_and_cell(kind):
    network = build(RecurrentBaseline(hidden=5).on(TOKENS).graph(Architecture({"kind": kind})))
    return network, network.cell_0


def compared(network, reference):
    tokens = torch.randint(9, (3, 7), generator=torch.Generator().manual_seed(0))
    expected, _ = reference(network.embedding(tokens))
    assert torch.allclose(network(tokens), network.head(expected), atol=1e-6)


@torch.no_grad()
def test_the_lstm_is_torchs():
    network, cell = network_and_cell("lstm")
    reference = nn.LSTM(5, 5, batch_first=True)
    reference.weight_ih_l0.copy_(cell.gates.weight[:, :5])
    reference.weight_hh_l0.copy_(cell.gates.weight[:, 5:])
    reference.bias_ih_l0.copy_(cell.gates.bias)
    reference.bias_hh_l0.zero_()
    compared(network, reference)


@torch.no_grad()
def test_the_gru_is_torchs():
    network, cell = network_and_cell("gru")
    reference = nn.GRU(5, 5, batch_first=True)
    reference.weight_ih_l0.copy_(torch.cat([cell.gates.weight[:, :5], cell.input.weight]))
    reference.weight_hh_l0.copy_(torch.cat([cell.gates.weight[:, 5:], cell.recurrent.weight]))
    reference.bias_ih_l0.copy_(torch.cat([cell.gates.bias, cell.input.bias]))
    reference.bias_hh_l0.copy_(torch.cat([torch.zeros(10), cell.recurrent.bias]))
    compared(network, reference)


def test_parameters():
    space = RecurrentBaseline(hidden=5).on(TOKENS)
    around = 9 * 5 + 5 * 9 + 9
    assert [space.graph(a).params - around for a in space] == [4 * (50 + 5), 2 * (50 + 5) + 2 * (25 + 5)]


def test_token_networks_obey_the_laws():
    check_sweep(RecurrentBaseline(hidden=3, layers=2).on(TOKENS), 2, n_exports=2, n_chains=1)


def test_impossible_arguments_are_refused():
    with pytest.raises(UsageError, match="hidden and layers are at least 1"):
        RecurrentBaseline(hidden=0)
