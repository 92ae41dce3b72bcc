"""ONNX files in onnxruntime: what a session is opened with, and what is refused."""

import sys

import pytest

from nasturtium.errors import DataError, MissingExtraError
from nasturtium.export import open_session, session_options
from nasturtium.latency import operations


def test_one_thread_that_tells_errors_only():
    options = session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert options.log_severity_level == 3


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_text("no model")
    with pytest.raises(DataError, match=r"got .*model\.onnx \(.*\); export it again"):
        open_session(path)


@pytest.mark.parametrize("use", [open_session, operations])
def test_the_extra_is_named(use, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"nasturtium\[onnx\]"):
        use(tmp_path / "model.onnx")
