"""Which widths of a network belong together."""

from nasturtium.graphs import Builder
from nasturtium.graphs import operations as o
from nasturtium.spaces._channels import channel_groups


def groups_of(b, wire, ties=()):
    return {group.members: group for group in channel_groups(b.graph(wire), ties)}


def started(channels=3):
    b = Builder()
    return b, b.input("image", (channels, 8, 8))


def test_a_sum_ties_its_sides_and_a_plain_convolution_does_not_tie_its_input():
    b, x = started()
    x = b.add("stem", o.Conv2d(8), x)
    y = b.add("norm", o.BatchNorm(), b.add("inner", o.Conv2d(16), x))
    y = b.add("outer", o.Conv2d(8), y)
    found = groups_of(b, b.add("sum", o.Add(), x, y))
    tied, inner = found[frozenset({"stem", "outer", "sum"})], found[frozenset({"inner", "norm"})]
    assert (tied.producers, tied.width, tied.is_free) == (("stem", "outer"), 8, True)
    assert (inner.producers, inner.width, inner.is_free) == (("inner",), 16, True)
    assert not found[frozenset({"image"})].is_free


def test_a_depthwise_convolution_ties_and_a_grouped_one_asks_for_multiples():
    b, x = started()
    x = b.add("depthwise", o.Conv2d(groups=0), b.add("stem", o.Conv2d(8), x))
    found = groups_of(b, b.add("grouped", o.Conv2d(12, groups=4), x))
    assert found[frozenset({"stem", "depthwise"})].multiple == 4
    assert found[frozenset({"grouped"})].multiple == 4


def test_a_concatenation_leaves_its_parts_free_unless_it_is_added_to_something():
    def parts_are_free(is_added):
        b, x = started()
        a, c = b.add("a", o.Conv2d(4), x), b.add("c", o.Conv2d(4), x)
        joined = b.add("join", o.Concat(), a, c)
        if is_added:
            joined = b.add("sum", o.Add(), joined, b.add("d", o.Conv2d(8), x))
        found = channel_groups(b.graph(joined), ())
        return {name: group.is_free for group in found for name in group.producers}

    assert parts_are_free(is_added=False) == {"a": True, "c": True}
    assert parts_are_free(is_added=True) == {"a": False, "c": False, "d": False}


def test_a_flattened_image_is_free_and_a_flattened_vector_is_tied():
    b, x = started()
    x = b.add("flat", o.Flatten(), b.add("stem", o.Conv2d(8), x))
    x = b.add("again", o.Flatten(), b.add("hidden", o.Linear(6), x))
    found = groups_of(b, x)
    assert found[frozenset({"stem"})].is_free
    assert found[frozenset({"hidden", "again"})].is_free


def test_what_an_unknown_layer_reads_is_not_free():
    b, x = started()
    x = b.add("stem", o.Conv2d(8), x)
    x = b.add("unknown", o.Reduce(), x)
    found = groups_of(b, b.add("after", o.Conv2d(8), x))
    assert not found[frozenset({"stem"})].is_free
    assert found[frozenset({"after"})].is_free


def test_ties_from_outside_count():
    b, x = started()
    x = b.add("one", o.Conv2d(8), x)
    x = b.add("two", o.Conv2d(8), x)
    assert frozenset({"one", "two"}) in groups_of(b, x, ties=[("two", "one")])
