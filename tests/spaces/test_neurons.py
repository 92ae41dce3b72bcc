import numpy as np
import pytest
import torch

from nasturtium.errors import UsageError
from nasturtium.networks import build
from nasturtium.spaces import Genome, Neurons
from nasturtium.tasks._problem import of_floats


def bound(**arguments):
    return Neurons(input_shape=(2,), n_outputs=1, **arguments)


def test_evolution_begins_with_every_input_at_every_output():
    space = Neurons(input_shape=(2, 3), n_outputs=2)
    genome = Genome.of(space.start(np.random.default_rng(0)))
    assert not genome.neurons
    assert len(genome.genes) == (6 + 1) * 2
    weights = [gene.weight for gene in genome.genes.values()]
    assert -1 <= min(weights) < 0 < max(weights) < 1


def test_a_layer_stands_between_inputs_and_outputs():
    space = bound(layer=4)
    architecture = space.start(np.random.default_rng(0))
    assert space.graph(architecture).params == 3 * 4 + 4
    assert {t for s, t, _ in Genome.of(architecture).genes if s.startswith("x")} == {"h0", "h1", "h2", "h3"}


def test_the_bias_is_what_the_space_says_in_circuit_and_network():
    rng = np.random.default_rng(0)
    for bias in (0.5, 1.0):
        space = bound(bias=bias, output="linear")
        architecture = space.start(rng)
        (weight,) = (gene.weight for name, gene in Genome.of(architecture).genes.items() if name[:2] == ("bias", "y0"))
        circuit, ones = of_floats(space, architecture)
        nothing = [0.0] * (len(space.sources) - 1)
        assert circuit.step((*nothing, *ones))[0][0] == pytest.approx(bias * weight)
        network = build(space.graph(architecture))
        assert network(torch.zeros(1, len(nothing))).detach()[0, 0].item() == pytest.approx(bias * weight, abs=1e-6)
    assert "bias" not in bound(bias=0.0).sources


def test_limits_bound_the_connections_in_use():
    space = bound(steps=40).limited(params=5)
    rng = np.random.default_rng(0)
    costs = [space.graph(space.sample(rng)).params for _ in range(20)]
    assert max(costs) <= 5


def test_networks_without_delay_unless_wanted():
    rng = np.random.default_rng(0)
    for is_recurrent in (False, True):
        space = bound(is_recurrent=is_recurrent, steps=60)
        delays = {delay for _ in range(20) for _, _, delay in Genome.of(space.sample(rng)).genes}
        assert delays == ({0, 1} if is_recurrent else {0})


def test_wrong_arguments_are_refused():
    with pytest.raises(UsageError, match="unknown function 'tan'"):
        Neurons(hidden=("tan",))
    with pytest.raises(UsageError, match=r"density is in .*, layer=0, steps=20, density=0.0, spread=1.0, bias=1.0; "):
        Neurons(density=0.0)
    with pytest.raises(UsageError, match="bind it with"):
        Neurons().sample(np.random.default_rng(0))
