import os
import pickle
import subprocess
import sys

import cloudpickle
import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from nasturtium.errors import DataError, UsageError
from nasturtium.tasks import Crop, Split, Task, batches


def pictures(n=120, channels=3, size=8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, channels, size, size), dtype=np.uint8)


@pytest.fixture(scope="module")
def task():
    return Task.from_tensors(pictures(), np.arange(120) % 3)


def rows(split):
    return {row.tobytes() for row in split.x.numpy()}


class TestFromTensors:
    def test_values(self, task):
        assert task.input_shape == (3, 8, 8)
        assert task.n_outputs == 3
        assert task.classes == ("0", "1", "2")
        assert [len(s) for s in (task.train, task.valid, task.test())] == [78, 18, 24]
        assert task.source is None
        assert task.augment is None
        assert task.loss is functional.cross_entropy
        assert len(task.content) == 32
        assert int(task.content, 16)

    def test_labels_stay_with_their_examples(self):
        x, y = pictures(), np.array(["a", "b", "c"])[np.arange(120) % 3]
        task = Task.from_tensors(x, y)
        label = {image.tobytes(): name for image, name in zip(x, y, strict=True)}
        for split in (task.train, task.valid, task.test()):
            for image, number in zip(split.x.numpy(), split.y.tolist(), strict=True):
                assert label[image.tobytes()] == task.classes[number]

    def test_8_bit_images_stay_8_bit_and_channels_last(self, task):
        assert task.train.x.dtype == torch.uint8
        assert task.train.x.is_contiguous(memory_format=torch.channels_last)

    def test_normalized_on_the_training_part_only(self, task):
        x, _ = task.train.tensors()
        assert x.mean((0, 2, 3)).abs().max() < 1e-5
        assert task.valid.normalization is task.normalization
        assert task.test().normalization is task.normalization
        mean = task.train.x.double().mean((0, 2, 3)).tolist()
        assert task.normalization.mean == pytest.approx(mean)

    def test_channels_last_arrays_are_the_same_task(self, task):
        other = Task.from_tensors(pictures().transpose(0, 2, 3, 1), np.arange(120) % 3)
        assert other.content == task.content
        assert other.input_shape == task.input_shape

    def test_tensors_and_lists_are_the_same_task(self, task):
        other = Task.from_tensors(torch.from_numpy(pictures()), [i % 3 for i in range(120)])
        assert other.content == task.content

    def test_own_test_set(self):
        x, more = pictures(), pictures(30, seed=1)
        y, y_more = np.arange(120) % 3, np.arange(30) % 3
        task = Task.from_tensors(x, y, x_test=more, y_test=y_more)
        assert rows(task.test()) == {image.tobytes() for image in more}
        assert len(task.train) + len(task.valid) == 120

    def test_examples_of_the_test_set_leave_the_training_part(self):
        x = pictures()
        task = Task.from_tensors(x, np.arange(120) % 3, x_test=x[:30], y_test=np.arange(30) % 3)
        assert len(task.test()) == 30
        assert len(task.train) + len(task.valid) == 90
        assert not rows(task.test()) & (rows(task.train) | rows(task.valid))

    def test_own_pieces_in_ten_lines(self):
        def balanced_error(logits, y):
            wrong = (logits.argmax(1) != y).float()
            return torch.stack([wrong[y == c].mean() for c in y.unique()]).mean()

        def smooth(logits, y):
            return functional.cross_entropy(logits, y, label_smoothing=0.1)

        def noise(x, generator):
            return x + 0.1 * torch.randn(x.shape, generator=generator)

        task = Task.from_tensors(pictures(), np.arange(120) % 3, metric=balanced_error, loss=smooth, augment=noise)
        assert task.loss is smooth
        logits = torch.eye(3)[task.valid.y]
        assert task.measure("valid", logits, task.valid.y) == {
            "valid_error": 0.0,
            "valid_balanced_error": 0.0,
        }
        x, _ = next(batches(task.train, 8, torch.Generator(), augment=task.augment))
        assert x.shape == (8, 3, 8, 8)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"y": np.arange(119) % 3}, "x and y must have the same length, got 120 .* 119 labels"),
            ({"y": np.zeros(120, int)}, "at least 2 classes, got one only"),
            ({"y": np.r_[[0] * 118, [1] * 2]}, "at least 3 different .* got 2 in class '1'"),
            ({"x_test": pictures(9)}, "x_test and y_test, got x_test alone; add y_test"),
            ({"y_test": [0, 1]}, "x_test and y_test, got y_test alone; add x_test"),
            ({"x_test": pictures(9), "y_test": [0, 1]}, "x_test and y_test must have the same l"),
            ({"x_test": pictures(2, size=9), "y_test": [0, 1]}, "x_test must have the form of x"),
            ({"x_test": pictures(2), "y_test": [0, 7]}, "y_test must hold .* got 7 in row 1"),
            ({"x_test": np.full((2, 4), np.nan), "y_test": [0, 1]}, r"x_test must be finite"),
            ({"augment": lambda x, generator: x[:1]}, "must return a batch like x"),
        ],
    )
    def test_bad_input(self, arguments, message):
        given = {"x": pictures(), "y": np.arange(120) % 3, **arguments}
        with pytest.raises((DataError, UsageError), match=message):
            Task.from_tensors(**given)


class TestFromDatasets:
    def test_equals_tensors(self, task):
        x, y = torch.from_numpy(pictures()), torch.arange(120) % 3
        assert Task.from_datasets(TensorDataset(x, y)).content == task.content

    def test_two_datasets(self):
        def dataset(n, seed):
            return TensorDataset(torch.from_numpy(pictures(n, seed=seed)), torch.arange(n) % 3)

        task = Task.from_datasets(
            dataset(120, 0), dataset(30, 1), classes=("a", "b", "c"), augment=Crop(1), name="mine"
        )
        assert len(task.test()) == 30
        assert task.classes == ("a", "b", "c")
        assert task.augment == Crop(1)
        assert task.name == "mine"

    def test_of_a_loader_the_dataset_is_read_whole_whatever_its_batches(self, task):
        dataset = TensorDataset(torch.from_numpy(pictures()), torch.arange(120) % 3)
        loader = DataLoader(dataset, batch_size=50, shuffle=True, drop_last=True)
        assert Task.from_datasets(loader).content == task.content

    def test_numbers_and_labels(self):
        x = torch.from_numpy(pictures())
        y = torch.randn(120, 2, generator=torch.Generator().manual_seed(0))
        assert Task.from_datasets(TensorDataset(x, y)).goal.text == "2 numbers"
        assert Task.from_datasets(TensorDataset(x, (y > 0).long())).goal.text == "2 labels"

    def test_a_stream_is_one_clear_line(self):
        class Stream(IterableDataset):
            def __iter__(self):
                return iter([])

        with pytest.raises(DataError, match="train must have a length and be indexed, got Stream; put it into a list"):
            Task.from_datasets(DataLoader(Stream()))


class TestLock:
    def test_search_and_final_refuse(self, task):
        for locked in (task.for_search(), task.for_final(), task.for_search().subset(0.5)):
            with pytest.raises(UsageError, match=r"locked away .* call test\(\) on the whole task"):
                locked.test()

    @pytest.mark.parametrize("pickler", [pickle, cloudpickle])
    @pytest.mark.parametrize("kind", ["search", "final"])
    def test_pickles_hold_no_test_bytes(self, task, kind, pickler):
        def images(data):
            stored = task.test().x.permute(0, 2, 3, 1).contiguous().numpy()
            return sum(image.tobytes() in data for image in stored)

        assert images(pickler.dumps(task)) == len(task.test())  # so the search below would find
        assert images(pickler.dumps(task.fit_part(kind))) == 0
        restored = pickler.loads(pickler.dumps(task.fit_part(kind)))
        with pytest.raises(UsageError, match="locked away"):
            restored.test()

    def test_no_attribute_leads_to_test_data(self, task):
        secret = rows(task.test())
        found, seen, queue = [], set(), [task.for_search(), task.for_final()]
        while queue:
            value = queue.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, torch.Tensor):
                found.append(value)
            elif isinstance(value, (Task, Split)):
                queue += vars(value).values()
            elif isinstance(value, dict):
                queue += value.values()
        images = [tensor for tensor in found if tensor.ndim == 4]
        assert len(images) == 4  # train and valid, of a search and of a final training
        for tensor in images:
            assert not secret & {image.tobytes() for image in tensor.numpy()}
            # ... nor hidden in memory that the tensor shows a part of
            assert tensor.untyped_storage().nbytes() == tensor.numel()

    def test_final_has_train_and_valid(self, task):
        final = task.for_final()
        assert rows(final.train) == rows(task.train) | rows(task.valid)
        assert final.train.y.tolist() == task.train.y.tolist() + task.valid.y.tolist()
        assert len(final.valid) == 0
        assert final.valid.x.shape == (0, 3, 8, 8)
        assert final.normalization == task.normalization
        assert final.content == task.content

    def test_kinds(self, task):
        assert len(task.fit_part("search").valid) == 18
        assert len(task.fit_part("final").valid) == 0
        assert len(task.for_search().for_final().train) == 96


class TestSubset:
    def test_nested_stratified_and_copied(self, task):
        half, tenth = task.subset(0.5), task.subset(0.1)
        assert len(half.train) == 39
        assert torch.bincount(half.train.y).tolist() == [13, 13, 13]
        assert rows(tenth.train) < rows(half.train) < rows(task.train)
        assert half.train.x.untyped_storage().nbytes() == half.train.x.numel()
        assert rows(half.valid) == rows(task.valid)

    def test_everything(self, task):
        assert torch.equal(task.subset(1).train.x, task.train.x)

    @pytest.mark.parametrize("fraction", [0, -1, 1.5, float("nan")])
    def test_bad_fraction(self, task, fraction):
        with pytest.raises(UsageError, match=r"fraction must be in \(0, 1\], got .*; 1 is"):
            task.subset(fraction)


def test_metrics_are_named_after_the_part(task):
    y = task.test().y
    assert task.measure("test", torch.eye(3)[(y + 1) % 3], y) == {"test_error": 1.0}


def test_tasks_are_immutable(task):
    with pytest.raises(AttributeError):
        task.name = "other"


def test_repr(task):
    text = "Task(tensors: (3, 8, 8) -> 3 classes; 78 train, 18 valid, 24 test)"
    assert repr(task) == text
    assert repr(task.for_search()).endswith("locked test)")


CHILD = """
import sys, pickle, hashlib, numpy as np, torch
from nasturtium.tasks import Task, batches
sent = pickle.load(sys.stdin.buffer)
x = np.arange(120 * 64, dtype=np.float32).reshape(120, 8, 8)
task = Task.from_tensors(x[::-1], [["b", "a"][i % 2] for i in range(120)][::-1])
for t in (sent, task.for_search()):
    order = hashlib.sha256()
    for x, y in batches(t.train, 16, torch.Generator().manual_seed(3), augment=sent.augment):
        order.update(x.numpy().tobytes() + y.numpy().tobytes())
    print(t.content, order.hexdigest(), float(sent.loss(torch.ones(1, 2), torch.tensor([0]))))
"""


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_same_in_another_process(hash_seed):
    x = np.arange(120 * 64, dtype=np.float32).reshape(120, 8, 8)
    factor = 2.5
    task = Task.from_tensors(
        x,
        [["b", "a"][i % 2] for i in range(120)],
        loss=lambda logits, y: factor * functional.cross_entropy(logits, y),
        augment=lambda x, generator: x + torch.rand(x.shape, generator=generator),
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    result = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=cloudpickle.dumps(task.for_search()),
        env=environment,
        capture_output=True,
        check=True,
    )
    sent, made = result.stdout.decode().splitlines()
    assert sent == made
    assert sent.startswith(task.content)
    assert sent.endswith(str(float(task.loss(torch.ones(1, 2), torch.tensor([0])))))
