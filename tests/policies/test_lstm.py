"""The recurrent policy: PyTorch's LSTM, and the anchor points of Zoph & Le 2017."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.policies import LSTM, Adam, Batch, Weights, draw, log_probability, walk_of
from nasturtium.policies._timeline import NOTHING, Timeline
from nasturtium.spaces import Architecture, EnasMacro, NASNet, choice, decisions


def test_plain_decisions_go_through_the_lstm_of_torch():
    import torch

    policy, weights = LSTM(units=5, layers=2, spread=0.8, bits=64), Weights(3, {})
    space = decisions(x=choice("a", "b", "c"), y=choice(1, 2), z=choice(1, 2))
    walk = walk_of(space, Architecture({"x": "b", "y": 2, "z": 1}))
    theirs = torch.nn.LSTM(5, 5, num_layers=2, dtype=torch.float64)
    order = np.r_[0:10, 15:20, 10:15]  # torch has the candidate before the output gate
    with torch.no_grad():
        for layer in range(2):
            kernel = policy.parameter(weights, f"lstm.{layer}.kernel", (10, 20))[:, order]
            getattr(theirs, f"weight_ih_l{layer}").copy_(torch.tensor(kernel[:5].T))
            getattr(theirs, f"weight_hh_l{layer}").copy_(torch.tensor(kernel[5:].T))
            bias = policy.parameter(weights, f"lstm.{layer}.bias", (20,))[order]
            getattr(theirs, f"bias_ih_l{layer}").copy_(torch.tensor(bias))
            getattr(theirs, f"bias_hh_l{layer}").zero_()
        inputs = [np.zeros(5)]
        for step in walk[:2]:
            table = policy.parameter(weights, f"embedding {step.head.name}", (step.head.n_tokens, 5))
            inputs.append(table[step.token])
        states = theirs(torch.tensor(np.array(inputs)))[0].numpy()
    expected = []
    for step, state in zip(walk, states, strict=True):
        readout = policy.parameter(weights, f"readout {step.head.name}", (6, step.head.n_tokens))
        logits = np.append(state, 1.0) @ readout
        expected.append(logits[step.token] - np.log(np.exp(logits).sum()))
    np.testing.assert_allclose(policy.forward(weights, Batch((walk,))).log_probs, expected, atol=1e-12)


def test_the_default_is_the_papers():
    assert (LSTM().units, LSTM().layers, LSTM().spread) == (35, 2, 0.08)


# --- anchor points -------------------------------------------------------------------------------


def timeline_of(architecture, space):
    timeline = Timeline()
    return [timeline.place(step.path, step.head) for step in walk_of(space, architecture)]


def test_all_skips_into_a_layer_are_answered_at_its_anchor_point():
    space = EnasMacro(layers=4)
    places = timeline_of(space.sample(np.random.default_rng(0)), space)
    #        0.op  1.op 1.skip_0           2.op 2.skip_0      2.skip_1
    assert [time for time, _ in places] == [0, 1, 2, 3, 4, 4, 5, 6, 6, 6]
    anchors = [anchor for time, anchor in places if time in (2, 4, 6)]
    assert anchors == [NOTHING, NOTHING, 0, NOTHING, 0, 2]  # the stem, then the last step of each layer


def test_skips_into_a_layer_do_not_depend_on_each_other():
    space, policy = EnasMacro(layers=3), LSTM(units=6, spread=1.0, bits=64)
    weights = Weights(1, {})
    base = dict(space.sample(np.random.default_rng(0)))

    def chance(a, b):
        changed = Architecture({**base, "2.skip_0": a, "2.skip_1": b})
        return np.exp(log_probability(policy, weights, walk_of(space, changed)))

    assert chance(True, True) * chance(False, False) == pytest.approx(chance(True, False) * chance(False, True))


def test_a_skip_has_the_probability_of_the_papers_formula():
    space, policy = EnasMacro(layers=3), LSTM(units=4, layers=1, spread=1.0, bits=64)
    weights = Weights(0, {})
    architecture = Architecture({**space.sample(np.random.default_rng(0)), "2.skip_1": True})
    walk = walk_of(space, architecture)
    rollout = policy.rollout(weights)
    for step in walk:
        outputs = rollout.outputs(step.path, step.head)
        rollout.take(step.path, step.head, step.token)
    h_previous, h_current = rollout._tops[0], rollout._tops[4]
    previous, current = (policy.parameter(weights, f"anchor.{name}", (4, 4)) for name in ("previous", "current"))
    v = policy.parameter(weights, "anchor.v", (4,))
    assert outputs[1] - outputs[0] == pytest.approx(v @ np.tanh(h_previous @ previous + h_current @ current))


def test_what_is_skipped_from_is_remembered():
    space, policy = EnasMacro(layers=4), LSTM(units=6, spread=1.0, bits=64)
    base = dict(space.sample(np.random.default_rng(0)))
    steps = []
    for taken in (False, True):
        walk = walk_of(space, Architecture({**base, "2.skip_1": taken}))
        steps.append(policy.forward(Weights(0, {}), Batch((walk,))).log_probs)
    place = list(base).index("3.op")
    assert steps[0][place] != pytest.approx(steps[1][place])


@pytest.mark.parametrize(("bits", "error"), [(32, 1e-6), (64, 1e-12)])
def test_all_architectures_of_a_space_with_skips_have_probabilities_that_sum_to_one(bits, error):
    space, policy = EnasMacro(layers=3), LSTM(units=6, spread=1.0, bits=bits)
    batch = Batch(tuple(walk_of(space, a) for a in space))
    passed = policy.forward(Weights(0, {}), batch)
    chances = np.exp(np.add.reduceat(passed.log_probs, np.r_[0, batch.lengths.cumsum()[:-1]]))
    assert len(chances) == space.size == 6**3 * 2**3
    assert chances.sum() == pytest.approx(1, abs=error)


# --- precision -----------------------------------------------------------------------------------


@pytest.mark.parametrize("space", [EnasMacro(layers=6), NASNet()], ids=["skips", "many steps"])
def test_numbers_of_32_bits_are_enough(space):
    rng = np.random.default_rng(0)
    batch = Batch(tuple(walk_of(space, space.sample(rng)) for _ in range(8)))
    by_logs, by_entropies = rng.normal(size=(2, len(batch.steps)))
    passes = [LSTM(units=20, spread=0.5, bits=bits).forward(Weights(0, {}), batch) for bits in (32, 64)]
    np.testing.assert_allclose(passes[0].log_probs, passes[1].log_probs, atol=1e-5)
    np.testing.assert_allclose(passes[0].entropies, passes[1].entropies, atol=1e-5)
    found, expected = (passed.gradient(by_logs, by_entropies) for passed in passes)
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], array, atol=1e-5 * max(1, np.abs(array).max()))


@pytest.mark.parametrize(("bits", "error"), [(32, 1e-5), (64, 1e-12)])
@pytest.mark.parametrize("space", [EnasMacro(layers=6), NASNet()], ids=["skips", "many steps"])
def test_a_draw_step_by_step_and_a_batch_agree(space, bits, error):
    policy, weights, rng = LSTM(units=20, spread=0.5, bits=bits), Weights(0, {}), np.random.default_rng(0)
    drawn = [draw(policy, weights, space, rng) for _ in range(5)]
    passed = policy.forward(weights, Batch(tuple(walk_of(space, found.architecture) for found in drawn)))
    assert sum(found.entropy for found in drawn) == pytest.approx(passed.entropies.sum(), rel=error)


def test_training_keeps_the_precision():
    space, policy = EnasMacro(layers=3), LSTM(units=6)
    batch = Batch((walk_of(space, space.sample(np.random.default_rng(0))),))
    optimizer, weights = Adam(), Weights(0, {})
    for _ in range(2):
        gradient = policy.forward(weights, batch).gradient(*np.ones((2, len(batch.steps))))
        optimizer, weights = optimizer.stepped(policy, weights, gradient, 0.1)
    arrays = [*weights.arrays.values(), *(a for m in optimizer.moments.values() for a in m[:2])]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


# --- other ---------------------------------------------------------------------------------------


def test_the_seed_sets_the_initial_parameters():
    space = decisions(x=choice(*"abcde"), y=choice(*"abcde"))
    walk = walk_of(space, space.sample(np.random.default_rng(0)))
    chances = [log_probability(LSTM(), Weights(seed, {}), walk) for seed in (0, 0, 1)]
    assert chances[0] == chances[1] != chances[2]


def test_a_space_without_decisions_left_is_drawn():
    space = decisions(x=choice("a"))
    assert draw(LSTM(), Weights(0, {}), space, np.random.default_rng(0)).entropy == 0


@pytest.mark.parametrize(
    "arguments", [{"units": 0}, {"layers": 0}, {"spread": 0.0}, {"spread": np.nan}, {"spread": np.inf}]
)
def test_impossible_arguments_are_refused(arguments):
    with pytest.raises(UsageError, match="units and layers are at least 1"):
        LSTM(**arguments)


def test_numbers_of_other_bits_are_refused():
    with pytest.raises(UsageError, match="bits are 32 or 64, got 16"):
        LSTM(bits=16)
