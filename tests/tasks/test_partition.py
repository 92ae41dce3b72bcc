import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasturtium.errors import DataError
from nasturtium.tasks._partition import partition, prefix, ranks

CLASSES = ("a", "b", "c")


@st.composite
def data(draw, min_distinct=3):
    """Return x (n, 2) and y (n,) with repeated examples, some of them with another label."""
    rows, labels = [], []
    for label in range(draw(st.integers(2, 3))):
        for number in range(draw(st.integers(min_distinct, 12))):
            copies = draw(st.sampled_from([1, 1, 1, 2, 7]))
            rows += [[label, number]] * copies
            labels += [label] * copies
    if draw(st.booleans()):  # the first example once more, labeled otherwise
        rows.append(rows[0])
        labels.append(1)
    return np.array(rows, np.uint8), np.array(labels, np.int64)


def contents(x, rows):
    return {row.tobytes() for row in x[rows]}


def groups(x, y, label):
    return contents(x, y == label)


@settings(deadline=None, max_examples=60)
@given(data())
def test_parts_share_no_content_and_lose_nothing(xy):
    x, y = xy
    parts = partition(x, y, CLASSES[: y.max() + 1])
    train, valid, test = (contents(x, rows) for rows in (parts.train, parts.valid, parts.test))
    assert not train & valid
    assert not train & test
    assert not valid & test
    assert sorted([*parts.train, *parts.valid, *parts.test]) == list(range(len(x)))


@settings(deadline=None, max_examples=60)
@given(data(), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(xy, random):
    x, y = xy
    order = list(range(len(x)))
    random.shuffle(order)
    names = CLASSES[: y.max() + 1]
    one, other = partition(x, y, names), partition(x[order], y[order], names)
    assert one.content == other.content
    for part in ("train", "valid", "test"):
        rows, other_rows = getattr(one, part), getattr(other, part)
        assert (x[rows] == x[order][other_rows]).all()
        assert (y[rows] == y[order][other_rows]).all()


@settings(deadline=None, max_examples=60)
@given(data())
def test_every_part_has_its_share_of_each_class(xy):
    x, y = xy
    parts = partition(x, y, CLASSES[: y.max() + 1])
    for label in range(y.max() + 1):
        n = len(groups(x, y, label))
        n_test = max(1, int(n / 5 + 0.5))
        n_valid = max(1, int((n - n_test) / 5 + 0.5))
        relabeled = 1  # one example may belong to another class, too
        for rows, wanted in (
            (parts.test, n_test),
            (parts.valid, n_valid),
            (parts.train, n - n_test - n_valid),
        ):
            found = len(contents(x, rows[y[rows] == label]))
            assert abs(found - wanted) <= relabeled
            assert found >= 1


@settings(deadline=None, max_examples=60)
@given(data(min_distinct=8), st.integers(1, 5))
def test_own_test_set_stays_as_it_is(xy, n_test):
    x, y = xy
    # Half of the test set are training examples, which have to give way.
    more = np.concatenate([x[:n_test], np.full((n_test, 2), 200, np.uint8)])
    more_y = np.zeros(len(more), np.int64)
    both, both_y = np.concatenate([x, more]), np.concatenate([y, more_y])
    names = CLASSES[: y.max() + 1]
    parts = partition(both, both_y, names, len(more))
    assert sorted(parts.test) == list(range(len(x), len(both)))
    left = contents(both, parts.train) | contents(both, parts.valid)
    assert left == contents(x, np.arange(len(x))) - contents(more, np.arange(len(more)))
    assert not contents(both, parts.train) & contents(both, parts.valid)


def test_parts_are_in_content_order_so_classes_are_mixed():
    x = np.arange(400, dtype=np.float32).reshape(200, 2)
    y = np.repeat([0, 1], 100)
    parts = partition(x, y, ("a", "b"))
    changes = np.count_nonzero(np.diff(y[parts.train]))
    assert changes > len(parts.train) / 4


def test_content_depends_on_data_labels_names_type_and_parts():
    x = np.arange(60, dtype=np.uint8).reshape(30, 2)
    y = np.arange(30) % 2
    relabeled = y.copy()
    relabeled[0] = 1
    hashes = [
        partition(x, y, ("a", "b")).content,
        partition(x + 1, y, ("a", "b")).content,
        partition(x, relabeled, ("a", "b")).content,
        partition(x, y, ("a", "c")).content,
        partition(x.reshape(30, 2, 1, 1), y, ("a", "b")).content,
        partition(x.astype(np.float32), y, ("a", "b")).content,
        partition(x, y, ("a", "b"), n_test=4).content,
    ]
    assert len(set(hashes)) == len(hashes)


def test_content_is_stable_across_releases():
    # Stored studies compare it; a change needs a new version in the hashed text.
    x = np.arange(60, dtype=np.uint8).reshape(30, 2)
    content = partition(x, np.arange(30) % 2, ("a", "b")).content
    assert content == "fe5357095045d971b0f720a11810f130"


@pytest.mark.parametrize(("n_test", "needed"), [(0, 3), (4, 2)])
def test_a_class_needs_different_examples(n_test, needed):
    x = np.array([[i] for i in range(10)] + [[100]] * 5, np.uint8)  # five times the same
    y = np.array([0] * 10 + [1] * 5)
    more = np.arange(200, 200 + n_test, dtype=np.uint8)[:, None]
    x, y = np.concatenate([x, more]), np.concatenate([y, np.zeros(n_test, np.int64)])
    with pytest.raises(DataError, match=rf"at least {needed} different .* got 1 in class 'b': add"):
        partition(x, y, ("a", "b"), n_test)


def test_a_declared_class_without_examples():
    x = np.arange(20, dtype=np.uint8)[:, None]
    with pytest.raises(DataError, match="got 0 in class 'c'"):
        partition(x, np.arange(20) % 2, ("a", "b", "c"))


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_ranks_count_within_each_label(labels):
    rank, counts = ranks(np.array(labels))
    for label in set(labels):
        assert rank[np.array(labels) == label].tolist() == list(range(labels.count(label)))
        assert counts[label] == labels.count(label)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=60),
    st.floats(0.01, 1),
    st.floats(0.01, 1),
)
def test_prefixes_are_nested_and_stratified(labels, one, other):
    y = np.array(labels)
    small, large = (prefix(y, fraction) for fraction in sorted((one, other)))
    assert set(small) <= set(large)
    assert set(y[small]) == set(labels)
    for label in set(labels):
        share = np.count_nonzero(y[large] == label) / labels.count(label)
        assert share >= max(one, other)
        assert share < max(one, other) + 1 / labels.count(label)
    assert prefix(y, 1.0).tolist() == list(range(len(y)))
