"""Data sets of Hugging Face's datasets on disk, here written by pyarrow in the same layout."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from PIL import Image

from nasturtium.errors import DataError
from nasturtium.tasks import SavedDataset, load_task

DATA = Path(__file__).parents[1] / "data"
LABEL = {"names": ["cat", "dog"], "_type": "ClassLabel"}


def picture(seed, size=(6, 5)):
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, size[::-1], dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return {"bytes": file.getvalue(), "path": None}


def save(folder, columns, features):
    """Write what ``Dataset.save_to_disk`` writes."""
    folder.mkdir(parents=True)
    table = pyarrow.table(columns)
    name = "data-00000-of-00001.arrow"
    with pyarrow.ipc.new_stream(str(folder / name), table.schema) as stream:
        stream.write_table(table)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}], "_split": None}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": features}))
    return folder


def pictures(folder, n, first=0):
    columns = {"image": [picture(first + i) for i in range(n)], "label": [i % 2 for i in range(n)]}
    return save(folder, columns, {"image": {"_type": "Image"}, "label": LABEL})


def table(folder):
    columns = {"size": [i / 2 for i in range(30)], "color": ["red", None] * 15, "kind": ["a", "b"] * 15}
    return save(folder, columns, {name: {"dtype": "string", "_type": "Value"} for name in columns})


def test_pictures_with_their_labels(tmp_path):
    task = load_task(str(pictures(tmp_path / "pets", 20)))
    assert repr(task) == "Task(pets: (1, 5, 6) -> 2 classes; 12 train, 4 valid, 4 test)"
    assert task.classes == ("cat", "dog")
    assert task.source == f"saved-dataset(path='{tmp_path / 'pets'}')"
    assert load_task(task.source).content == task.content


def test_what_the_library_itself_wrote():
    # Written by datasets 5.2.0: DatasetDict.save_to_disk with train and test, and Dataset.save_to_disk.
    task = load_task(str(DATA / "saved_images"))
    assert repr(task) == "Task(saved_images: (1, 5, 6) -> 2 classes; 10 train, 2 valid, 4 test)"
    assert task.classes == ("cat", "dog")
    assert load_task(str(DATA / "saved_table"), target="kind").input_shape == (3,)


def test_splits_of_a_dictionary(tmp_path):
    pictures(tmp_path / "d" / "train", 20)
    pictures(tmp_path / "d" / "test", 6, first=100)
    (tmp_path / "d" / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    task = load_task(str(tmp_path / "d"))
    assert len(task.test()) == 6
    assert len(task.train) + len(task.valid) == 20


def test_a_table_with_a_target(tmp_path):
    task = load_task(str(table(tmp_path / "t")), target="kind")
    assert task.input_shape == (1 + 2,)
    assert task.classes == ("a", "b")
    assert "predict.py" in task.files


def test_what_is_wrong_is_one_line(tmp_path):
    folder = table(tmp_path / "t")
    with pytest.raises(DataError, match="a target must be named, got none; add --target with one of size, color, kind"):
        load_task(str(folder))
    with pytest.raises(DataError, match="the target must be a column, got 'kin'; did you mean 'kind'"):
        load_task(str(folder), target="kin")
    (folder / "data-00000-of-00001.arrow").write_bytes(b"none")
    with pytest.raises(DataError, match=r"data-00000-of-00001\.arrow must be readable"):
        load_task(str(folder), target="kind")
    (folder / "dataset_info.json").write_text("{")
    with pytest.raises(DataError, match=r"dataset_info\.json must be readable"):
        SavedDataset(str(folder), "kind").load()


def test_a_row_without_a_picture_is_one_line(tmp_path):
    columns = {"image": [picture(0), {"bytes": None, "path": "gone.png"}], "label": [0, 1]}
    folder = save(tmp_path / "p", columns, {"image": {"_type": "Image"}, "label": LABEL})
    with pytest.raises(DataError, match=r"every row must have a picture in 'image', got .*gone\.png"):
        SavedDataset(str(folder)).load()
