import numpy as np
import pytest
import torch

from nasturtium.errors import DataError
from nasturtium.tasks._arrays import (
    about,
    check_same_form,
    check_same_length,
    collect,
    encode,
    encode_known,
    examples,
)


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ((5, 7), (5, 7)),
        ((5, 8, 6), (5, 8, 6, 1)),
        ((5, 3, 8, 6), (5, 8, 6, 3)),
        ((5, 8, 6, 3), (5, 8, 6, 3)),
        ((5, 8, 6, 1), (5, 8, 6, 1)),
        ((5, 8, 6, 4), (5, 8, 6, 4)),
        ((5, 3, 3, 3), (5, 3, 3, 3)),
        ((5, 64, 4, 4), (5, 4, 4, 64)),  # feature maps
        ((5, 16, 8, 8), (5, 8, 8, 16)),
    ],
)
def test_layout(shape, wanted):
    assert examples(np.zeros(shape, np.uint8)).shape == wanted


def test_channels_first_is_transposed():
    x = np.arange(2 * 3 * 8 * 6).reshape(2, 3, 8, 6)
    assert examples(x)[1, 7, 5, 2] == x[1, 2, 7, 5]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (np.zeros((2, 3), np.uint8), np.uint8),
        (np.zeros((2, 3), bool), np.uint8),
        (np.zeros((2, 3), np.uint16), np.float32),
        (np.zeros((2, 3), np.int64), np.float32),
        (np.zeros((2, 3), np.float64), np.float32),
        (np.zeros((2, 3), np.float16), np.float32),
        (torch.zeros(2, 3, dtype=torch.uint8), np.uint8),
        (torch.zeros(2, 3, dtype=torch.bfloat16), np.float32),
        (torch.zeros(2, 3, requires_grad=True), np.float32),
        ([[0, 1], [2, 3]], np.float32),
    ],
)
def test_types(values, wanted):
    result = examples(values)
    assert result.dtype == wanted
    assert result.flags.c_contiguous


def test_negative_zero_has_the_bytes_of_zero():
    assert examples(np.array([[-0.0]])).tobytes() == examples(np.array([[0.0]])).tobytes()


def test_the_argument_stays():
    x = np.array([[-0.0, 1.0]], np.float32)
    examples(x)[:] = 7
    assert np.signbit(x[0, 0])


with_nan = np.zeros((4, 3, 8, 8))
with_nan[2, 1, 0, 5] = np.nan
with_nan[3] = np.inf


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (with_nan, r"x must be finite, got 193 NaN or .* the first at x\[2, 1, 0, 5\]; replace"),
        (np.full((2, 2), 1e300), r"fit into float32, below 3.4e38, got 1e\+300; scale it"),
        (np.zeros(5), r"2 dimensions .* got shape \(5,\); reshape"),
        (np.zeros((1, 1, 1, 1, 1)), r"2 dimensions .* got shape \(1, 1, 1, 1, 1\); reshape"),
        (np.zeros((0, 4)), r"hold examples, got shape \(0, 4\)"),
        (np.zeros((4, 3, 0, 8)), r"hold examples, got shape \(4, 3, 0, 8\)"),
        (np.array([["a", "b"]]), r"hold numbers, got an array of <U1; convert"),
        (np.zeros((2, 2), complex), r"hold numbers, got an array of complex128"),
        (np.array([[{}]]), r"hold numbers, got an array of object"),
        ([[1, 2], [3]], r"x must be one array, got rows that differ"),
    ],
)
def test_bad_examples(x, message):
    with pytest.raises(DataError, match=message):
        examples(x)


@pytest.mark.parametrize(
    ("y", "codes", "names"),
    [
        ([3, 10, 3], [0, 1, 0], ("3", "10")),
        (["dog", "cat", "dog"], [1, 0, 1], ("cat", "dog")),
        (np.array(["b", "a"], object), [1, 0], ("a", "b")),
        (torch.tensor([-1, 1]), [0, 1], ("-1", "1")),
        ([True, False], [1, 0], ("0", "1")),
        (np.array([1, 0], np.uint8), [1, 0], ("0", "1")),
    ],
)
def test_labels(y, codes, names):
    result, found = encode(y, None)
    assert result.tolist() == codes
    assert result.dtype == np.int64
    assert found == names


def test_labels_with_named_classes():
    assert encode([1, 0], ("no", "yes"))[0].tolist() == [1, 0]
    assert encode(["yes", "no"], ["no", "yes"])[0].tolist() == [1, 0]


def test_labels_of_a_test_set_are_names_where_classes_come_from_y():
    _, names = encode([3, 10], None)
    assert encode_known([10, 3], names, "y_test", by_name=True).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("y", "classes", "message"),
    [
        ([1, 1, 1], None, r"at least 2 classes, got one only \('1'\)"),
        ([0, 0], ["only"], r"at least 2 classes, got one only \('only'\)"),
        ([0.5, 1.0], None, r"whole numbers or strings, got float64, the first is .*0.5.*astype"),
        (np.array([1, "a", None], object), None, r"whole numbers or strings, got object"),
        ([[0, 1], [1, 0]], None, r"one label per example, .* got shape \(2, 2\); .*argmax"),
        (5, None, r"one label per example, .* got shape \(\)"),
        ([0, 2, 5], ["a", "b"], r"hold the classes 'a', 'b', got 2 in row 1; correct"),
        ([0, -1], ["a", "b"], r"hold the classes 'a', 'b', got -1 in row 1"),
        (["a", "x"], ["a", "b"], r"hold the classes 'a', 'b', got 'x' in row 1"),
        ([0, 40], [str(i) for i in range(30)], r"'9', \.\.\. \(30\), got 40 in row 1"),
        ([0, 1], ["a", "a"], r"classes must have different names, got \('a', 'a'\)"),
    ],
)
def test_bad_labels(y, classes, message):
    with pytest.raises(DataError, match=message):
        encode(y, classes)


def test_lengths_that_differ():
    with pytest.raises(DataError, match="x and y must have the same length, got 3 examples and 2"):
        check_same_length(np.zeros((3, 1)), np.zeros(2, np.int64))


def test_test_examples_of_another_form():
    with pytest.raises(DataError, match=r"form of x, uint8 of shape \(n, 8, 8, 1\), got float32"):
        check_same_form(np.zeros((3, 8, 8, 1), np.uint8), np.zeros((3, 8, 8, 1), np.float32))
    with pytest.raises(DataError, match=r"got uint8 of shape \(n, 9, 8, 1\)"):
        check_same_form(np.zeros((3, 8, 8, 1), np.uint8), np.zeros((3, 9, 8, 1), np.uint8))


def test_collect_reads_pairs():
    pairs = [(torch.zeros(1, 2, 2), torch.tensor(1)), (np.ones((1, 2, 2)), 0)]
    x, y = collect(pairs, "train")
    assert x.shape == (2, 1, 2, 2)
    assert y == [1, 0]


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ([], "train must hold examples, got an empty dataset"),
        ([np.zeros(2)], r"train\[0\] must be a pair \(x, y\), got ndarray"),
        ([(np.zeros(2), 0), (np.zeros(3), 0)], r"one shape, got \(3,\) at 1 after \(2,\)"),
    ],
)
def test_bad_datasets(dataset, message):
    with pytest.raises(DataError, match=message):
        collect(dataset, "train")


def test_a_file_is_named():
    with pytest.raises(DataError, match=r"^data\.npz: wrong$"), about("data.npz"):
        raise DataError("wrong")


@pytest.mark.parametrize("x", [torch.eye(3).to_sparse(), torch.empty(3, 3, device="meta")])
def test_a_tensor_without_dense_values_is_refused(x):
    with pytest.raises(DataError, match="x must be a dense tensor with values, got torch"):
        examples(x)
