# SPDX-License-Identifier: Apache-2.0
"""CIFAR's batches: read as they were written; hostile and damaged ones refused, nothing run."""

from __future__ import annotations

import io
import os
import pickle
import re
import tarfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from intaglio.errors import IntaglioError
from intaglio.train.data import load_dataset
from intaglio.train.data.cifar import read_pickle

TEN = [f"data_batch_{number}" for number in range(1, 6)]
#: A batch as Python 2 wrote those that are published: one black image of class 3.
OLD = (
    b"(dp1\nS'data'\np2\ncnumpy.core.multiarray\n_reconstruct\np3\n(cnumpy\nndarray\np4\n(I0\ntp5\n"
    b"S'b'\np6\ntp7\nRp8\n(I1\n(I1\nI3072\ntp9\ncnumpy\ndtype\np10\n(S'u1'\np11\nI0\nI1\ntp12\nRp13"
    b"\n(I3\nS'|'\np14\nNNNI-1\nI-1\nI0\ntp15\nbI00\nS'" + b"\\x00" * 3072 + b"'\np16\ntp17\nb"
    b"sS'labels'\np18\n(lp19\nI3\nas."
)


def batch(seed: int, count: int, classes: int = 10) -> dict[bytes, Any]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, count).tolist()
    return {
        b"data": random.integers(0, 256, (count, 3072), dtype=np.uint8),
        b"labels" if classes == 10 else b"fine_labels": labels,
        b"filenames": [b"a.png"] * count,
        b"batch_label": b"a batch",
    }


def write_ten(folder: Path, protocol: int = 2) -> list[dict[bytes, Any]]:
    folder.mkdir(parents=True, exist_ok=True)
    written = [batch(number, 2 + number) for number in range(6)]
    for name, one in zip([*TEN, "test_batch"], written, strict=True):
        (folder / name).write_bytes(pickle.dumps(one, protocol))
    return written


@pytest.mark.parametrize("root", [".", "cifar-10-batches-py"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_ten_classes_are_read_as_written(tmp_path: Path, root: str, protocol: int) -> None:
    written = write_ten(tmp_path / root, protocol)
    data = load_dataset(tmp_path)
    pixels = np.concatenate([one[b"data"] for one in written[:5]]).reshape(-1, 3, 32, 32)
    assert data.name == "cifar10"
    assert np.array_equal(data.train_images, pixels.astype(np.float32) / np.float32(255))
    assert data.train_labels.tolist() == [n for one in written[:5] for n in one[b"labels"]]
    assert data.test_labels.tolist() == written[5][b"labels"]


def test_a_hundred_classes_are_read_as_written(tmp_path: Path) -> None:
    train, test = batch(1, 9, 100), batch(2, 4, 100)
    (tmp_path / "train").write_bytes(pickle.dumps(train, 2))
    (tmp_path / "test").write_bytes(pickle.dumps(test, 2))
    data = load_dataset(tmp_path)
    assert data.name == "cifar100"
    assert data.train_labels.tolist() == train[b"fine_labels"]
    assert data.test_labels.tolist() == test[b"fine_labels"]


def test_the_archive_is_read_as_its_files_are(tmp_path: Path) -> None:
    write_ten(tmp_path / "files" / "cifar-10-batches-py")
    with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "files" / "cifar-10-batches-py", "cifar-10-batches-py")
    assert load_dataset(tmp_path).sha256 == load_dataset(tmp_path / "files").sha256


def test_a_batch_of_python_2_is_read() -> None:
    found = read_pickle("a batch", OLD)
    assert found[b"data"].dtype == np.uint8
    assert found[b"data"].shape == (1, 3072)
    assert found[b"labels"] == [3]


class Hostile:
    """A pickle of it calls a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("function", "arguments", "name"),
    [
        (os.system, ("touch {}",), "posix.system"),
        (eval, ("open({!r}, 'w')",), "builtins.eval"),
        (getattr, (os, "sep"), "builtins.getattr"),
        (np.save, ("{}", 1), "numpy.save"),
    ],
)
def test_functions_are_refused_and_not_called(
    tmp_path: Path, function: Any, arguments: tuple[Any, ...], name: str, protocol: int
) -> None:
    trace = tmp_path / "trace"
    filled = [a.format(str(trace)) if isinstance(a, str) else 1 for a in arguments]
    document = batch(0, 2) | {b"labels": Hostile(function, *filled)}
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps(document, protocol))
    where = re.escape(str(tmp_path / "data_batch_1"))
    with pytest.raises(IntaglioError, match=f"^{where} must hold arrays, lists and text only, not"):
        load_dataset(tmp_path)
    assert not trace.exists()


def refusal(content: bytes) -> str:
    """Return what is said of a pickle that is refused."""
    try:
        read_pickle("a batch", content)
    except IntaglioError as error:
        return str(error)
    return ""


@given(st.binary(max_size=300))
def test_whatever_the_bytes_are_the_error_is_ours(content: bytes) -> None:
    assert refusal(content).startswith("a batch must ") or not refusal(content)


@given(st.data())
def test_a_damaged_batch_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(pickle.dumps(batch(0, 1) | {b"data": np.zeros((1, 4), np.uint8)}, 2))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    assert refusal(bytes(content)).startswith("a batch must ") or not refusal(bytes(content))


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ([], "must hold a dictionary, not list"),
        ({b"data": 3}, r"must hold data, uint8 \[N, 3072\]"),
        (
            {b"data": np.zeros((2, 8), np.uint8)},
            r"must hold data, uint8 \[N, 3072\], not \(2, 8\)",
        ),
        ({b"data": np.zeros((2, 3072), np.float32)}, "must hold arrays of bytes or integers, row"),
        ({b"labels": (1, 2)}, "must hold labels, a list of integers"),
        ({b"labels": [1]}, "must hold 2 labels, not 1"),
        ({b"labels": [1, 10]}, "must hold labels in 0..9"),
    ],
)
def test_what_is_no_batch_is_refused(tmp_path: Path, changed: Any, text: str) -> None:
    document = changed if isinstance(changed, list) else batch(0, 2) | changed
    path = tmp_path / "data_batch_1"
    path.write_bytes(pickle.dumps(document, 2))
    with pytest.raises(IntaglioError, match=f"^{re.escape(str(path))} {text}"):
        load_dataset(tmp_path)


def test_missing_and_cut_short_files_are_named(tmp_path: Path) -> None:
    write_ten(tmp_path)
    (tmp_path / "data_batch_4").unlink()
    missing = re.escape(str(tmp_path / "data_batch_4"))
    with pytest.raises(IntaglioError, match=f"^{missing} must be a batch of CIFAR; there is no"):
        load_dataset(tmp_path)
    path = tmp_path / "data_batch_1"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(IntaglioError, match=f"^{re.escape(str(path))} must be a whole batch of"):
        load_dataset(tmp_path)


def test_damaged_archives_and_missing_members_are_named(tmp_path: Path) -> None:
    path = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
        content = pickle.dumps(batch(0, 1), 2)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    text = f"^{re.escape(str(path))} must hold cifar-10-batches-py/data_batch_2; it does not$"
    with pytest.raises(IntaglioError, match=text):
        load_dataset(tmp_path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(IntaglioError, match=r"must be a whole archive of CIFAR: "):
        load_dataset(tmp_path)
