"""Other seeds of the winner and a network made by hand: trained by the final recipe, within the time, once."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean, stdev
from typing import TYPE_CHECKING

import numpy as np
import pytest

import nasturtium as nas
from nasturtium._complete import _used
from nasturtium._delivery import deliver
from nasturtium._evidence import UNTIMED_SEEDS, Means, results_of, train_by_hand, train_seeds
from nasturtium._final import children_of
from nasturtium._stored import cpu_seconds, stored_study
from nasturtium.baselines import baselines_for
from nasturtium.report import hand_text, seeds_text

if TYPE_CHECKING:
    from pathlib import Path

SMALL = {
    "space": "chain(stages=1, depth=1, widths=(4, 6, 8))",
    "estimator": "training(epochs=1)",
    "executor": "inline",
}


def bars(has_test: bool = True) -> nas.Task:
    rng = np.random.default_rng(0)
    y = np.arange(240) % 3
    x = rng.normal(size=(240, 1, 6, 6)).astype(np.float32)
    for i, label in enumerate(y):
        x[i, 0, 2 * label : 2 * label + 2] += 2
    return nas.Task.from_tensors(x, y, name="bars", has_test=has_test)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> nas.Study:
    folder = tmp_path_factory.mktemp("evidence")
    return nas.search(bars(), trials=2, out=folder / "out", storage=f"sqlite:///{folder}/s.db", name="s", **SMALL)


def test_the_winner_is_trained_again_with_other_seeds_as_long_as_delivered(study: nas.Study) -> None:
    note = results_of(study.notes)["seeds_result"]
    [child] = [n for n in study.storage.studies() if n.startswith("s/seeds@")]
    again, [first, *_] = stored_study(child, study.storage), children_of(study)
    assert len(note["test_errors"]) == UNTIMED_SEEDS - 1
    assert note["of"] == study.front()[0].number
    assert again.created["estimator"] == first.created["estimator"]
    assert [t.proposal.replicate for t in again.history.trials()] == [1, 2]
    losses = [t.metrics["train_loss"] for t in again.history.trials()]
    delivered = next(t for t in first.history.trials() if t.proposal.attributes["of"] == note["of"])
    assert len({*losses, delivered.metrics["train_loss"]}) == UNTIMED_SEEDS  # each seed is another training


def test_the_report_has_mean_and_spread_of_seeds_and_the_network_made_by_hand(study: nas.Study, tmp_path: Path) -> None:
    page = study.report(tmp_path / "report.html").read_text()
    assert "trained with 3 seeds, has a test error of" in page
    assert "A network made by hand, residual (" in page
    assert results_of(study.notes)["by_hand_result"]["epochs"] == results_of(study.notes)["seeds_result"]["epochs"]


def test_nothing_is_trained_or_tested_twice(study: nas.Study) -> None:
    before = list(study.notes)
    train_seeds(study, None, Means())
    train_by_hand(study, None, Means())
    assert study.notes == before


def test_less_time_after_an_interruption_means_another_network_made_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = nas.search(bars(), trials=1, storage=f"sqlite:///{tmp_path}/s.db", name="s", **SMALL)
    usual = baselines_for(study.task)
    monkeypatch.setattr("nasturtium._evidence.baselines_for", lambda task: dict(list(usual.items())[1:]))
    monkeypatch.setattr("nasturtium._evidence._is_noted", lambda *of: False)  # as if it had not come so far
    train_by_hand(study, None, Means())
    assert results_of(study.notes)["by_hand_result"]["name"] == list(usual)[1]


def test_what_is_trained_one_after_the_other_takes_its_whole_time(study: nas.Study) -> None:
    charged = {
        name: sum(t.seconds for t in stored_study(name, study.storage).history.trials())
        for name in study.storage.studies()
    }
    single = sum(seconds for name, seconds in charged.items() if "/seeds@" in name or "/by-hand@" in name)
    assert _used(study, 1) == pytest.approx(sum(charged.values()))
    assert _used(study, 2) == pytest.approx((sum(charged.values()) - single) / 2 + single)


def test_processor_time_is_in_the_log(study: nas.Study) -> None:
    found = cpu_seconds("s", study.storage)
    assert list(found) == ["search", "final", "seeds", "by-hand"] or sorted(found) == [
        "by-hand", "final", "search", "seeds",
    ]  # fmt: skip
    assert all(seconds > 0 for seconds in found.values())
    assert sum(t.cpu_seconds for t in study.history.trials()) == pytest.approx(found["search"])


def test_no_time_means_one_seed_and_says_so() -> None:
    study = nas.search(bars(), trials=1, **SMALL)
    [row] = rows_of(study)
    text = seeds_text({"of": row.trial, "epochs": row.epochs, "test_errors": []}, [row])
    assert text is not None
    assert "with one seed only, since no time was left for another" in text
    hand = {"of": row.trial, "epochs": row.epochs, "name": None, "test_errors": []}
    assert hand_text(hand, None, [row]) == "No network made by hand was trained beside it: no time was left for one."


def test_mean_and_spread_are_those_of_all_seeds(study: nas.Study) -> None:
    row = replace(rows_of(study)[0], test_error=0.1)
    text = seeds_text({"of": row.trial, "epochs": row.epochs, "test_errors": [0.2, 0.4]}, [row])
    assert text is not None
    spread = 100 * stdev([0.1, 0.2, 0.4])
    assert f"{100 * mean([0.1, 0.2, 0.4]):.2f} % ± {spread:.2f} %" in text
    assert "from 10.00 % to 40.00 %" in text


def test_without_test_data_nothing_more_is_trained() -> None:
    study = nas.search(bars(has_test=False), trials=1, **SMALL)
    assert results_of(study.notes) == {}
    assert not [name for name in study.storage.studies() if "seeds@" in name or "by-hand@" in name]


def rows_of(study: nas.Study) -> list[nas.report.FinalResults]:
    from nasturtium._chosen import chosen_networks
    from nasturtium._delivery import results

    return results(study, chosen_networks(study, children_of(study)))


def test_the_network_made_by_hand_is_compared_with_what_chance_explains(study: nas.Study) -> None:
    row = replace(rows_of(study)[0], test_error=0.1, n_test=100)
    facts = {"of": row.trial, "epochs": row.epochs, "n_test": 100, "counts_examples": True, "params": 9, "flops": 9}
    text = hand_text({**facts, "name": "mlp", "test_errors": [0.3]}, None, [row])
    assert text is not None
    # 1.96 standard deviations of the difference of two shares of 100 examples, 10 % and 30 %
    assert text.endswith("has 10.00 %: lower by 20.00 %, where chance explains 10.74 % (at 95 % confidence).")


def test_a_time_that_is_far_too_short_still_gives_a_network(tmp_path: Path) -> None:
    options = {"space": "chain(stages=1, depth=1, widths=(4, 6, 8))", "executor": "inline", "out": tmp_path / "out"}
    study = nas.search(bars(), minutes=1e-4, objectives=["valid_error", "params"], **options)
    assert study.history.finished()
    rows = rows_of(study)
    assert (tmp_path / "out" / rows[0].folder / "model.py").exists()
    seeds = seeds_text(results_of(study.notes).get("seeds_result"), rows)
    assert seeds is None or "with one seed only, since no time was left for another" in seeds


def test_the_best_network_is_written_in_any_case_and_the_others_while_there_is_time(tmp_path: Path) -> None:
    goals = nas.search(bars(), trials=4, objectives=["valid_error", "params"], seed=1, **SMALL)
    rows, problems = deliver(goals, tmp_path / "late", {}, None, until=0.0)
    assert len(rows) > 1
    assert [bool(row.folder) for row in rows] == [True] + [False] * (len(rows) - 1)
    assert [path.name for path in (tmp_path / "late").glob("trial-*")] == [rows[0].folder]
    [reason] = problems.values()
    assert reason.startswith(f"no time was left for {len(rows) - 1} of {len(rows)} networks (trials ")
