"""Splits that follow from the examples' content alone.

Every example is hashed. Of each class the fifth with the smallest hashes is the test part, of the
rest the next fifth is the validation part. So the order of files or rows, the process and the
machine don't matter, and examples with the same pixels are always in the same part, whatever their
labels are.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from nasturtium.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]

TRAIN, VALID, TEST = 0, 1, 2


@dataclass(frozen=True)
class Partition:
    """Which example is in which part: row numbers in content order.

    Args:
        train: Rows of the training part.
        valid: Rows of the validation part.
        test: Rows of the test part.
        content: A hash of all examples, labels and parts, hexadecimal.
    """

    train: IntArray
    valid: IntArray
    test: IntArray
    content: str


def partition(
    x: NDArray[Any],
    y: IntArray,
    classes: Sequence[str],
    n_test: int = 0,
    *,
    strata: IntArray | None = None,
    has_test: bool = True,
) -> Partition:
    """Divide examples into train, validation and test part by their content.

    Args:
        x: Examples, shape ``(n, ...)``, contiguous.
        y: Class numbers, or others that follow from an example's label alone; shape ``(n,)``.
        classes: The classes' names.
        n_test: So many rows at the end are the data set's own test part, which stays as it is;
            examples that occur in it are taken out of the others.
        strata: Numbers of what every part has a share of; the class numbers by default.
        has_test: Whether there is a test part. Without, classes with a single example are allowed,
            which then is a training example.

    Raises:
        DataError: A class has too few different examples to be in every part.
    """
    keys = _keys(x)
    order = np.lexsort((y, keys[:, 1], keys[:, 0]))
    ordered = keys[order]
    is_first = np.r_[True, (ordered[1:] != ordered[:-1]).any(axis=1)]
    group = np.empty(len(x), np.int64)  # of each row; a group is the rows with the same x
    group[order] = np.cumsum(is_first) - 1
    label = (y if strata is None else strata)[order][is_first]  # of each group

    part = np.full(len(label), TRAIN)
    part[group[len(x) - n_test :]] = TEST
    if has_test:
        _check(label[part == TRAIN], classes, own_test=n_test > 0)
    for carved in (TEST, VALID) if has_test and not n_test else (VALID,):
        rest = np.flatnonzero(part == TRAIN)
        part[rest[_first_fifth(label[rest])]] = carved

    row_part = part[group]
    own = np.arange(len(x)) >= len(x) - n_test
    rows = {p: order[row_part[order] == p] for p in (TRAIN, VALID, TEST)}
    test = rows[TEST][own[rows[TEST]]] if n_test else rows[TEST]
    content = _content(classes, x, [(keys[r], y[r]) for r in (rows[TRAIN], rows[VALID], test)])
    return Partition(rows[TRAIN], rows[VALID], test, content)


def ranks(labels: IntArray) -> tuple[IntArray, IntArray]:
    """Return each item's position among those of its label, and the size of each label.

    Example:
        >>> ranks(np.array([0, 1, 0, 0]))
        (array([0, 0, 1, 2]), array([3, 1]))
    """
    counts = np.bincount(labels)
    order = np.argsort(labels, kind="stable")
    starts = np.cumsum(counts) - counts
    result = np.empty(len(labels), np.int64)
    result[order] = np.arange(len(labels)) - starts[labels[order]]
    return result, counts


def prefix(labels: IntArray, fraction: float) -> IntArray:
    """Return the positions of the first ``fraction`` of each class, at least one, in order.

    A smaller fraction's positions are among those of a larger one.

    Args:
        labels: Class numbers in content order, shape ``(n,)``.
        fraction: In (0, 1].

    Example:
        >>> prefix(np.array([0, 1, 0, 0, 1, 0]), 0.5)
        array([0, 1, 2])
    """
    rank, counts = ranks(labels)
    return np.flatnonzero(rank < np.ceil(counts * fraction)[labels])


def _first_fifth(labels: IntArray) -> NDArray[np.bool_]:
    rank, counts = ranks(labels)
    # A fifth, halves rounded up; a single example stays where it is.
    wanted = np.minimum(np.maximum(1, (2 * counts + 5) // 10), counts - 1)
    return rank < wanted[labels]


def _keys(x: NDArray[Any]) -> NDArray[np.uint64]:
    """Return 128 bits of hash per example, shape ``(n, 2)``; their order is that of the bytes."""
    rows = x.reshape(len(x), -1)
    digests = b"".join([blake2b(row.data, digest_size=16).digest() for row in rows])
    return np.frombuffer(digests, ">u8").reshape(-1, 2).astype(np.uint64)


def _content(classes: Sequence[str], x: NDArray[Any], parts: list[tuple[NDArray[np.uint64], IntArray]]) -> str:
    digest = blake2b(digest_size=16)
    digest.update(repr(("nasturtium task 1", tuple(classes), x.shape[1:], x.dtype.str)).encode())
    for keys, labels in parts:
        digest.update(repr(len(keys)).encode())
        digest.update(keys.astype(">u8").tobytes())
        digest.update(labels.astype(">i8").tobytes())
    return digest.hexdigest()


def _check(labels: IntArray, classes: Sequence[str], *, own_test: bool) -> None:
    counts = np.bincount(labels, minlength=len(classes))
    needed = 2 if own_test else 3
    for name, count in zip(classes, counts, strict=True):
        if count < needed:
            parts = "train and valid" if own_test else "train, valid and test"
            beside = " beside the test examples" if own_test else ""
            raise DataError(
                f"a class needs at least {needed} different examples{beside}, one each for "
                f"{parts}; got {count} in class {name!r}: add some, or leave that class out."
            )
