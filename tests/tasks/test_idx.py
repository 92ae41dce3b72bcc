import gzip
import struct

import numpy as np
import pytest

from nasturtium.errors import DataError
from nasturtium.tasks import Crop, IdxFolder, load_task
from nasturtium.tasks._idx import read_idx

CODES = {"uint8": 8, "int8": 9, "int16": 11, "int32": 12, "float32": 13, "float64": 14}


def idx(array):
    head = bytes([0, 0, CODES[array.dtype.name], array.ndim])
    return head + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "letters"
    folder.mkdir()
    for part, n in (("train", 60), ("t10k", 15)):
        x = rng.integers(0, 256, (n, 8, 8), dtype=np.uint8)
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(x)))
        labels = (np.arange(n) % 3).astype(np.uint8)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))
    (folder / "README").write_text("not data")
    return folder


def test_folder(folder):
    task = load_task(str(folder))
    assert task.name == "letters"
    assert task.source == f"idx-folder(path='{folder}')"
    assert task.input_shape == (1, 8, 8)
    assert len(task.train) + len(task.valid) == 60
    assert len(task.test()) == 15
    assert task.augment == Crop(1, flip=False)


def test_plain_and_compressed_are_the_same(folder):
    content = IdxFolder(str(folder)).load().content
    packed = folder / "train-images-idx3-ubyte.gz"
    packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.write_bytes(b"broken")  # the plain file wins
    assert IdxFolder(str(folder)).load().content == content


def test_other_spelling(folder):
    content = IdxFolder(str(folder)).load().content
    for file in folder.glob("t*"):
        file.rename(folder / ("my-" + file.name.replace("-idx", ".idx")))
    assert IdxFolder(str(folder)).load().content == content


def test_without_test_files(folder):
    for file in folder.glob("t10k*"):
        file.unlink()
    task = IdxFolder(str(folder)).load()
    assert len(task.test()) == 12


@pytest.mark.parametrize("name", CODES)
def test_every_number_type(tmp_path, name):
    array = np.arange(12).reshape(3, 4).astype(name)
    (tmp_path / "file").write_bytes(idx(array))
    result = read_idx(tmp_path / "file")
    assert result.dtype == array.dtype
    assert result.dtype.isnative
    assert (result == array).all()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "start with its magic number"),
        (b"\0\0\x08", "start with its magic number"),
        (b"\0\0\x08\x03", "start with its magic number"),
        (b"\x89PNG1234", "start with its magic number"),
        (b"\0\0\x07\x01\0\0\0\1\0", "start with its magic number"),
        (b"\0\0\x08\x01\0\0\0\5\0", r"what its head says, 5 bytes for shape \(5,\), got 1 in"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "what its head says"),
    ],
)
def test_broken_file(tmp_path, raw, message):
    (tmp_path / "file").write_bytes(raw)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(tmp_path / "file")
    assert str(tmp_path / "file") in str(caught.value)


@pytest.mark.parametrize("raw", [b"", b"text", gzip.compress(bytes(1000), mtime=0)[:-9]], ids=["empty", "text", "cut"])
def test_broken_gzip(tmp_path, raw):
    (tmp_path / "file.gz").write_bytes(raw)
    with pytest.raises(DataError, match=r"file\.gz"):
        read_idx(tmp_path / "file.gz")


def test_missing_files(folder):
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match=r"in pairs, got .*t10k-images.* without its labels; add"):
        IdxFolder(str(folder)).load()
    for file in folder.glob("train*"):
        file.unlink()
    with pytest.raises(DataError, match=r"must hold train-images-idx3-ubyte .*, got .*letters; p"):
        IdxFolder(str(folder)).load()


def test_missing_folder():
    with pytest.raises(DataError, match=r"must hold train-images-idx3-ubyte .*, got /missing"):
        IdxFolder("/missing").load()


def test_bad_content_names_the_folder(folder):
    labels = np.arange(59).astype(np.uint8)
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(labels))
    with pytest.raises(DataError, match=r"letters: x and y must have the same length"):
        IdxFolder(str(folder)).load()
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    with pytest.raises(DataError, match=r"letters: IDX images must have 3 dimensions, got shape"):
        IdxFolder(str(folder)).load()
