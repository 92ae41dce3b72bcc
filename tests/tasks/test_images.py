import numpy as np
import pytest
import torch
from PIL import Image

from nasturtium.errors import DataError, UsageError
from nasturtium.tasks import Crop, ImageFolder, load_task


def image(seed, mode="RGB", size=(10, 8)):
    """Return a picture of (width, height) pixels."""
    rng = np.random.default_rng(seed)
    width, height = size
    if mode == "I;16":
        return Image.fromarray(rng.integers(0, 65536, (height, width)).astype(np.uint16))
    if mode == "F":
        return Image.fromarray(rng.uniform(0, 255, (height, width)).astype(np.float32))
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).convert(mode)


def fill(folder, n=6, *, classes=("cat", "dog"), first=0, suffix="png", **options):
    """Write n different images per class."""
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(n):
            seed = first + 1000 * number + i
            image(seed, **options).save(folder / name / f"{seed}.{suffix}")
    return folder


def sizes(task):
    return [len(part) for part in (task.train, task.valid, task.test())]


def test_class_folders(tmp_path):
    task = load_task(str(fill(tmp_path / "pets", 10)))
    assert task.name == "pets"
    assert task.source == f"image-folder(path='{tmp_path / 'pets'}')"
    assert task.classes == ("cat", "dog")
    assert task.input_shape == (3, 8, 10)
    assert sizes(task) == [12, 4, 4]
    assert task.augment == Crop(1, flip=True)
    assert task.train.x.dtype == torch.uint8


def test_pixels_and_labels(tmp_path):
    fill(tmp_path, 5)
    task = ImageFolder(str(tmp_path)).load()
    stored = {
        x.numpy().tobytes(): int(y)
        for part in (task.train, task.valid, task.test())
        for x, y in zip(part.x, part.y, strict=True)
    }
    for number in (0, 1):
        for i in range(5):
            pixels = np.asarray(image(1000 * number + i)).transpose(2, 0, 1)
            assert stored[pixels.tobytes()] == number


def test_names_and_order_of_files_do_not_matter(tmp_path):
    fill(tmp_path / "one")
    fill(tmp_path / "two")
    for i, file in enumerate(sorted((tmp_path / "two" / "cat").iterdir(), reverse=True)):
        file.rename(file.with_name(f"renamed{i}.PNG"))
    contents = {ImageFolder(str(tmp_path / name)).load().content for name in ("one", "two")}
    assert len(contents) == 1


def test_train_and_test_folders(tmp_path):
    fill(tmp_path / "train", 8)
    fill(tmp_path / "test", 3, first=100)
    task = ImageFolder(str(tmp_path)).load()
    assert sizes(task) == [12, 4, 6]


@pytest.mark.parametrize("name", ["valid", "val", "Validation"])
def test_validation_folder_joins_train(tmp_path, name):
    fill(tmp_path / "train", 8)
    fill(tmp_path / name, 2, first=100)
    assert sum(sizes(ImageFolder(str(tmp_path)).load())) == 20


def test_train_may_be_a_class(tmp_path):
    fill(tmp_path, classes=("bus", "train"))
    assert ImageFolder(str(tmp_path)).load().classes == ("bus", "train")


def test_what_is_not_an_image_is_left_alone(tmp_path):
    fill(tmp_path)
    (tmp_path / "cat" / "Thumbs.db").write_text("x")
    (tmp_path / "cat" / "._1.png").write_text("x")
    (tmp_path / "readme.txt").write_text("x")
    (tmp_path / ".cache").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    assert sum(sizes(ImageFolder(str(tmp_path)).load())) == 12


def test_folders_within_a_class(tmp_path):
    fill(tmp_path / "cat", classes=("siamese", "tabby"))
    fill(tmp_path, classes=("dog",), first=50)
    task = ImageFolder(str(tmp_path)).load()
    assert task.classes == ("cat", "dog")
    assert sum(sizes(task)) == 18


class TestForm:
    def test_median_size(self, tmp_path):
        fill(tmp_path, 3, size=(9, 7))
        fill(tmp_path, 4, size=(12, 8), first=50)
        fill(tmp_path, 2, size=(40, 30), first=90)
        assert ImageFolder(str(tmp_path)).load().input_shape == (3, 8, 12)

    def test_large_images_get_64_pixels_and_keep_their_shape(self, tmp_path):
        fill(tmp_path, size=(256, 128))
        assert ImageFolder(str(tmp_path)).load().input_shape == (3, 32, 64)

    @pytest.mark.parametrize("suffix", ["jpg", "png"])
    def test_reduction_is_smooth(self, tmp_path, suffix):
        for name, shade in (("dark", 60), ("light", 180)):
            (tmp_path / name).mkdir()
            for i in range(5):
                pixels = np.full((512, 512, 3), shade + i, np.uint8)
                pixels[::2] += 20  # fine stripes, which must not alias
                Image.fromarray(pixels).save(tmp_path / name / f"{i}.{suffix}", quality=95)
        task = ImageFolder(str(tmp_path), size=32).load()
        dark = task.train.x[task.train.y == 0].float()
        assert dark.std((2, 3)).max() < 3
        assert 68 < dark.mean() < 76

    def test_chosen_size(self, tmp_path):
        fill(tmp_path, size=(20, 10))
        task = load_task(f"image-folder(path='{tmp_path}', size=32)")
        assert task.input_shape == (3, 16, 32)
        assert task.source == f"image-folder(path='{tmp_path}', size=32)"

    def test_bad_size(self, tmp_path):
        with pytest.raises(UsageError, match="size must be at least 1, got 0; 32 is usual"):
            ImageFolder(str(tmp_path), size=0).load()

    @pytest.mark.parametrize("mode", ["L", "1", "LA"])
    def test_grey(self, tmp_path, mode):
        task = ImageFolder(str(fill(tmp_path, mode=mode))).load()
        assert task.input_shape == (1, 8, 10)
        assert task.train.x.dtype == torch.uint8
        assert task.augment == Crop(1, flip=False)  # it may be writing

    @pytest.mark.parametrize("mode", ["P", "RGBA", "CMYK"])
    def test_color(self, tmp_path, mode):
        suffix = "tiff" if mode == "CMYK" else "png"
        task = ImageFolder(str(fill(tmp_path, mode=mode, suffix=suffix))).load()
        assert task.input_shape == (3, 8, 10)

    def test_grey_among_color(self, tmp_path):
        fill(tmp_path)
        fill(tmp_path, mode="L", first=50)
        assert ImageFolder(str(tmp_path)).load().input_shape == (3, 8, 10)

    def test_photos_are_turned_upright(self, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 6
        for name in ("cat", "dog"):
            (tmp_path / name).mkdir()
            for i in range(4):
                picture = image(i + 10 * (name == "dog"), size=(24, 16))
                picture.save(tmp_path / name / f"{i}.jpg", exif=exif)
        assert ImageFolder(str(tmp_path)).load().input_shape == (3, 24, 16)

    @pytest.mark.parametrize("suffix", ["bmp", "gif", "jpeg", "ppm", "tif", "webp"])
    def test_formats(self, tmp_path, suffix):
        task = ImageFolder(str(fill(tmp_path, suffix=suffix))).load()
        assert task.input_shape == (3, 8, 10)


class TestDeep:
    @pytest.mark.parametrize("suffix", ["png", "tiff"])
    def test_16_bits_are_kept(self, tmp_path, suffix):
        task = ImageFolder(str(fill(tmp_path, 3, mode="I;16", suffix=suffix))).load()
        assert task.input_shape == (1, 8, 10)
        assert task.train.x.dtype == torch.float32
        wanted = [np.asarray(image(seed, "I;16"), np.float32) / 257 for seed in (0, 1, 2)]
        cat = task.train.x[task.train.y == 0][0, 0].numpy()
        assert any(np.array_equal(cat, pixels) for pixels in wanted)

    def test_resized(self, tmp_path):
        fill(tmp_path, mode="I;16", size=(128, 128))
        x = ImageFolder(str(tmp_path), size=16).load().train.x
        assert x.shape[1:] == (1, 16, 16)
        assert 100 < x.mean() < 155

    def test_beside_8_bits_and_color(self, tmp_path):
        fill(tmp_path, mode="I;16")
        fill(tmp_path, mode="L", first=50)
        grey = ImageFolder(str(tmp_path)).load()
        assert grey.input_shape == (1, 8, 10)
        assert 0 <= grey.train.x.min() <= grey.train.x.max() <= 255
        fill(tmp_path, mode="RGB", first=90)
        assert ImageFolder(str(tmp_path)).load().input_shape == (3, 8, 10)

    def test_floats(self, tmp_path):
        fill(tmp_path, 3, mode="F", suffix="tiff")
        x = ImageFolder(str(tmp_path)).load().train.x
        assert 200 < x.max() <= 255

    def test_floats_that_are_not_finite(self, tmp_path):
        fill(tmp_path, mode="F", suffix="tiff")
        Image.fromarray(np.full((8, 10), np.nan, np.float32)).save(tmp_path / "cat" / "0.tiff")
        with pytest.raises(DataError, match="x must be finite, got 80 NaN"):
            ImageFolder(str(tmp_path)).load()


class TestBadFolders:
    def check(self, folder, message):
        with pytest.raises(DataError, match=message) as caught:
            load_task(str(folder))
        assert str(folder) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_empty(self, tmp_path):
        self.check(tmp_path, "one folder of images per class, got no image and no folder in")

    def test_no_class_folders(self, tmp_path):
        image(0).save(tmp_path / "0.png")
        image(1).save(tmp_path / "1.png")
        self.check(tmp_path, "got 2 images and no folder in .*; put each class into a folder of")

    def test_no_images(self, tmp_path):
        (tmp_path / "cat").mkdir()
        (tmp_path / "dog").mkdir()
        (tmp_path / "dog" / "a.txt").write_text("x")
        self.check(tmp_path, r"got no image in .*; images end in \.bmp \.gif \.jpeg")

    def test_an_empty_class(self, tmp_path):
        fill(tmp_path)
        (tmp_path / "eel").mkdir()
        self.check(tmp_path, "got none in .*/eel; add some or remove that folder")

    def test_one_class(self, tmp_path):
        self.check(fill(tmp_path, classes=("cat",)), r"2 classes, got one only \('cat'\)")

    def test_small_class(self, tmp_path):
        fill(tmp_path)
        fill(tmp_path, 2, classes=("eel",), first=77)
        self.check(tmp_path, "at least 3 different examples, .* got 2 in class 'eel': add some")

    def test_copies_of_one_image(self, tmp_path):
        fill(tmp_path)
        (tmp_path / "eel").mkdir()
        for i in range(9):
            image(77).save(tmp_path / "eel" / f"{i}.png")
        self.check(tmp_path, "got 1 in class 'eel'")

    def test_unknown_class_in_test(self, tmp_path):
        fill(tmp_path / "train")
        fill(tmp_path / "test", classes=("cat", "eel"), first=50)
        self.check(tmp_path, "y_test must hold the classes 'cat', 'dog', got 'eel'")

    @pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "tif", "webp"])
    @pytest.mark.parametrize("keep", [0.0, 0.02, 0.5, 0.9])
    def test_cut_off_image_is_named(self, tmp_path, suffix, keep):
        fill(tmp_path, suffix=suffix, size=(40, 40))
        broken = tmp_path / "dog" / f"1003.{suffix}"
        raw = broken.read_bytes()
        broken.write_bytes(raw[: int(len(raw) * keep)])
        self.check(tmp_path, rf"every image must be readable, got .*1003\.{suffix} \(.+\); replace")

    def test_text_as_an_image(self, tmp_path):
        fill(tmp_path)
        (tmp_path / "cat" / "x.png").write_text("not an image")
        self.check(tmp_path, r"must be readable, got .*x\.png \(")
