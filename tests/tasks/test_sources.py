import inspect
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from nasturtium._registry import Registry
from nasturtium.errors import DataError, UnknownNameError, UsageError
from nasturtium.tasks import TASKS, FileSource, NpzFile, Task, TaskSource, _sources, load_task


@pytest.fixture
def archive(tmp_path):
    rng = np.random.default_rng(0)
    file = tmp_path / "mine.npz"
    np.savez(file, x=rng.normal(size=(60, 4)), y=np.arange(60) % 2)
    return file


def test_a_name():
    task = load_task("digits")
    assert task.name == task.source == "digits"


def test_a_path(archive):
    task = load_task(str(archive))
    assert task.name == "mine"
    assert task.source == f"npz-file(path='{archive}')"
    assert load_task(task.source).content == task.content


def test_a_call(archive):
    assert load_task(f"npz-file(path={str(archive)!r})").name == "mine"


def test_relative_paths_are_stored_whole(archive, monkeypatch):
    monkeypatch.chdir(archive.parent)
    assert load_task("mine.npz").source == load_task("./mine.npz").source
    assert load_task("mine.npz").source == f"npz-file(path='{archive}')"


def test_home_is_expanded(archive, monkeypatch):
    monkeypatch.setenv("HOME", str(archive.parent))
    assert load_task("~/mine.npz").name == "mine"


def test_a_name_wins_over_a_folder(tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_task("digits").source == "digits"
    with pytest.raises(DataError, match="one folder of images per class"):
        load_task("./digits")


def test_a_folder_with_brackets_in_its_name(tmp_path, monkeypatch):
    (tmp_path / "photos (1)").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="one folder of images per class"):
        load_task("photos (1)")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("digts", UnknownNameError, "unknown task 'digts', .* did you mean 'digits'\\? Known: a"),
        ("fashion_mnist", UnknownNameError, "did you mean 'fashion-mnist'\\?"),
        ("digts(x=1)", UnknownNameError, r"unknown task 'digts\(x=1\)'.*did you mean 'digits'"),
        ("", UnknownNameError, "unknown task ''"),
        ("x" * 5000, UnknownNameError, "unknown task"),
        ("digits(size=3)", UsageError, "task 'digits' takes no argument 'size'; it takes none"),
        ("image-folder", UsageError, r"needs 'path'; write image-folder\(path=\.\.\.\)"),
        ("missing.npz", DataError, "a task's path must exist, got 'missing.npz'; check"),
        ("/missing/folder", DataError, "must exist, got '/missing/folder'"),
        ("image-folder(path='/missing')", DataError, "must be a folder, got /missing; check"),
        ("npz-file(path='/missing')", DataError, "must be readable, got /missing"),
    ],
)
def test_bad_texts(text, error, message):
    with pytest.raises(error, match=message):
        load_task(text)


def test_a_file_that_nothing_reads(tmp_path):
    file = tmp_path / "table.xyz"
    file.write_text("a,b\n")
    with pytest.raises(DataError, match=r"a \.npz, \.csv, \.parquet or \.txt, got .*table\.xyz; save arrays by"):
        load_task(str(file))


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(DataError, match=r"must be readable, got '.*' \(.*Permission denied.*\); me"):
        load_task(str(tmp_path))


def test_own_sources(tmp_path, monkeypatch):
    registry = Registry("task", "nasturtium.tasks")
    monkeypatch.setattr(_sources, "TASKS", registry)

    @registry.register("parity")
    @dataclass(frozen=True)
    class Parity(TaskSource):
        """Whether a number is even."""

        n: int = 60

        def load(self):
            return Task.from_tensors(np.eye(self.n), np.arange(self.n) % 2)

    @registry.register("text-file")
    @dataclass(frozen=True)
    class TextFile(FileSource):
        """Numbers in rows, the label first."""

        path: str

        @classmethod
        def reads(cls, path):
            return path.suffix == ".numbers"

        def load(self):
            table = np.loadtxt(self.path)
            return Task.from_tensors(table[:, 1:], table[:, 0].astype(int))

    assert load_task("parity").source == "parity"
    assert load_task("parity(n=40)").source == "parity(n=40)"
    np.savetxt(tmp_path / "a.numbers", np.c_[np.arange(60) % 2, np.eye(60)])
    assert load_task(str(tmp_path / "a.numbers")).input_shape == (60,)


def test_registered_sources_store_their_arguments_and_are_described():
    files = {"idx-folder", "image-folder", "npz-file", "saved-dataset", "table-file", "text"}
    control = {"acrobot", "cartpole", "gymnasium", "mountain-car", "mountain-car-continuous", "pendulum"}
    problems = {"double-pole", "double-pole-no-velocities", "visual-discrimination", "xor"}
    assert set(TASKS.names()) == {"digits", "fashion-mnist"} | files | problems | control
    for name, cls in TASKS:
        first = (inspect.getdoc(cls) or "").partition("\n")[0]
        assert first.endswith("."), name
    assert TASKS.describe(NpzFile("x.npz"))["arguments"] == {"path": "x.npz"}


@pytest.mark.parametrize("name", ["a.npz", "train-images-idx3-ubyte", "cats"])
def test_at_most_one_source_reads_a_path(tmp_path, name):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / name).write_bytes(b"")
    for path in (folder, folder / name):
        readers = [n for n, c in TASKS if issubclass(c, FileSource) and c.reads(Path(path))]
        assert len(readers) <= 1
