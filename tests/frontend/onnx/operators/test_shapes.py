# SPDX-License-Identifier: Apache-2.0
"""What renames, cuts, joins and moves elements."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.frontend.models import Model
from tests.frontend.onnx.operators.reading import Write, integers, operators_of, refusal

IMAGE = (4, 6, 8)


def _shuffle(model: Model) -> None:
    """The channel shuffle of ShuffleNet."""
    model.node("Reshape", "x", integers(model, 0, 2, 2, 6, 8))
    model.node("Transpose", model.last, perm=[0, 2, 1, 3, 4])
    model.node("Reshape", model.last, integers(model, 0, 4, 6, 8))
    model.node("Conv", model.last, model.constant(model.draw(2, 4, 3, 3)))


def _pixel_shuffle(model: Model) -> None:
    """How torch wrote PixelShuffle before DepthToSpace."""
    model.node("Reshape", "x", integers(model, 0, 1, 2, 2, 6, 8))
    model.node("Transpose", model.last, perm=[0, 1, 4, 2, 5, 3])
    model.node("Reshape", model.last, integers(model, 0, 1, 12, 16))


def _concat(axis: int) -> Write:
    def write(model: Model) -> None:
        relu = model.node("Relu", "x")
        model.node("Concat", "x", relu, model.node("Neg", "x"), axis=axis)

    return write


def _concat_of_flat(model: Model) -> None:
    flat = model.node("Flatten", "x")
    pooled = model.node("Flatten", model.node("GlobalMaxPool", "x"))
    model.node("Concat", flat, pooled, axis=1)
    model.node("Gemm", model.last, model.constant(model.draw(196, 3)))


def _concat_of_orders(model: Model) -> None:
    """Branches that lie in two ways: one was turned."""
    turned = model.node("Transpose", "x", perm=[0, 1, 3, 2])
    square = model.node("MaxPool", turned, kernel_shape=[3, 1], strides=[1, 1])
    model.node("Concat", square, model.node("Relu", "x"), axis=1)


def _slice(starts: list[int], ends: list[int], axes: list[int], steps: list[int]) -> Write:
    def write(model: Model) -> None:
        operands = (integers(model, *numbers) for numbers in (starts, ends, axes, steps))
        model.node("Slice", "x", *operands)

    return write


def _split(model: Model) -> None:
    model.node("Split", "x", integers(model, 1, 3), axis=1, outputs=["a", "b"])
    model.node("Relu", "b")


def _split_in_two(model: Model) -> None:
    """A gated linear unit."""
    model.node("Split", "x", axis=1, outputs=["a", "b"])
    model.node("Mul", "a", model.node("Sigmoid", "b"))


def _focus(model: Model) -> None:
    """Blocks of pixels as channels, as YOLOv5 begins."""
    parts = []
    for row, column in ((0, 0), (1, 0), (0, 1), (1, 1)):
        starts, ends = integers(model, row, column), integers(model, 1 << 40, (1 << 63) - 1)
        parts.append(
            model.node("Slice", "x", starts, ends, integers(model, 2, 3), integers(model, 2, 2))
        )
    model.node("Concat", *parts, axis=1)


def _gather(index: object, axis: int) -> Write:
    return lambda m: m.node("Gather", "x", m.constant(np.array(index, np.int64)), axis=axis)


@pytest.mark.parametrize(
    ("write", "names"),
    [
        (_shuffle, None),
        (_pixel_shuffle, None),
        (_concat(1), ["relu", "batch_norm", "concat", "concat"]),
        (_concat(2), ["relu", "batch_norm", "concat", "concat"]),
        (_concat(-1), ["relu", "batch_norm", "concat", "concat"]),
        (_concat_of_flat, None),
        (_slice([1, -3], [3, 99], [1, 3], [1, 2]), ["slice"]),
        (
            lambda m: (_slice([0, 0], [1 << 40, 99], [0, 1], [1, 1])(m), m.node("Relu")),
            ["relu"],
        ),
        (_split, ["slice", "relu"]),
        (_split_in_two, ["slice", "slice", "function", "mul"]),
        (_focus, ["slice"] * 4 + ["concat"] * 3),
        (_gather(1, 1), ["slice", "reshape"]),
        (_gather([0, 2], 2), ["slice"]),
        (_gather([-1], 3), ["slice"]),
        (lambda m: m.node("DepthToSpace", blocksize=2), ["depth_to_space"]),
        (lambda m: m.node("DepthToSpace", blocksize=2, mode="CRD"), ["depth_to_space"]),
        (lambda m: m.node("SpaceToDepth", blocksize=2), ["slice"] * 4 + ["concat"] * 3),
        (lambda m: m.node("Flatten"), ["transpose", "flatten"]),
        (lambda m: m.node("Relu", m.node("Reshape", "x", integers(m, 0, 24, 8))), None),
        (lambda m: m.node("Relu", m.node("Transpose", "x", perm=[0, 3, 2, 1])), None),
        (lambda m: m.node("Relu", m.node("Expand", "x", integers(m, 1, 4, 1, 8))), ["relu"]),
    ],
)
def test_shapes(tmp_path: Path, write: Write, names: list[str] | None) -> None:
    if names is None:
        _compared_by_the_import(tmp_path, write)
    else:
        found = operators_of(tmp_path, IMAGE, write)
        assert found == names


def _compared_by_the_import(tmp_path: Path, write: Write) -> None:
    model = Model(IMAGE)
    write(model)
    from intaglio.frontend import load_onnx

    assert load_onnx(model.save(tmp_path)).nodes


def test_old_forms_have_attributes(tmp_path: Path) -> None:
    def write(model: Model) -> None:
        model.node("Slice", "x", starts=[1, 0], ends=[5, 4], axes=[2, 3])
        model.node("Split", model.last, split=[1, 3], axis=1, outputs=["a", "b"])
        model.node("Relu", "b")

    assert operators_of(tmp_path, IMAGE, write, opset=9) == ["slice", "slice", "relu"]


def test_branches_that_lie_in_two_orders_are_joined(tmp_path: Path) -> None:
    def write(model: Model) -> None:
        turned = model.node("Relu", model.node("Transpose", "x", perm=[0, 1, 3, 2]))
        model.node("Transpose", model.node("Concat", turned, turned, axis=2), perm=[0, 1, 3, 2])
        model.node("Concat", model.last, model.node("Abs", "x"), axis=3)

    assert operators_of(tmp_path, IMAGE, write)[-1] == "concat"


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (
            _slice([0], [2], [0], [1]),
            "Slice 'n0': the batch axis must stay whole",
        ),
        (
            _slice([5], [1], [2], [-1]),
            "Slice 'n0': a slice must take something, forwards",
        ),
        (
            _slice([5], [5], [2], [1]),
            "Slice 'n0': a slice must take something, forwards",
        ),
        (
            _slice([0], [5], [7], [1]),
            "Slice 'n0': axes must be of 4, not [7]",
        ),
        (
            lambda m: m.node("Split", "x", integers(m, 1, 2), axis=1, outputs=["a", "b"]),
            "Split 'n0': its parts must be 2 of 4 in all, each at least 1, not [1, 2]",
        ),
        (
            _gather([0, 1, 3], 2),
            "Gather 'n0': its indices must go up by equal steps (nearest: Slice)",
        ),
        (
            _gather([[0, 1]], 2),
            "Gather 'n0': its indices must be one number or a list of them (nearest: Slice)",
        ),
        (
            _gather(4, 1),
            "Gather 'n0': its indices must be of 4 places, not 4",
        ),
        (
            lambda m: m.node("Concat", "x", m.constant(m.draw(1, 4, 6, 8)), axis=1),
            "Concat 'n0': operand 2 must come from the network's input",
        ),
        (
            lambda m: m.node("Concat", "x", m.node("MaxPool", "x", kernel_shape=[2, 2]), axis=1),
            "Concat 'n1': its operands must have one shape but for the axis, "
            "not [4, 6, 8] and [4, 5, 7]",
        ),
        (
            lambda m: m.node("DepthToSpace", blocksize=3),
            "DepthToSpace 'n0': a block must divide 4 channels, not be 3x3",
        ),
        (
            lambda m: m.node("DepthToSpace", blocksize=0),
            "DepthToSpace 'n0': blocksize must be at least 1 and mode DCR or CRD, not 0 and DCR",
        ),
        (
            lambda m: m.node("SpaceToDepth", blocksize=5),
            "SpaceToDepth 'n0': a block must divide 6x8, not be 5",
        ),
        (
            lambda m: m.node("Expand", "x", integers(m, 1, 4, 6, 16)),
            "Expand 'n0': its operands do not fit it: shape mismatch",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, write: Write, text: str) -> None:
    assert refusal(tmp_path, IMAGE, write).startswith(text)
