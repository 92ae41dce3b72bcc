import zipfile

import numpy as np
import pytest

from nasturtium.errors import DataError
from nasturtium.tasks import Crop, NpzFile


def arrays(n=60, shape=(8, 8, 3), dtype=np.uint8):
    rng = np.random.default_rng(0)
    return {"x": rng.integers(0, 256, (n, *shape)).astype(dtype), "y": np.arange(n) % 3}


def saved(tmp_path, **content):
    file = tmp_path / "data.npz"
    np.savez(file, **content)
    return NpzFile(str(file))


def test_x_and_y(tmp_path):
    task = saved(tmp_path, **arrays()).load()
    assert task.name == "data"
    assert task.input_shape == (3, 8, 8)
    assert task.classes == ("0", "1", "2")


def test_compressed(tmp_path):
    np.savez_compressed(tmp_path / "data.npz", **arrays())
    assert NpzFile(str(tmp_path / "data.npz")).load().input_shape == (3, 8, 8)


def test_strings_and_own_test_set(tmp_path):
    names = np.array(["cat", "dog", "eel"])
    data = arrays()
    more = {"x_test": data["x"][:9] // 2, "y_test": names[data["y"][:9]]}
    task = saved(tmp_path, x=data["x"], y=names[data["y"]], **more).load()
    assert task.classes == ("cat", "dog", "eel")
    assert len(task.test()) == 9


def test_named_classes(tmp_path):
    task = saved(tmp_path, **arrays(), classes=np.array(["cat", "dog", "eel"])).load()
    assert task.classes == ("cat", "dog", "eel")


def test_numbers_labels_and_balanced_classes(tmp_path):
    data = arrays()
    assert saved(tmp_path, x=data["x"], y=np.linspace(0, 1, 60)).load().goal.targets == ("0",)
    labels = np.stack([np.arange(60) % 2, np.arange(60) % 3 > 0], 1)
    assert saved(tmp_path, x=data["x"], y=labels, classes=np.array(["odd", "fizz"])).load().classes == ("odd", "fizz")
    path = saved(tmp_path, **data).path
    assert "balanced_error" in NpzFile(path, balanced=True).load().metrics
    assert NpzFile(path, kind="regression").load().n_outputs == 1


@pytest.mark.parametrize(
    ("shape", "dtype", "augment"),
    [
        ((8, 8, 3), np.uint8, Crop(1, flip=True)),
        ((16, 16), np.uint8, Crop(2)),
        ((16, 16), np.float32, None),
        ((5,), np.uint8, None),
    ],
)
def test_augmentation(tmp_path, shape, dtype, augment):
    assert saved(tmp_path, **arrays(shape=shape, dtype=dtype)).load().augment == augment


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": None}, r"data\.npz: it must hold x and y, got y; save"),
        ({"x": None, "y": None}, r"data\.npz: it must hold x and y, got nothing"),
        ({"y": None, "labels": np.zeros(3)}, r"must hold x and y, got labels, x; save"),
        ({"y": np.arange(59)}, r"data\.npz: x and y must have the same length"),
        ({"y": np.zeros(60, int)}, r"data\.npz: y must hold at least 2 classes"),
        ({"x": np.full((60, 8, 8), np.nan)}, r"data\.npz: x must be finite, got 3840 NaN"),
        ({"x": np.zeros(60)}, r"data\.npz: x must have 2 dimensions"),
        ({"y": np.arange(60.0)}, r"data\.npz: y may be classes or numbers, got whole numbers as float64"),
        ({"y": np.array([{}] * 60)}, r"data\.npz: its arrays must not hold pickled objects; save"),
        ({"x_test": np.zeros((2, 8, 8, 3), np.uint8)}, r"got x_test alone; add y_test"),
    ],
)
def test_bad_content(tmp_path, change, message):
    content = {name: array for name, array in {**arrays(), **change}.items() if array is not None}
    with pytest.raises(DataError, match=message):
        saved(tmp_path, **content).load()


def broken_zip(file):
    np.savez(file, **arrays())
    raw = bytearray(file.read_bytes())
    raw[300:400] = bytes(100)
    file.write_bytes(raw)


def broken_array(file):
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\1\0broken")
        archive.writestr("y.npy", b"no array")


@pytest.mark.parametrize(
    "write",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_text("text"),
        lambda file: np.save(open(file, "wb"), np.zeros(3)),  # noqa: SIM115
        lambda file: file.write_bytes(b"PK\3\4broken"),
        lambda file: file.mkdir(),
        broken_zip,
        broken_array,
    ],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of the test's own open file
def test_unreadable(tmp_path, write):
    file = tmp_path / "data.npz"
    write(file)
    with pytest.raises(DataError, match=r"data\.npz.*; save arrays of numbers"):
        NpzFile(str(file)).load()
