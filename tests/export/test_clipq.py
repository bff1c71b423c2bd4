# SPDX-License-Identifier: Apache-2.0
"""CLIP-Q's codebooks and codes: read back, and their layout by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio import export
from intaglio.errors import ArtifactError, ModelError, VerificationError
from intaglio.export import clipq
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Node, Program
from intaglio.ir.types import Quantization
from intaglio.ops.conv2d import Conv2d
from tests.programs import S8, codes, convolutional, program


def layer(weight: np.ndarray) -> Program:
    """Return a convolution of given weights [K, R, S, C], which stand for 32nds."""
    constants = {"w": Constant.integers(weight), "b": codes(S8, len(weight))}
    made = program((4, 4, weight.shape[3]), [Node("conv", Conv2d(), ("x", "w", "b"))], constants)
    meaning = {"x": Quantization((0.5,)), "conv": Quantization((2.0**-6,))}
    return Program(made.graph, meaning)


@given(
    values=st.lists(st.integers(-128, 127), min_size=1, max_size=15),
    shape=st.tuples(*[st.integers(1, 4)] * 4),
    seed=st.integers(0, 99),
)
def test_weights_are_read_back(values: list[int], shape: tuple[int, ...], seed: int) -> None:
    weight = np.random.default_rng(seed).choice(np.array(values), shape)
    made = layer(weight)
    files = clipq.write(made)
    assert clipq.check(made, files) == ()
    found = clipq.parse(files)["conv"]
    assert np.array_equal(found.weight, weight.transpose(0, 3, 1, 2))
    assert 0 in found.book or len(np.unique(weight)) == len(found.book)
    assert found.fraction == 5


def test_codes_lie_as_the_decoder_wants_them(tmp_path: Path) -> None:
    weight = np.array([[[[-9, 0], [4, 4]], [[-2, 0], [-9, 4]]]] * 3)
    exported = export(layer(weight), tmp_path / "net", "clipq")
    names = [str(path.relative_to(tmp_path / "net")) for path in exported.files]
    assert names == ["index.json", "conv/W8.hex", "conv/W2.hex"]
    assert (tmp_path / "net/conv/W8.hex").read_text().split() == ["f7", "fe", "00", "04"]
    # Outputs, channels, rows, columns: channel 0 is -9 4 -2 -9, channel 1 is 0 4 0 4.
    first = [0, 3, 1, 0, 2, 3, 2, 3]
    packed = [sum(code << 2 * n for n, code in enumerate(part)) for part in (first * 2, first)]
    text = (tmp_path / "net/conv/W2.hex").read_text().split()
    assert text == [f"{word:08x}" for word in packed]


def test_a_side_with_too_many_entries_moves_zero() -> None:
    found = clipq.coded(np.array([-3, -2, -1, 0]))
    assert found is not None
    assert found.book.tolist() == [-3, -2, -1, 0]
    full = clipq.coded(np.array([-3, -2, 1, 5]))
    assert full is not None
    assert full.book.tolist() == [-3, -2, 1, 5]
    lopsided = clipq.coded(np.array([1, 2, 3]))
    assert lopsided is not None
    assert lopsided.book.tolist() == [0, 1, 2, 3]


def test_a_layer_of_many_weights_is_left_out_and_named() -> None:
    weight = np.arange(-10, 10).reshape(5, 4, 1, 1)
    with pytest.raises(ModelError, match="must have a layer of at most 16 different weights of 8"):
        clipq.write(layer(weight))
    made = convolutional()
    constants = {**made.graph.constants, "v": Constant.integers(np.ones((5, 36), np.int64))}
    graph = type(made.graph)("n", made.graph.inputs, made.graph.nodes, ("dense",), constants)
    both = Program(graph, made.quantization)
    assert clipq.check(both, clipq.write(both)) == ("too many different weights for codes: conv",)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("conv/W8.hex", b"00\n", "layer 'conv' must have 4 entries, 4 codes"),
        ("conv/W2.hex", b"xx\n", "the folder must hold what its index says"),
        ("conv/W2.hex", b"00000000\n", "layer 'conv' must match its checksum; it was changed"),
    ],
)
def test_damage_is_found(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    export(layer(np.array([[[[1]], [[2]], [[1]], [[-1]]]])), tmp_path / "net", "clipq")
    (tmp_path / "net" / name).write_bytes(data)
    with pytest.raises(ArtifactError, match=said):
        clipq.read(tmp_path / "net")


def test_other_weights_are_found() -> None:
    files = clipq.write(layer(np.ones((1, 1, 1, 1), int)))
    with pytest.raises(VerificationError, match="layer 'conv' must be read back as it was written"):
        clipq.check(layer(np.full((1, 1, 1, 1), 2)), files)
