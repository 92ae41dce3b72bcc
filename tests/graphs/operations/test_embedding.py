import pytest

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import operations as o


def test_a_token_becomes_its_vector():
    op = o.Embedding(12, 4)
    assert (op.shape(()), op.params(()), op.macs(())) == ((4,), 48, 0)
    assert op.symbol(()).source() == "nn.Embedding(12, 4)"


def test_wrong_arguments_and_inputs_are_refused():
    with pytest.raises(UsageError, match="tokens and out are at least 1"):
        o.Embedding(12, 0)
    with pytest.raises(ShapeError, match="one input of single tokens"):
        o.Embedding(12, 4).shape((3,))
    with pytest.raises(ShapeError, match=r"tokens=, or a space bound to a task"):
        o.Embedding().shape(())
