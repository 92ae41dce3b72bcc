"""Merges without weights."""

import pytest
import torch

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import Builder
from nasturtium.graphs import operations as o
from nasturtium.networks import build


def merged(op, *shapes):
    b = Builder()
    return build(b.graph(b.add("merge", op, *(b.input(f"x{i}", shape) for i, shape in enumerate(shapes)))))


def test_a_shortcut_is_a_strided_slice_with_zeros_behind():
    op = o.Shortcut(2, 5)
    assert op.shape((3, 7, 4)) == (5, 4, 2)
    x = torch.randn(2, 3, 7, 4)
    result = merged(op, (3, 7, 4))(x)
    assert torch.equal(result[:, :3], x[:, :, ::2, ::2])
    assert result[:, 3:].abs().sum() == 0


def test_the_sum_of_shortcuts_is_the_shortcut_of_the_sum():
    x, y, z = torch.randn(2, 3, 7, 7), torch.randn(2, 3, 7, 7), torch.randn(2, 4, 2, 2)
    both = merged(o.ShortcutSum(), (3, 7, 7), (3, 7, 7), (4, 2, 2))(x, y, z)
    assert torch.allclose(both, merged(o.ShortcutSum(), (3, 7, 7), (4, 2, 2))(x + y, z), atol=1e-6)


def test_a_stride_follows_what_repeated_halving_gives():
    # 7 -> 4 -> 2 pixels by two convolutions with stride 2: pixels 0 and 4 of the image.
    x, z = torch.arange(7.0).view(1, 1, 1, 7).expand(1, 1, 7, 7), torch.zeros(1, 1, 2, 2)
    assert merged(o.ShortcutConcat(), (1, 7, 7), (1, 2, 2))(x, z)[0, 0, 0].tolist() == [0, 4]


def test_what_fits_is_left_alone():
    assert [n.name for n in o.ShortcutSum().opened((3, 4, 4), (3, 4, 4)).nodes] == ["x0", "x1", "merge"]


@pytest.mark.parametrize("shapes", [((3, 9, 9), (3, 4, 4)), ((5,), (3, 4, 4)), ()])
def test_images_that_are_no_halves_of_each_other_are_refused(shapes):
    with pytest.raises(ShapeError, match=r"images|halves"):
        o.ShortcutSum().shape(*shapes)


def test_wrong_arguments_are_refused():
    with pytest.raises(UsageError, match="a stride is positive"):
        o.Shortcut(0)
    with pytest.raises(ShapeError, match="at most 2 channels"):
        o.Shortcut(1, 2).shape((3, 4, 4))
