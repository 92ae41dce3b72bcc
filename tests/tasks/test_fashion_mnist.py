import time
from pathlib import Path

import numpy as np
import pytest
import torch

from nasturtium.errors import DataError
from nasturtium.tasks import Crop, FashionMNIST, _fashion_mnist, load_task
from nasturtium.tasks._fashion_mnist import DEBIAN

needs_package = pytest.mark.skipif(
    not Path(DEBIAN).exists(), reason="Debian's package dataset-fashion-mnist is not installed"
)


@pytest.fixture
def small(tmp_path):
    """A folder with a small data set in the same form."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "fashion-mnist"
    folder.mkdir()
    for part, n in (("train", 100), ("t10k", 20)):
        head = bytes([0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 28, 0, 0, 0, 28])
        images = rng.integers(0, 256, n * 784, dtype=np.uint8).tobytes()
        (folder / f"{part}-images-idx3-ubyte").write_bytes(head + images)
        labels = bytes(i % 10 for i in range(n))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, n]) + labels)
    return folder


def test_folder_as_an_argument(small):
    task = load_task(f"fashion-mnist(path={str(small)!r})")
    assert task.name == "fashion-mnist"
    assert task.classes[9] == "Ankle boot"
    assert task.input_shape == (1, 28, 28)
    assert task.augment == Crop(1, flip=True)
    assert len(task.test()) == 20


def test_folder_from_the_environment(small, monkeypatch):
    monkeypatch.setenv("NASTURTIUM_DATA", str(small.parent))
    task = load_task("fashion-mnist")
    assert task.source == "fashion-mnist"
    assert len(task.test()) == 20


def test_not_found_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(_fashion_mnist, "DEBIAN", str(tmp_path / "none"))
    monkeypatch.setenv("NASTURTIUM_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"none in .*/fashion-mnist or .*/none; apt-get install"):
        FashionMNIST().load()
    with pytest.raises(DataError, match=r"got none in /missing; .* pass the folder"):
        FashionMNIST("/missing").load()


@needs_package
class TestPackage:
    def test_published_data(self):
        start = time.process_time()
        task = load_task("fashion-mnist")
        assert time.process_time() - start < 10  # 1 s measured
        assert [len(p) for p in (task.train, task.valid, task.test())] == [48000, 12000, 10000]
        for part in (task.train, task.valid, task.test()):
            assert set(torch.bincount(part.y).tolist()) == {len(part) // 10}
        # The published mean and deviation of the 60,000 images are 0.2860 and 0.3530.
        assert task.normalization.mean[0] / 255 == pytest.approx(0.286, abs=0.001)
        assert task.normalization.std[0] / 255 == pytest.approx(0.353, abs=0.001)
        assert task.content == "c313f7aa272b17a411b73284c030566c"
