import re
from html.parser import HTMLParser
from math import inf, nan

import pytest

from nasturtium.errors import UsageError
from nasturtium.report import FinalResults, write_report
from nasturtium.report._page import SECTIONS
from nasturtium.trials import State

VOID = {"meta"}


class Checker(HTMLParser):
    """Checks that every element that is opened is closed, and collects what refers to elsewhere."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.ids = []
        self.references = []
        self.text = []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        self.note(attributes)

    def handle_startendtag(self, tag, attributes):
        self.note(attributes)

    def note(self, attributes):
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "action", "data", "srcset", "xlink:href"):
                self.references.append(value)
            assert not name.startswith("on")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def checked(path):
    page = path.read_text(encoding="utf-8")
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))
    assert all(reference.startswith("#") for reference in checker.references)
    assert {reference[1:] for reference in checker.references} <= set(checker.ids)
    assert "http://" not in page
    assert "https://" not in page
    assert "@import" not in page
    assert "url(" not in page
    return page, checker


def written(study, tmp_path, **more):
    return checked(write_report(study.history, study.created, tmp_path / "report.html", **more))


def test_the_page_has_every_section_and_trial(networks, tmp_path):
    study = networks()
    for i in range(5):
        study.end(valid_error=0.5 - i / 10, params=10.0 + i)
    study.fail("boom")
    page, checker = written(study, tmp_path)
    assert {section.anchor for section in SECTIONS} <= set(checker.ids)
    assert {f"trial-{i}" for i in range(6)} <= set(checker.ids)
    assert {f"front-{i}" for i in range(5)} <= set(checker.ids)
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>Study first</title>" in page


def test_final_results_are_in_it(networks, tmp_path):
    study = networks()
    study.end(valid_error=0.1, params=10.0)
    final = FinalResults(
        trial=0, key="k", folder="trial-0", params=10, flops=2, epochs=40, valid_error=0.1,
        test_error=0.05, n_test=1000, weights="final",
    )  # fmt: skip
    page, _ = written(study, tmp_path, final=[final])
    assert "3.81–6.53 %" in page
    assert "trial-0" in page


@pytest.mark.parametrize("objectives", [["valid_error"], ["valid_error", "params"], ["a", "b", "c"]])
def test_any_state_of_a_study_gives_a_page(studies, tmp_path, objectives):
    study = studies(objectives=objectives)
    written(study, tmp_path)
    study.fail("boom")
    written(study, tmp_path)
    study.ask()
    for value in (nan, inf, -inf, 0.0, -1.0, 1e300):
        study.end(**dict.fromkeys(objectives, value))
    study.end(State.PAUSED, valid_error=0.1)
    study.end(other=1.0)
    written(study, tmp_path)


def test_nothing_that_is_stored_becomes_markup(studies, tmp_path):
    attack = "</script><script>alert(1)</script><b>\"'"
    study = studies(objectives=[f"{attack}metric", "params"])
    study.end(**{f"{attack}metric": 0.1, "params": 1.0}, note=attack)
    study.fail(f"{attack}: {attack}\x00\ud800")
    created = {
        "name": attack,
        "command": attack,
        "task": {"name": attack, "content": attack},
        "strategy": {"name": attack, "arguments": {attack: attack}},
        "versions": {attack: attack},
        "plan": {"why": attack},
    }
    path = write_report(study.history, created, tmp_path / "report.html")
    page, checker = checked(path)
    assert page.count("<script>") == 1
    assert "alert(1)</script>" not in page
    assert f"Study {attack}" in "".join(checker.text)


def test_ten_thousand_trials_give_a_page_of_sane_size(studies, tmp_path):
    study = studies(objectives=["valid_error", "params"])
    for value in study.rng.random((10_000, 2)):
        study.end(valid_error=float(value[0]), params=float(value[1]))
    page, checker = written(study, tmp_path)
    assert len(page) < 2_000_000
    assert sum(name.startswith("trial-") for name in checker.ids) == 1000
    assert "the 1,000 of 10,000 trials" in page


def test_folders_are_made_and_nothing_else_is_left(studies, tmp_path):
    study = studies()
    path = write_report(study.history, study.created, tmp_path / "a" / "b" / "report.html")
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_an_old_report_is_replaced(studies, tmp_path):
    (tmp_path / "report.html").write_text("old")
    page, _ = written(studies(), tmp_path)
    assert "old" not in re.sub("<style>.*</style>", "", page, flags=re.S)[:20]


def test_a_path_that_cannot_be_written_is_refused(studies, tmp_path):
    study = studies()
    (tmp_path / "file").write_text("")
    for bad in (tmp_path / "file" / "report.html", tmp_path):
        with pytest.raises(UsageError, match="a report's path is writable, got"):
            write_report(study.history, study.created, bad)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
