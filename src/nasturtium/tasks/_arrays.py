"""Check a user's arrays and bring them into one form.

Examples become contiguous uint8 or float32 of shape ``(n, height, width, channels)`` or
``(n, features)``; labels become class numbers.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from nasturtium.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    IntArray = NDArray[np.int64]


class Examples(Protocol):
    """What is asked of a torch ``Dataset``: a length, and pairs (x, y) by number."""

    def __len__(self) -> int:
        """Return the number of examples."""
        ...

    def __getitem__(self, index: int, /) -> Any:
        """Return example ``index`` as a pair (x, y)."""
        ...


@contextmanager
def about(path: object) -> Iterator[None]:
    """Put a file's name in front of the errors about its data."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def examples(x: ArrayLike | Tensor, what: str = "x") -> NDArray[Any]:
    """Return examples in the one form.

    Args:
        x: Numbers of shape ``(n, channels, height, width)``, ``(n, height, width, channels)`` with
            1, 3 or 4 channels and a height and width above 4, ``(n, height, width)`` or
            ``(n, features)``.
        what: Its name in messages.

    Raises:
        DataError: Not numbers, no examples, a wrong number of dimensions, or not finite.
    """
    array = array_of(x, what)
    if array.dtype.kind not in "buif":
        raise DataError(f"{what} must hold numbers, got an array of {array.dtype}; convert it to uint8 or float32.")
    if array.ndim not in (2, 3, 4):
        raise DataError(
            f"{what} must have 2 dimensions (n, features), 3 (n, height, width) or 4 "
            f"(n, channels, height, width), got shape {array.shape}; reshape it."
        )
    if 0 in array.shape:
        raise DataError(f"{what} must hold examples, got shape {array.shape}; check its source.")
    if array.dtype.kind == "f":
        _check_finite(array, what)
    array = _channels_last(array)
    if array.dtype in (np.uint8, np.bool_):
        return np.ascontiguousarray(array, np.uint8)
    if (largest := float(np.abs(array).max())) > float(np.finfo(np.float32).max):
        raise DataError(f"{what} must fit into float32, below 3.4e38, got {largest:.3g}; scale it.")
    # The sum makes -0.0 into 0.0, so that equal values have equal bytes.
    return np.ascontiguousarray(array, np.float32) + np.float32(0)


def encode(y: ArrayLike | Tensor, classes: Sequence[str] | None, what: str = "y") -> tuple[IntArray, tuple[str, ...]]:
    """Return class numbers and the classes' names.

    Args:
        y: Whole numbers or strings, shape ``(n,)``.
        classes: The names; None takes the different values of y, sorted. A whole number in y is
            a position in ``classes``, or with None just a name.
        what: Its name in messages.

    Raises:
        DataError: y has another form, or a value that is in no class; or only one class.
    """
    values = _labels(y, what)
    if classes is None:
        found, codes = np.unique(values, return_inverse=True)
        names = tuple(str(value) for value in found.tolist())
    else:
        names = tuple(str(name) for name in classes)
        if len(set(names)) < len(names):
            raise DataError(f"classes must have different names, got {names}; rename one.")
        codes = encode_known(values, names, what)
    if len(names) < 2:
        raise DataError(
            f"{what} must hold at least 2 classes, got one only ({', '.join(map(repr, names))}); "
            "check that it is the column of labels."
        )
    return codes.astype(np.int64), names


def encode_known(y: ArrayLike | Tensor, names: tuple[str, ...], what: str, *, by_name: bool = False) -> IntArray:
    """Return the class numbers of labels whose classes are known.

    Args:
        y: Whole numbers or strings, shape ``(n,)``.
        names: The classes' names.
        what: The name of y in messages.
        by_name: A whole number is a name rather than a position.

    Raises:
        DataError: y has another form, or a value that is in no class.
    """
    values = _labels(y, what)
    if values.dtype.kind == "U" or by_name:
        numbers = {name: number for number, name in enumerate(names)}
        found, inverse = np.unique(values, return_inverse=True)
        codes = np.array([numbers.get(str(value), -1) for value in found.tolist()])[inverse]
    else:
        codes = np.where((values >= 0) & (values < len(names)), values, -1)
    if (codes < 0).any():
        first = int(np.argmax(codes < 0))
        raise DataError(
            f"{what} must hold the classes {_listed(names)}, got {values[first].item()!r} in row "
            f"{first}; correct it, or name every class in classes=."
        )
    return codes.astype(np.int64)


def check_same_length(x: NDArray[Any], y: IntArray, names: str = "x and y") -> None:
    """Raise DataError unless there is one label for each example."""
    if len(x) != len(y):
        raise DataError(
            f"{names} must have the same length, got {len(x)} examples and {len(y)} labels; "
            "one of them belongs to other data."
        )


def check_same_form(x: NDArray[Any], x_test: NDArray[Any]) -> None:
    """Raise DataError unless the test examples have the form of the others."""
    if x.shape[1:] != x_test.shape[1:] or x.dtype != x_test.dtype:
        raise DataError(
            f"x_test must have the form of x, {x.dtype} of shape (n, {_inner(x)}), got "
            f"{x_test.dtype} of shape (n, {_inner(x_test)}); prepare both in the same way."
        )


def collect(dataset: Examples | DataLoader[Any], what: str) -> tuple[NDArray[Any], list[Any]]:
    """Return all examples of a torch Dataset as arrays; random transforms are drawn once.

    Args:
        dataset: Of a DataLoader, the dataset that it loads from is taken.
        what: Its name in messages.

    Raises:
        DataError: It is empty or has no length, an item is no pair (x, y), or the examples' shapes differ.
    """
    held: Any = dataset.dataset if isinstance(dataset, DataLoader) else dataset
    if isinstance(held, IterableDataset):
        raise DataError(f"{what} must have a length and be indexed, got {type(held).__name__}; put it into a list.")
    xs, ys = [], []
    for index in range(len(held)):
        item = held[index]
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            raise DataError(
                f"{what}[{index}] must be a pair (x, y), got {type(item).__name__}; "
                "wrap the dataset in one that returns pairs."
            )
        xs.append(array_of(item[0], f"{what}[{index}][0]"))
        ys.append(item[1].tolist() if isinstance(item[1], (Tensor, np.generic, np.ndarray)) else item[1])
        if xs[-1].shape != xs[0].shape:
            raise DataError(
                f"{what} must hold examples of one shape, got {xs[-1].shape} at {index} after "
                f"{xs[0].shape}; resize them in the dataset's transform."
            )
    if not xs:
        raise DataError(f"{what} must hold examples, got an empty dataset; check its source.")
    return np.stack(xs), ys


def array_of(values: ArrayLike | Tensor, what: str) -> NDArray[Any]:
    """Return values as one array.

    Raises:
        DataError: Rows differ in length, or a tensor is sparse or without values.
    """
    if isinstance(values, Tensor):
        if values.layout != torch.strided or values.is_meta:
            raise DataError(
                f"{what} must be a dense tensor with values, got {values.layout} on {values.device}; fill it."
            )
        values = values.detach().cpu()
        # numpy has no bfloat16.
        return (values.float() if values.dtype == torch.bfloat16 else values).numpy()
    try:
        return np.asarray(values)
    except (ValueError, TypeError) as error:
        raise DataError(f"{what} must be one array, got rows that differ ({error}).") from error


def _labels(y: ArrayLike | Tensor, what: str) -> NDArray[Any]:
    values = array_of(y, what)
    if values.dtype.kind == "O" and all(isinstance(value, str) for value in values.flat):
        values = values.astype(np.str_)
    if values.ndim != 1:
        raise DataError(
            f"{what} must have one label per example, shape (n,), got shape {values.shape}; "
            "for one-hot rows use y.argmax(1)."
        )
    if values.dtype.kind not in "buiU":
        shown = f", the first is {values[0]!r}" if len(values) else ""
        raise DataError(
            f"{what} must hold whole numbers or strings, got {values.dtype}{shown}; convert it, as with y.astype(int)."
        )
    return values.astype(np.int64) if values.dtype.kind in "iub" else values


def _channels_last(array: NDArray[Any]) -> NDArray[Any]:
    """Return ``(n, height, width, channels)`` or ``(n, features)``."""
    if array.ndim == 3:
        return array[..., None]
    if array.ndim == 4:
        _, second, third, last = array.shape
        if last in (1, 3, 4) and min(second, third) > 4:  # no height or width is that small
            return array
        return array.transpose(0, 2, 3, 1)
    return array


def _check_finite(array: NDArray[Any], what: str) -> None:
    finite = np.isfinite(array)
    if not finite.all():
        first = np.unravel_index(int(np.argmin(finite)), array.shape)
        place = ", ".join(str(int(i)) for i in first)
        raise DataError(
            f"{what} must be finite, got {finite.size - int(finite.sum())} NaN or infinite values, "
            f"the first at {what}[{place}]; replace them or remove those examples."
        )


def _inner(array: NDArray[Any]) -> str:
    return ", ".join(map(str, array.shape[1:]))


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(map(repr, names[:10]))
    return shown if len(names) <= 10 else f"{shown}, ... ({len(names)})"
