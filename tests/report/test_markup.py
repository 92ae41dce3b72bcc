import pytest

from nasturtium.report._markup import Markup, coordinate, element, join, text


def test_text_is_escaped_once():
    assert text("<b> & \"'") == "&lt;b&gt; &amp; &quot;&#x27;"
    assert text(text("<")) == "&lt;"


@pytest.mark.parametrize("bad", ["\x00", "\x1b", "\ud800", "\x7f"])
def test_characters_that_no_page_may_hold_are_replaced(bad):
    assert text(f"a{bad}b") == "a\ufffdb"
    text(f"a{bad}b").encode("utf-8")


def test_attributes_and_children_are_escaped():
    built = element("p", "<i>", Markup("<b/>"), class_='"><script>', data_value=None)
    assert built == '<p class="&quot;&gt;&lt;script&gt;">&lt;i&gt;<b/></p>'


def test_names_of_attributes_are_html():
    assert element("td", data_value=2, class_="x") == '<td data-value="2" class="x"></td>'
    assert element("circle", cx=1.5, r=2) == '<circle cx="1.5" r="2"/>'


def test_join_keeps_markup_and_escapes_the_rest():
    assert join([Markup("<b/>"), "<", 3]) == "<b/>&lt;3"


@pytest.mark.parametrize(("value", "short"), [(1.0, "1"), (-0.001, "0"), (1.239, "1.24"), (10.0, "10")])
def test_coordinates_are_short(value, short):
    assert coordinate(value) == short
