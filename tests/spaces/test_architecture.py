"""Architecture: a value with an exact text."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasturtium.spaces import Architecture

SCALARS = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=6)


@given(st.dictionaries(st.text(), VALUES, max_size=6))
@settings(deadline=None)
def test_json_and_pickle_give_back_the_same(content):
    a = Architecture(content)
    for again in (Architecture.from_json(a.to_json()), pickle.loads(pickle.dumps(a))):
        assert again == a
        assert (again.text, again.key, hash(again)) == (a.text, a.key, hash(a))
        assert dict(again) == content


def test_it_is_a_mapping_in_its_own_order():
    a = Architecture({"op": "conv", "kernel": 3})
    assert list(a) == ["op", "kernel"]
    assert (a["op"], a.get("kernel"), a.get("other"), len(a)) == ("conv", 3, None, 2)
    assert "op" in a
    assert 3 not in a


def test_equality_is_of_texts():
    assert Architecture({"x": 1}) != Architecture({"x": 1.0})
    assert Architecture({"x": 1}) != Architecture({"x": True})
    assert Architecture({"x": (1,)}) == Architecture({"x": [1]})
    assert Architecture({"x": 1}) != {"x": 1}


def test_it_does_not_follow_the_mapping_it_was_made_of():
    content = {"x": 1}
    a = Architecture(content)
    content["x"] = 2
    assert a["x"] == 1


def test_changed_gives_another_one():
    a = Architecture({"x": 1, "y": 2})
    b = a.changed("x", 3)
    assert (dict(a), dict(b)) == ({"x": 1, "y": 2}, {"x": 3, "y": 2})
    assert list(b) == ["x", "y"]


def test_keys_stay_the_same_in_every_release():
    # A change here makes stored studies unreadable.
    keys = {
        "01e7b720ff566d53": {},
        "745cf22e5f041824": {"kernel": 3, "op": "conv"},
        "2f7d42515837c923": {"sides": (1, (2, 3)), "rate": 0.1, "flag": True, "none": None, "é": "ü"},
    }
    assert {Architecture(content).key: content for content in keys.values()} == keys


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1}])
def test_what_has_no_json_has_no_text(value):
    with pytest.raises((ValueError, TypeError)):
        _ = Architecture({"x": value}).text


def test_its_repr_can_be_evaluated():
    a = Architecture({"x": (1, 2), "y": None})
    assert eval(repr(a)) == a


def test_the_content_of_a_form_is_written_when_it_is_asked_for():
    written = []

    class Pair:
        def content(self):
            written.append(1)
            return {"x": 1, "y": (2, 3)}

    pair = Pair()
    a = Architecture.of(pair)
    assert a.form is pair
    assert not written
    assert a == Architecture({"x": 1, "y": (2, 3)})
    assert (a["x"], dict(a), pickle.loads(pickle.dumps(a))) == (1, dict(a), a)
    assert (written, a.form) == ([1], None)
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = a.other
