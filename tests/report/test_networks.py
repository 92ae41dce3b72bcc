import re
from dataclasses import replace

import pytest

from nasturtium.graphs import Builder, delayed, operations
from nasturtium.graphs._drawing import draw
from nasturtium.report import _networks
from nasturtium.report._networks import derived, network_svg, networks_section
from nasturtium.trials import Ended, Measured, Measurement, State


def with_one(study):
    """Let one network of the study finish; returns its graph."""
    study.end(valid_error=0.1, params=10.0)
    return study.space.graph(study.history.trial(0).architecture)


def test_every_node_of_a_chain_is_drawn_once_with_shape_and_params(networks):
    study = networks("chain", stages=2)
    graph = with_one(study)
    html = networks_section(study.found())
    assert html.count("<rect") == len(graph.nodes)
    assert html.count("<figure>") == 1
    params = sum(int(n.replace(",", "")) for n in re.findall(r"· ([\d,]+)</text>", html))
    assert params == graph.params
    assert "validation error 10.00 %, 10 parameters" in html


def test_cells_are_one_box_and_drawn_once_each(networks):
    study = networks("nasnet", cells=2)
    graph = with_one(study)
    html = networks_section(study.found())
    cells = [n for n in graph.nodes if n.name.startswith(("normal", "reduction"))]
    assert html.count('class="nested"') == len(cells)
    captions = re.findall("<figcaption>(.*?)</figcaption>", html)
    assert len(captions) == 3
    assert captions[1].startswith("Inside normal_0 (inputs 8×8×8, 8×8×8); normal_1")
    assert captions[2].startswith("Inside reduction_2")


def test_architectures_that_are_no_networks_are_listed(studies):
    study = studies()
    study.end(valid_error=0.1)
    html = networks_section(study.found())
    assert "<svg" not in html
    assert re.search(r'<th scope="row">a</th><td>\d+</td>', html)


def test_of_a_long_front_the_first_are_drawn(networks, monkeypatch):
    monkeypatch.setattr(_networks, "MOST_DRAWN", 2)
    monkeypatch.setattr(_networks, "MOST_OPEN", 1)
    study = networks()
    for i in range(3):
        study.end(valid_error=0.1 * i, params=10.0 - i)
    html = networks_section(study.found())
    assert html.count("<svg") == 2
    assert html.count("open=") == 1
    assert "The first 2 of 3 are shown." in html


def test_a_network_that_cannot_be_made_any_more_says_why(networks):
    study = networks("morphism")
    architecture = study.space.sample(study.rng)
    broken = type(architecture)({**architecture, "nodes": ({"nonsense": "<b>"},)})
    number = study.ask(broken)
    values = {"valid_error": 0.1, "params": 10.0}
    study.log.append([Measured(number, Measurement(4, values)), Ended(number, State.FINISHED)])
    html = networks_section(study.found())
    assert "It can&#x27;t be drawn" in html
    assert "<b>" not in html.replace("<b>Trial 0</b>", "")


def test_without_a_front_nothing_is_drawn(networks):
    assert "nothing to draw" in networks_section(networks().found())


def test_a_whole_space_trial_shows_what_it_derived_last(studies):
    study = studies()
    first, last = study.space.sample(study.rng), study.space.sample(study.rng)
    study.ask()
    trial = study.history.trial(0)
    whole = replace(
        trial,
        proposal=replace(trial.proposal, architecture=None),
        measurements=tuple(Measurement(1, {}, architecture=a) for a in (first, last)),
    )
    assert derived(whole) == last
    assert derived(replace(whole, measurements=())) is None
    assert derived(trial) == trial.architecture


@pytest.fixture
def recurrent():
    b = Builder()
    x = b.input("x", (4,))
    total = b.add("total", operations.Add(), x)
    b.extend("total", delayed(b.add("state", operations.Linear(4), total)))
    return b.graph(total)


def test_delayed_edges_are_marked(recurrent):
    svg = network_svg(draw(recurrent), "<x>")
    assert svg.count('class="delayed"') == 1
    assert "state to total, of the step before" in svg
    assert 'aria-label="&lt;x&gt;: 3 nodes"' in svg
