import numpy as np
import torch
from sklearn.datasets import load_digits

from nasturtium.tasks import Crop, Digits


def test_all_digits_are_there():
    task = Digits().load()
    parts = (task.train, task.valid, task.test())
    assert [len(part) for part in parts] == [1151, 287, 359]
    assert task.input_shape == (1, 8, 8)
    assert task.classes == tuple("0123456789")
    stored = np.concatenate([part.x.numpy().reshape(-1, 64) for part in parts])
    given = load_digits().data.astype(np.uint8)
    assert sorted(map(bytes, stored)) == sorted(map(bytes, given))


def test_every_part_has_every_class():
    task = Digits().load()
    for part in (task.train, task.valid, task.test()):
        shares = torch.bincount(part.y).double() / len(part)
        assert shares.min() > 0.09
        assert shares.max() < 0.11


def test_digits_are_shifted_and_never_mirrored():
    assert Digits().load().augment == Crop(padding=1, flip=False)


def test_the_split_is_the_same_in_every_release():
    assert Digits().load().content == "96d337cbeb59c971c6421221e3ebcc3a"
