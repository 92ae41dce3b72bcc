"""The space of NAS-Bench-Macro (Su et al. 2021)."""

import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import Macro
from nasturtium.testing import Shapes

SPACE = Macro()


def test_there_are_6_561_networks():
    assert SPACE.size == 3**8 == 6_561


@pytest.mark.parametrize(
    ("space", "n_distinct"),
    [(Macro(layers=(2, 3)), 9 * 21), pytest.param(SPACE, 3_969, marks=pytest.mark.slow)],
    ids=["two stages", "the benchmark's"],
)
def test_as_many_keys_as_the_benchmark_trained(space, n_distinct):
    # methods A11 [C]: identities behind a stage's first position commute away.
    assert len({space.graph(a).key for a in space}) == n_distinct


def test_parameters_by_the_formula_of_the_definition():
    def block(digit, c, out):
        if digit == "0":
            return 0 if c == out else c * out + 2 * out
        e, k = {"1": (3, 3), "2": (6, 5)}[digit]
        return (c * e * c + 2 * e * c) + (e * c * k * k + 2 * e * c) + (e * c * out + 2 * out)

    for text in ("00000000", "22222222", "10210021", "01200210"):
        params, c = 27 * 32 + 2 * 32, 32
        for i, digit in enumerate(text):
            out = 2 * c if i in (0, 2, 5) else c
            params, c = params + block(digit, c, out), out
        params += 256 * 1280 + 2 * 1280 + 1280 * 10 + 10
        assert SPACE.graph(SPACE.parse(text)).params == params


def test_the_first_position_of_a_stage_halves_and_doubles():
    shapes = SPACE.graph(SPACE.parse("01010101")).shapes
    assert [shapes[n] for n in ("stem", "mb3_k3_1", "mb3_k3_3", "mb3_k3_7")] == [
        (32, 32, 32),
        (64, 16, 16),
        (128, 8, 8),
        (256, 4, 4),
    ]


def test_texts():
    assert SPACE.text(SPACE.parse(" 01200210\n")) == "01200210"
    assert SPACE.parse('{"layer_0":"mb3_k3",' + ",".join(f'"layer_{i}":"identity"' for i in range(1, 8)) + "}") == (
        SPACE.parse("10000000")
    )
    trained = SPACE.with_training(rate=SPACE.root.blocks[0][1])
    first = next(iter(trained))
    assert trained.parse(trained.text(first)) == first


@pytest.mark.parametrize("text", ["0120021", "01200213", "identity"])
def test_malformed_texts_are_refused(text):
    with pytest.raises(UsageError, match="a network is written as 8 digits"):
        SPACE.parse(text)


def test_widths_transfer_and_odd_images_are_halved_upward():
    a = SPACE.parse("11111111")
    assert SPACE.scaled(filters=8, head=64).on(Shapes((1, 9, 7))).graph(a).shapes["mb3_k3_7"] == (64, 2, 1)


@pytest.mark.parametrize("arguments", [{"layers": ()}, {"layers": (2, 0)}, {"filters": 0}])
def test_impossible_arguments_are_refused(arguments):
    with pytest.raises(UsageError, match="layers, filters and head are at least 1"):
        Macro(**arguments)
