"""What a user's arrays hold: the kind of y, and its values beside x in one form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nasturtium.errors import DataError, UsageError
from nasturtium.tasks._arrays import array_of, check_same_form, check_same_length, encode, encode_known, examples
from nasturtium.tasks._goals import Classification, Goal, MultiLabel, Regression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from torch import Tensor

    from nasturtium.tasks._goals import Kind

KINDS = ("classification", "multi-label", "regression")


@final
@dataclass(frozen=True)
class Labelled:
    """Examples and labels in one form, the data set's own test examples behind the others.

    Args:
        inputs: As ``examples`` gives them.
        values: As ``targets`` gives them.
        goal: What the values mean; not ``fitted`` yet.
        n_test: How many at the end are the data set's own test examples; 0 if it has none.
    """

    inputs: NDArray[Any]
    values: NDArray[Any]
    goal: Goal
    n_test: int


def labelled(
    x: ArrayLike | Tensor,
    y: ArrayLike | Tensor,
    test: tuple[ArrayLike | Tensor | None, ArrayLike | Tensor | None],
    *,
    kind: Kind | None,
    classes: Sequence[str] | None,
) -> Labelled:
    """Return a user's arrays in one form; the arguments are those of ``Task.from_tensors``.

    Args:
        x: Examples.
        y: Their labels.
        test: ``x_test`` and ``y_test``.
        kind: What y is.
        classes: Names of the classes, labels or targets.

    Raises:
        DataError: The data is unusable, or a test set has only one of its two halves.
    """
    inputs, (values, goal) = examples(x), targets(y, kind, classes)
    check_same_length(inputs, values)
    x_test, y_test = test
    if x_test is None and y_test is None:
        return Labelled(inputs, values, goal, 0)
    if x_test is None or y_test is None:
        given, lacking = ("x_test", "y_test") if y_test is None else ("y_test", "x_test")
        raise DataError(f"a test set is x_test and y_test, got {given} alone; add {lacking}.")
    more = examples(x_test, "x_test")
    more_values = known_targets(y_test, goal, "y_test", by_name=classes is None)
    check_same_form(inputs, more)
    check_same_length(more, more_values, "x_test and y_test")
    return Labelled(np.concatenate([inputs, more]), np.concatenate([values, more_values]), goal, len(more))


def targets(
    y: ArrayLike | Tensor, kind: Kind | None, names: Sequence[str] | None, what: str = "y"
) -> tuple[NDArray[Any], Goal]:
    """Return y in one form, and what it means.

    Args:
        y: Class numbers or names, shape ``(n,)``; numbers to predict, ``(n,)`` or ``(n, targets)``;
            or labels as 0 and 1, ``(n, labels)``.
        kind: What it is; None finds out: whole numbers and strings are classes, columns of whole
            numbers are labels, other numbers are numbers.
        names: Of the classes, labels or targets; None takes the classes' values, or counts.
        what: The name of y in messages.

    Returns:
        Class numbers ``(n,)``, labels or numbers ``(n, columns)`` as float64; and the goal, which
        is still to be ``fitted``.

    Raises:
        UsageError: There is no such kind.
        DataError: y has another form than its kind says, or values that are missing.
    """
    if kind is not None and kind not in KINDS:
        raise UsageError(f"kind is one of {', '.join(KINDS)}, got {kind!r}; choose one.")
    values = array_of(y, what)
    kind = kind or _found(values, what)
    if kind == "classification":
        codes, classes = encode(y, names, what)
        return codes, Classification(classes)
    columns = _columns(values, what)
    if names is not None and len(names) != columns.shape[1]:
        raise DataError(f"{what} must have a column per name, got {columns.shape[1]} for {len(names)}; name each.")
    found = tuple(map(str, range(columns.shape[1]) if names is None else names))
    if kind == "regression":
        return columns, Regression(found)
    if not np.isin(columns, (0, 1)).all():
        raise DataError(f"{what} must hold 0 or 1 for each label, got {columns.max():g}; correct it.")
    return columns, MultiLabel(found)


def known_targets(y: ArrayLike | Tensor, goal: Goal, what: str, *, by_name: bool) -> NDArray[Any]:
    """Return the y of a test set, whose goal is known.

    Raises:
        DataError: It has another form.
    """
    if isinstance(goal, Classification):
        return encode_known(y, goal.classes, what, by_name=by_name)
    columns = _columns(array_of(y, what), what)
    if columns.shape[1] != goal.n_outputs:
        raise DataError(f"{what} must have the columns of y, got {columns.shape[1]} for {goal.n_outputs}; add or drop.")
    return columns


def _found(values: NDArray[Any], what: str) -> Kind:
    if values.ndim == 1:
        if values.dtype.kind != "f":
            return "classification"
        if np.isfinite(values).all() and (values == np.round(values)).all():
            raise DataError(
                f"{what} may be classes or numbers, got whole numbers as {values.dtype}; convert it, as with "
                "y.astype(int), or say kind='regression'."
            )
        return "regression"
    if values.ndim == 2 and values.dtype.kind in "biu":
        if (values.sum(axis=1) == 1).all():
            raise DataError(
                f"{what} may be classes or labels, got one-hot rows of shape {values.shape}; use y.argmax(1), or say "
                "kind='multi-label'."
            )
        return "multi-label"
    return "regression"


def _columns(values: NDArray[Any], what: str) -> NDArray[np.float64]:
    """Return numbers of shape ``(n, columns)``."""
    if values.ndim not in (1, 2) or values.dtype.kind not in "biuf" or 0 in values.shape:
        raise DataError(
            f"{what} must hold numbers of shape (n,) or (n, columns), got {values.dtype} of shape {values.shape}; "
            "convert it."
        )
    columns = np.ascontiguousarray(values.reshape(len(values), -1), np.float64)
    missing = ~np.isfinite(columns).all(1)
    if missing.any():
        raise DataError(
            f"{what} must hold a value for every example, got {int(missing.sum())} NaN or infinite ones, the first in "
            f"row {int(np.argmax(missing))}; fill them, or leave those examples out."
        )
    return columns + 0.0  # -0.0 becomes 0.0
