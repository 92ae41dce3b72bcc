"""The tables are what was published."""

from importlib.resources import files

import numpy as np
import pytest

from nasturtium.benchmarking import _data, table
from nasturtium.errors import NasturtiumError, UnknownNameError

FOLDER = files("nasturtium.benchmarking") / "data"


def test_every_file_is_listed_documented_and_small():
    found = [f for f in FOLDER.iterdir() if f.name.endswith(".npz")]
    assert {f.name.removesuffix(".npz") for f in found} == set(_data.checksums())
    assert sum(len(f.read_bytes()) for f in found) < 6_000_000
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = [line.split("`")[1].rstrip("*") for line in readme.splitlines() if line.startswith("| `")]
    assert [f.name for f in found if not f.name.startswith(tuple(rows))] == []


def test_nasbench201_has_the_published_optima_and_costs():
    cells = table("nasbench201")
    assert round(float(cells["c10_test_e200"].max()), 4) == 94.3733
    assert round(float(cells["c100_test_e200"].max()), 4) == 73.5133
    assert cells["ops"][cells["c10_test_e200"].argmax()].tolist() == [3, 3, 3, 1, 3, 2]
    assert len(set(cells["iso_id"].tolist())) == 6466
    n1, n3 = ((cells["ops"] == code).sum(axis=1) for code in (2, 3))
    assert np.array_equal(cells["c10_params"], 73_306 + 28_000 * n1 + 243_040 * n3)
    assert np.array_equal(cells["c10_flops"], 7_783_050 + 3_932_160 * n1 + 35_389_440 * n3)


def test_nasbench101_5v_is_the_whole_space_of_five_vertices():
    cells = table("nasbench101-5v")
    n_vertices = (cells["ops"] != -9).sum(axis=1)
    assert [int((n_vertices <= n).sum()) for n in (2, 3, 4, 5)] == [1, 7, 91, 2532]


def test_the_two_nasbench101_tables_agree_where_they_overlap():
    small, large = table("nasbench101-5v"), table("nasbench101-14k")
    params = {h.tobytes(): p for h, p in zip(small["hash"], small["params"], strict=True)}
    common = [
        (params[h.tobytes()], p) for h, p in zip(large["hash"], large["params"], strict=True) if h.tobytes() in params
    ]
    assert len(common) > 50
    assert all(a == b for a, b in common)


def test_columns_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        table("nasbench201")["ops"][0] = 1


def test_unknown_name_offers_a_near_one():
    with pytest.raises(UnknownNameError, match="did you mean 'nasbench201'"):
        table("nasbench21")


def test_another_file_is_refused(monkeypatch, tmp_path):
    (tmp_path / "a.npz").write_bytes(b"something")
    monkeypatch.setattr(_data, "FOLDER", tmp_path)
    monkeypatch.setattr(_data, "checksums", lambda: {"a": "0" * 64})
    with pytest.raises(NasturtiumError, match="reinstall"):
        table("a")
