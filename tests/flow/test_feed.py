# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from intaglio.errors import QuantizationError
from intaglio.flow.feed import is_feed, read_feed
from intaglio.flow.samples import read_samples

SOURCE = """
import numpy as np

def frames(number):
    return np.full((2, 3), number)

def mapped(number):
    return {"image": frames(number)}

def two(number):
    return {"a": frames(number), "b": frames(number)}

def failing(number):
    return frames(number) if number < 2 else [][number]

def growing(number):
    return np.zeros((2, 3 + number))

def empty(number):
    return []

constant = 3
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A module of its own name in the current folder, for each test."""
    name = f"feed_{abs(hash(request.node.nodeid))}"
    (tmp_path / f"{name}.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    return name


@pytest.mark.parametrize("function", ["frames", "mapped"])
def test_a_function_is_called_with_the_number_of_the_batch(module: str, function: str) -> None:
    found = read_samples(f"{module}:{function}", iterations=3)
    assert found.batch == 2
    assert found.images[:, 0].tolist() == [0, 0, 1, 1, 2, 2]


def test_a_hundred_times_where_nothing_is_said(module: str) -> None:
    assert len(read_feed(f"{module}:frames")) == 100


@pytest.mark.parametrize(
    ("function", "text"),
    [
        ("missing", "{} must name a function that exists: "),
        ("constant", "{} must name a function, not int"),
        ("two", "{}(0) must return one input's batch, not 2"),
        ("failing", "{}(2) must return a batch: IndexError: list index out of range"),
        ("growing", "{}(1) must return frames of shape (3,), as the first call did, not (4,)"),
        ("empty", "{}(0) must return a batch of numbers, [N, *frame], not float64 of shape (0,)"),
    ],
)
def test_a_function_that_gives_no_batches(module: str, function: str, text: str) -> None:
    source = f"{module}:{function}"
    with pytest.raises(QuantizationError) as stop:
        read_feed(source)
    assert str(stop.value).startswith(text.format(source))


def test_a_module_that_is_not_there() -> None:
    with pytest.raises(QuantizationError, match=r"^nowhere:f must name a function that exists: "):
        read_feed("nowhere:f")
    with pytest.raises(QuantizationError, match=r"^the number of iterations must be 1 or more"):
        read_feed("nowhere:f", 0)


def test_a_file_is_no_function(tmp_path: Path) -> None:
    assert is_feed("a.b:f")
    assert not is_feed("data.npz")
    assert not is_feed("C:/data.npz")
    np.save(tmp_path / "x.npy", np.zeros((1, 2)))
    assert not is_feed(str(tmp_path / "x.npy"))
