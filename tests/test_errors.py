"""The tree of errors."""

import inspect

import pytest

from nasturtium import errors
from nasturtium.errors import near_matches

LEAVES = {
    errors.UsageError: ValueError,
    errors.UnknownNameError: KeyError,
    errors.RequirementError: ValueError,
    errors.ShapeError: ValueError,
    errors.DataError: ValueError,
    errors.StudyExistsError: ValueError,
    errors.NoFeasibleNeighbor: RuntimeError,
    errors.SearchFinished: RuntimeError,
    errors.StorageError: RuntimeError,
    errors.LogMovedOn: RuntimeError,
    errors.LeaseTaken: RuntimeError,
    errors.ParityError: RuntimeError,
    errors.MissingExtraError: ImportError,
}


@pytest.mark.parametrize("error", LEAVES, ids=lambda error: error.__name__)
def test_every_error_is_ours_and_what_a_caller_would_expect(error):
    assert issubclass(error, errors.NasturtiumError)
    assert issubclass(error, LEAVES[error])


def test_every_error_is_in_the_tree_at_the_head_of_the_module():
    found = {
        error for _, error in inspect.getmembers(errors, inspect.isclass) if issubclass(error, errors.NasturtiumError)
    }
    assert found == {errors.NasturtiumError, *LEAVES}
    assert [error.__name__ for error in found if error.__name__ not in errors.__doc__] == []


@pytest.mark.parametrize("error", [errors.NasturtiumError, *LEAVES], ids=lambda e: e.__name__)
def test_a_message_is_shown_as_it_is(error):
    assert str(error("the rule, got x; do y.")) == "the rule, got x; do y."


def test_near_matches_offer_the_nearest_and_all():
    assert near_matches("nasnett", ["nasnet", "chain"]) == "did you mean 'nasnet'? Known: chain, nasnet."
    assert near_matches("zzz", ["nasnet", "chain"]) == "Known: chain, nasnet."
