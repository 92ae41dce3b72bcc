import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nasturtium.errors import UsageError
from nasturtium.tasks import Crop, Normalization, Split, batches
from nasturtium.tasks._split import _sizes


def split_of(n, *, channels=3, dtype=torch.uint8, size=6):
    x = torch.randint(0, 256, (n, channels, size, size), generator=seeded()).to(dtype)
    return Split(x, torch.arange(n), Normalization((100.0,) * channels, (50.0,) * channels))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class TestNormalization:
    @pytest.mark.parametrize("dtype", [np.uint8, np.float32])
    def test_channels_get_mean_0_and_deviation_1(self, dtype):
        rng = np.random.default_rng(0)
        x = rng.integers(0, 256, (2100, 4, 5, 3)).astype(dtype)  # more than two blocks
        normalization = Normalization.fit(x)
        assert normalization.mean == pytest.approx(x.mean((0, 1, 2), dtype=float))
        assert normalization.std == pytest.approx(x.std((0, 1, 2), dtype=float))
        z = normalization(torch.from_numpy(x).movedim(-1, 1))
        assert z.dtype == torch.float32
        assert z.mean((0, 2, 3)).abs().max() < 1e-5
        assert (z.std((0, 2, 3)) - 1).abs().max() < 1e-4

    def test_features_are_scaled_one_by_one(self):
        x = np.array([[0.0, 10.0], [2.0, 30.0]], np.float32)
        z = Normalization.fit(x)(torch.from_numpy(x))
        assert z.tolist() == [[-1, -1], [1, 1]]

    @pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
    def test_constant_channel(self, value):
        normalization = Normalization.fit(np.full((3000, 1), value, np.float32))
        assert normalization.std == (1.0,)

    def test_argument_stays_and_layout_does_not_matter(self):
        x = torch.randn(4, 3, 5, 6, generator=seeded())
        kept = x.clone()
        normalization = Normalization((1.0, 2.0, 3.0), (1.0, 2.0, 4.0))
        mean, std = torch.tensor([1.0, 2, 3]), torch.tensor([1.0, 2, 4])
        wanted = (x - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
        assert torch.equal(normalization(x), wanted)
        assert torch.equal(normalization(x.contiguous(memory_format=torch.channels_last)), wanted)
        assert torch.equal(x, kept)


class TestSplit:
    def test_take_equals_normalizing_everything(self):
        split = split_of(10)
        x, y = split.take(torch.tensor([7, 2]))
        everything, labels = split.tensors()
        assert torch.equal(x, everything[[7, 2]])
        assert torch.equal(y, labels[[7, 2]])

    @pytest.mark.parametrize("channels", [1, 3])
    def test_images_are_channels_last(self, channels):
        split = split_of(10, channels=channels)
        for x in (
            split.take(torch.arange(4))[0],
            split.tensors()[0],
            split.select(torch.arange(4)).x,
        ):
            assert x.stride()[1] == 1
            assert x.is_contiguous(memory_format=torch.channels_last)

    def test_select_copies(self):
        split = split_of(100)
        part = split.select(torch.tensor([5]))
        assert torch.equal(part.x[0], split.x[5])
        assert part.x.untyped_storage().nbytes() == split.x[0].numel()

    def test_joined(self):
        split = split_of(10)
        both = split.select(torch.arange(6)).joined(split.select(torch.arange(6, 10)))
        assert torch.equal(both.x, split.x)
        assert torch.equal(both.y, split.y)

    def test_features(self):
        split = Split(torch.eye(3), torch.arange(3), Normalization((0.0,) * 3, (1.0,) * 3))
        assert torch.equal(split.take(torch.tensor([1]))[0], torch.eye(3)[1:2])

    def test_repr_shows_no_pixels(self):
        assert repr(split_of(10)) == "Split(10 of (3, 6, 6), torch.uint8)"

    def test_to_a_device(self):
        split = split_of(2).to("meta")
        assert split.x.device.type == split.y.device.type == "meta"


class TestBatches:
    def test_an_epoch_has_every_example_once(self):
        split = split_of(130)
        epoch = list(batches(split, 32, seeded()))
        labels = torch.cat([y for _, y in epoch])
        assert labels.tolist() != list(range(130))
        assert sorted(labels.tolist()) == list(range(130))
        everything, _ = split.tensors()
        assert torch.equal(torch.cat([x for x, _ in epoch]), everything[labels])

    def test_without_generator_in_order(self):
        assert torch.cat([y for _, y in batches(split_of(70), 32)]).tolist() == list(range(70))

    def test_generator_decides(self):
        def order(seed):
            return torch.cat([y for _, y in batches(split_of(50), 16, seeded(seed))]).tolist()

        assert order(1) == order(1) != order(2)

    def test_generator_goes_on_so_epochs_differ(self):
        generator, split = seeded(), split_of(50)
        one, two = (torch.cat([y for _, y in batches(split, 16, generator)]) for _ in range(2))
        assert not torch.equal(one, two)

    def test_global_generator_is_untouched(self):
        before = torch.get_rng_state()
        list(batches(split_of(20), 8, seeded(), augment=Crop(2, flip=True)))
        assert torch.equal(before, torch.get_rng_state())

    def test_augment_gets_normalized_batches(self):
        seen = []

        def augment(x, generator):
            seen.append((x.dtype, len(x), generator))
            return x + 1

        split, generator = split_of(20), seeded()
        epoch = list(batches(split, 10, generator, augment=augment))
        assert seen == [(torch.float32, 10, generator)] * 2
        x, y = epoch[0]
        assert torch.equal(x, split.tensors()[0][y] + 1)

    def test_yielded_batches_are_no_views(self):
        split = split_of(8, dtype=torch.float32)
        kept = split.x.clone()
        for x, y in batches(split, 4):
            x.zero_()
            y.zero_()
        assert torch.equal(split.x, kept)
        assert split.y.tolist() == list(range(8))

    def test_empty_split(self):
        assert list(batches(split_of(8).select(torch.arange(0)), 4)) == []

    def test_drop_last(self):
        assert [len(x) for x, _ in batches(split_of(70), 32, seeded(), drop_last=True)] == [32, 32]
        assert [len(x) for x, _ in batches(split_of(7), 32, seeded(), drop_last=True)] == [7]

    def test_bad_arguments_are_refused_at_once(self):
        with pytest.raises(UsageError, match="batch_size must be at least 1, got 0; use"):
            batches(split_of(4), 0)
        with pytest.raises(UsageError, match="augment without one; pass generator="):
            batches(split_of(4), 2, augment=Crop(1))


@settings(deadline=None)
@given(st.integers(1, 2000), st.integers(1, 300))
def test_no_batch_of_one(n, batch_size):
    sizes = _sizes(n, batch_size, drop_last=False)
    assert sum(sizes) == n
    assert min(sizes) >= min(2, n)
    assert max(sizes) - min(sizes) <= 1
    # Only where a batch of 1 would be left is one larger than asked for.
    assert max(sizes) <= max(batch_size, 3)
