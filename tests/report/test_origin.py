from nasturtium.report._origin import origin_section


def test_everything_that_makes_the_study_again_is_there(studies):
    html = origin_section(studies().found())
    for part in (
        "<code>nasturtium search digits --trials 3</code>",
        "digits, content hash 0123abcd",
        "chain(stages=2)",
        "random-search",
        "my.script.Estimator (a class of a script)",
        "nasturtium 0.1.0, torch 2.13.0",
        "1 events",
    ):
        assert part in html


def test_a_command_as_a_list_is_quoted(studies):
    html = origin_section(studies().found(command=["nasturtium", "search", "a b"]))
    assert "<code>nasturtium search &#x27;a b&#x27;</code>" in html


def test_little_is_enough(studies):
    found = studies().found()
    html = origin_section(type(found)(found.history, {}))
    assert "unnamed" in html
    assert "not recorded (started from Python)" in html


def test_what_is_no_json_is_shown_as_text(studies):
    assert "&lt;object object" in origin_section(studies().found(odd=object()))
