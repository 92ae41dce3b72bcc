"""A folder with one folder of images per class."""

from __future__ import annotations

import statistics
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from PIL import Image, ImageOps

from nasturtium.errors import DataError, UsageError
from nasturtium.tasks._arrays import about
from nasturtium.tasks._augment import photo_augmentation
from nasturtium.tasks._base import Task
from nasturtium.tasks._sources import TASKS, TaskSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

NETPBM = (".pbm", ".pgm", ".pnm", ".ppm")
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", *NETPBM, ".png", ".tif", ".tiff", ".webp")
LARGEST = 64
"""The longer side, in pixels, to which images are brought by default if theirs is longer."""

DEEP = ("I", "F")  # Pillow's modes with more than 8 bits, "I;16" and its kin among them
GREY = ("1", "L", "LA", "La", "I", "F")
ORIENTATION = 0x0112  # the EXIF tag; from 5 on, width and height are exchanged


@TASKS.register("image-folder")
@final
@dataclass(frozen=True)
class ImageFolder(TaskSource):
    """A folder with one folder of images per class, perhaps below train/ and test/.

    Class folders may have folders of their own. With ``train/`` and ``test/`` the latter is the
    test set; what is in ``valid/``, ``val/`` or ``validation/`` beside them joins ``train/``, for
    the validation part is chosen by content. Other files are not looked at.

    All images are brought to one size and are grey if all files are, else RGB. 8-bit images stay
    8-bit; with deeper grey ones (TIFF, PNG of 16 bits) all become float32. They are augmented by
    small shifts, and in color by mirror images too.

    Args:
        path: The folder.
        size: The longer side of the images in pixels; by default the median, but at most 64. The
            shape is that of the median image.
        balanced: Whether rare classes weigh as much as frequent ones in the loss; there is
            ``valid_balanced_error`` then, too.
    """

    path: str
    size: int | None = None
    balanced: bool = False

    def load(self) -> Task:
        """Return the task."""
        if self.size is not None and self.size < 1:
            raise UsageError(f"size must be at least 1, got {self.size}; 32 is usual.")
        train, test = _parts(Path(self.path))
        classes = sorted(train)
        files, labels = _flattened(train)
        test_files, test_labels = _flattened(test)
        with about(self.path):
            return task_of_images(
                files,
                labels,
                test_files,
                test_labels,
                classes=classes,
                size=self.size,
                balanced=self.balanced,
                name=Path(self.path).name,
            )


def task_of_images(
    files: Sequence[Picture],
    labels: Sequence[Any],
    test_files: Sequence[Picture] = (),
    test_labels: Sequence[Any] = (),
    *,
    classes: Sequence[str] | None = None,
    size: int | None = None,
    balanced: bool = False,
    name: str,
) -> Task:
    """Return the task of image files brought to one form.

    Args:
        files: Paths, or the files' contents.
        labels: Of each.
        test_files: The data set's own test part; empty for none.
        test_labels: Of each.
        classes: As in ``Task.from_tensors``.
        size: As in ``ImageFolder``.
        balanced: Likewise.
        name: For people.
    """
    form = _form([*files, *test_files], size)
    return Task.from_tensors(
        _pixels(files, form),
        labels,
        x_test=_pixels(test_files, form) if test_files else None,
        y_test=test_labels if test_files else None,
        classes=classes,
        balanced=balanced,
        augment=photo_augmentation((form.channels, form.height, form.width), mirror=form.channels == 3),
        name=name,
    )


@dataclass(frozen=True)
class _Form:
    """What every image of a task is brought to."""

    channels: int
    height: int
    width: int
    is_deep: bool


Picture = Path | bytes
"""An image file: its path or its content."""

Files = dict[str, list[Path]]
"""The images of each class."""


def _parts(root: Path) -> tuple[Files, Files]:
    """Return the images for training and validation, and those of the test set if there is one."""
    if not root.is_dir():
        raise DataError(f"an image folder must be a folder, got {root}; check the path.")
    folders = {folder.name.lower(): folder for folder in _folders(root)}
    if "train" not in folders or not _folders(folders["train"]):
        return _classes(root), {}
    train = _classes(folders["train"])
    for name in ("valid", "val", "validation"):
        for label, files in (_classes(folders[name]) if name in folders else {}).items():
            train.setdefault(label, []).extend(files)
    return train, _classes(folders["test"]) if "test" in folders else {}


def _classes(root: Path) -> Files:
    found = {folder.name: _images(folder) for folder in _folders(root)}
    rule = "an image folder must hold one folder of images per class"
    if not found:
        loose = len(_images(root))
        held = f"{loose} images and no folder" if loose else "no image and no folder"
        raise DataError(f"{rule}, got {held} in {root}; put each class into a folder of its name.")
    if not any(found.values()):
        known = " ".join(SUFFIXES)
        raise DataError(f"{rule}, got no image in {root}; images end in {known}.")
    for name, files in found.items():
        if not files:
            raise DataError(f"{rule}, got none in {root / name}; add some or remove that folder.")
    return found


def _folders(root: Path) -> list[Path]:
    inside = (item for item in root.iterdir() if not item.name.startswith((".", "__")))
    return sorted(item for item in inside if item.is_dir())


def _images(folder: Path) -> list[Path]:
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()
    )


def _flattened(classes: Files) -> tuple[list[Path], list[str]]:
    pairs = [(file, label) for label in sorted(classes) for file in classes[label]]
    return [file for file, _ in pairs], [label for _, label in pairs]


def _form(files: Sequence[Picture], size: int | None) -> _Form:
    """Return the common form of images, from the files' heads only."""
    modes, heights, widths = set(), [], []
    for file in files:
        with _opened(file) as image:
            modes.add(image.mode)
            turned = image.getexif().get(ORIENTATION, 1) >= 5
            width, height = image.size
            heights.append(width if turned else height)
            widths.append(height if turned else width)
    height, width = statistics.median_low(heights), statistics.median_low(widths)
    longest = max(height, width)
    scale = (min(longest, LARGEST) if size is None else size) / longest
    is_grey = all(mode in GREY or mode.startswith("I;16") for mode in modes)
    return _Form(
        channels=1 if is_grey else 3,
        height=max(1, round(height * scale)),
        width=max(1, round(width * scale)),
        is_deep=any(mode.startswith(DEEP) for mode in modes),
    )


def _pixels(files: Sequence[Picture], form: _Form) -> NDArray[Any]:
    """Return the images, shape ``(n, channels, height, width)``, channels_last in memory."""
    shape = (len(files), form.height, form.width, form.channels)
    result = np.empty(shape, np.float32 if form.is_deep else np.uint8)
    for row, file in zip(result, files, strict=True):
        with _opened(file) as image:
            row[:] = (_deep if form.is_deep else _plain)(image, form).reshape(row.shape)
    return result.transpose(0, 3, 1, 2)


def _plain(image: Image.Image, form: _Form) -> NDArray[Any]:
    mode = "L" if form.channels == 1 else "RGB"
    # A JPEG can be decoded at a half, a quarter or an eighth of its size; twice the wanted size
    # leaves enough for a smooth reduction. No other format is changed by this.
    longest = 2 * max(form.height, form.width)
    image.draft(mode, (longest, longest))
    image = ImageOps.exif_transpose(image).convert(mode)
    return np.asarray(image.resize((form.width, form.height), Image.Resampling.BILINEAR))


def _deep(image: Image.Image, form: _Form) -> NDArray[Any]:
    """Return float32 pixels in which white is 255, whatever the depth."""
    image = ImageOps.exif_transpose(image)
    is_deep = image.mode.startswith(DEEP)
    values = np.asarray(image if is_deep else image.convert("RGB"), np.float32)
    if is_deep and image.mode != "F":
        values = values / np.float32(257)  # 65535 / 255
    wanted = (form.width, form.height)
    planes = [
        Image.fromarray(np.ascontiguousarray(plane)).resize(wanted, Image.Resampling.BILINEAR)
        for plane in np.atleast_3d(values).transpose(2, 0, 1)[: form.channels]
    ]
    # A grey plane becomes three equal ones where others are in color.
    return np.stack([np.asarray(planes[i % len(planes)]) for i in range(form.channels)], axis=-1)


@contextmanager
def _opened(file: Picture) -> Iterator[Image.Image]:
    """Open an image; whatever fails inside is a fault of the file."""
    try:
        with Image.open(BytesIO(file) if isinstance(file, bytes) else file) as image:
            yield image
    except Exception as error:  # Pillow's readers raise errors of every kind on broken files
        reason = " ".join(str(error).split()) or type(error).__name__
        which = f"{len(file)} bytes" if isinstance(file, bytes) else file
        raise DataError(f"every image must be readable, got {which} ({reason}); replace or remove it.") from error
