"""Latency: what is measured, what is predicted from another device's file, what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nasturtium as nas
from nasturtium.errors import DataError, UsageError
from nasturtium.export import write_graph
from nasturtium.latency import (
    Kernel,
    Latency,
    LatencyFile,
    Timing,
    error_line,
    fit,
    graph_latency,
    latency_page,
    measure,
    measure_folder,
    networks_in,
    operations,
    read_file,
    write_file,
)
from nasturtium.spaces import load

SPACE = load("nasbench201", input_shape=(1, 8, 8), n_outputs=10)
LARGER = load("nasbench201", input_shape=(1, 32, 32), n_outputs=10)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four exported networks: their ONNX files are all that is needed."""
    root = tmp_path_factory.mktemp("networks")
    rng = np.random.default_rng(0)
    for number in (2, 10, 11, 12):
        (root / f"trial-{number}").mkdir()
        write_graph(SPACE.graph(SPACE.sample(rng)).simplified(), root / f"trial-{number}" / "model.onnx")
    return root


@pytest.fixture(scope="module")
def device(folder):
    return measure_folder(networks_in(folder))


def test_networks_are_found_in_order_of_their_numbers(folder):
    assert list(networks_in(folder)) == ["trial-2", "trial-10", "trial-11", "trial-12"]
    assert list(networks_in(folder / "trial-2")) == ["trial-2"]
    assert list(networks_in(folder / "trial-2" / "model.onnx")) == ["model"]


def test_a_folder_without_networks_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"without a model\.onnx; give the folder"):
        networks_in(tmp_path)


def test_the_median_is_among_the_deciles_and_more_work_takes_longer(tmp_path):
    cell = SPACE.parse(
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    )
    found = []
    for space in (SPACE, LARGER):
        write_graph(space.graph(cell).simplified(), tmp_path / "model.onnx")
        found.append(measure(tmp_path / "model.onnx", seconds=0.1))
    small, large = found
    assert small.low_ms <= small.median_ms <= small.high_ms
    assert small.runs >= 30
    assert large.median_ms > small.median_ms  # sixteen times the arithmetic


def test_operations_are_counted_as_the_graph_counts_them(tmp_path):
    rng = np.random.default_rng(1)
    for _ in range(3):
        graph = LARGER.graph(LARGER.sample(rng)).simplified()
        write_graph(graph, tmp_path / "model.onnx")
        found = operations(tmp_path / "model.onnx", runs=1)
        assert sum(o.macs for o in found) == graph.flops


def synthetic(rng, n_networks=8):
    """Return networks whose times follow the model exactly."""
    networks = []
    for _ in range(n_networks):
        found = []
        for _ in range(int(rng.integers(4, 12))):
            kind = ("Conv", "MaxPool")[int(rng.integers(2))]
            macs = int(rng.integers(1_000, 1_000_000)) if kind == "Conv" else 0
            size = int(rng.integers(1_000, 100_000))
            ms = 0.002 + (1e-6 * macs if kind == "Conv" else 2e-7 * size)
            found.append(Kernel(kind, macs, size, ms))
        networks.append((0.01 + 1.5 * sum(o.ms for o in found), found))
    return networks


def test_times_that_follow_the_model_are_predicted_exactly():
    fitted = fit(synthetic(np.random.default_rng(0)))
    assert fitted.base == pytest.approx(0.01, rel=1e-6)
    assert fitted.factor == pytest.approx(1.5, rel=1e-6)
    assert fitted.costs["Conv"] == pytest.approx((0.002, 1e-6, 0.0), abs=1e-12)
    assert max(fitted.errors) < 1e-9
    for ms, found in synthetic(np.random.default_rng(1)):
        assert fitted.predict(found) == pytest.approx(ms, rel=1e-6)


def test_the_stated_error_is_of_networks_that_were_left_out():
    networks = synthetic(np.random.default_rng(0))
    ms, found = networks[0]
    fitted = fit([(3 * ms, found), *networks[1:]])
    assert fitted.errors[0] == pytest.approx(2 / 3)
    assert "not known" in error_line(fit(networks[:2]).errors)


def test_no_cost_is_negative_however_the_times_lie():
    networks = [(ms, [replace(o, ms=1 / o.bytes) for o in found]) for ms, found in synthetic(np.random.default_rng(2))]
    fitted = fit(networks)
    assert min(min(cost) for cost in fitted.costs.values()) >= 0
    assert min(fitted.base, fitted.factor) >= 0


def test_an_operation_that_no_network_has_costs_what_any_does():
    fitted = fit(synthetic(np.random.default_rng(0)))
    assert fitted.predict([Kernel("Softmax", 0, 10_000, 0.0)]) > fitted.base


def test_a_file_is_read_as_it_was_written(tmp_path, device):
    write_file(tmp_path / "device.json", device)
    again = read_file(tmp_path / "device.json")
    assert again == device
    assert again.prediction == device.prediction


def test_a_network_of_the_file_has_its_measured_latency_and_others_the_predicted(tmp_path, device, folder):
    known = replace(
        device, networks={n: (replace(m, median_ms=7 * m.median_ms), o) for n, (m, o) in device.networks.items()}
    )
    found = operations(folder / "trial-10" / "model.onnx", runs=1)
    measured = known.networks["trial-10"][0].median_ms
    assert known.latency_ms(found) == measured
    other = [*found, Kernel("Conv", 10**6, 10**5, 0.0)]
    assert known.latency_ms(other) == known.prediction.predict(other) != measured


def test_the_page_says_machine_times_and_the_error(device):
    from rich.console import Console

    console = Console(width=200)
    with console.capture() as captured:
        console.print(latency_page(device))
    text = " ".join(captured.get().split())  # a title is as wide as its table
    for word in ("1 thread", "onnxruntime", "trial-12", "median ms", "left out in turn: median"):
        assert word in text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is what `nasturtium latency` wrote"),
        ("[]", "is what `nasturtium latency` wrote"),
        ('{"nasturtium_latency": 9, "machine": {}, "networks": {}}', "has format 1, got 9"),
        ('{"nasturtium_latency": 1, "machine": {}, "networks": {}}', "at least one network"),
        ('{"nasturtium_latency": 1, "machine": {}, "networks": {"a": {"median_ms": 1}}}', "is what"),
    ],
)
def test_a_broken_file_is_one_clear_line(tmp_path, content, said):
    path = tmp_path / "device.json"
    path.write_text(content)
    with pytest.raises(DataError, match=said) as raised:
        read_file(path)
    assert "nasturtium latency FOLDER --out" in str(raised.value)


def test_a_broken_model_is_one_clear_line(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(DataError, match=r"got .*model\.onnx"):
        measure(tmp_path / "model.onnx")


def test_an_absent_file_is_one_clear_line(tmp_path):
    with pytest.raises(DataError, match="must be readable"):
        read_file(tmp_path / "device.json")


def short():
    return Latency(nas.estimators.Training(epochs=1, fraction=0.1))


def test_latency_is_told_before_training_and_steers(tmp_path, device):
    rows = {str(ms): (Timing(ms, ms, ms, 1), [Kernel("Conv", int(ms * 10**6), 1, ms)]) for ms in (1.0, 2.0, 3.0)}
    write_file(tmp_path / "device.json", LatencyFile(device.machine, rows))
    study = nas.Study(
        space="chain",
        estimator=replace(short(), file=str(tmp_path / "device.json")),
        objectives=["valid_error", "latency_ms"],
        task=nas.tasks.load_task("digits"),
    )
    study.run("random-search", trials=3, seed=0)
    for trial in study.history.finished():
        graph = study.space.graph(trial.architecture).simplified()
        assert trial.metrics["latency_ms"] == pytest.approx(graph_latency(graph, str(tmp_path / "device.json")))
        assert "valid_error" in trial.metrics
    assert len({t.metrics["latency_ms"] for t in study.history.finished()}) == 3


def test_what_is_asked_for_is_wrapped_once():
    from nasturtium._prepare import with_latency

    plain = nas.estimators.Training()
    assert with_latency(plain, ["valid_error"], None) is plain
    wrapped = with_latency(plain, ["latency_ms"], None)
    assert wrapped == Latency(plain)
    assert with_latency(wrapped, ["latency_ms"], None) is wrapped
    with pytest.raises(UsageError, match="added once"):
        Latency(wrapped)
    with pytest.raises(UsageError, match="add --minimize latency_ms"):
        with_latency(plain, ["valid_error"], "device.json")


def test_it_is_stored_and_made_again():
    from nasturtium.estimators import ESTIMATORS

    estimator = short()
    assert ESTIMATORS.restore(json.loads(json.dumps(ESTIMATORS.describe(estimator)))) == estimator
    assert ESTIMATORS.create("latency(of=training(epochs=1, fraction=0.1))") == estimator
    assert estimator.final(3) == estimator.of.final(3)
    assert estimator.ladder() == estimator.of.ladder()


def test_the_command_measures_and_a_search_uses_the_file(tmp_path, folder, monkeypatch, capsys):
    from nasturtium.cli import main

    monkeypatch.chdir(tmp_path)
    assert main(["latency", str(folder), "--out", "device.json"]) == 0
    assert "trial-10" in capsys.readouterr().out
    line = "search digits --trials 2 --executor inline --name a --latency-file device.json --limit latency_ms=1000"
    options = ["--limit", "params=20000", "--minimize", "valid_error", "--minimize", "latency_ms"]
    assert main([*line.split(), *options, "--estimator", "training(epochs=1, fraction=0.1)", "--out", "out"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "of random networks have params <= 20,000; all candidates do; 2 of 2 finished candidates have" in said
    front = json.loads(Path("out/front.json").read_text())
    assert all(entry["latency_ms"] > 0 and entry["params"] <= 20_000 for entry in front)


def test_a_latency_file_without_the_objective_writes_nothing(tmp_path, monkeypatch, capsys):
    from nasturtium.cli import main

    monkeypatch.chdir(tmp_path)
    assert main(["search", "digits", "--trials", "2", "--latency-file", "x.json"]) == 2
    assert "add --minimize latency_ms" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
