# SPDX-License-Identifier: Apache-2.0
"""Convolutions, pools, means, maxima and padding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.frontend import load_onnx
from tests.frontend.models import Model
from tests.frontend.onnx.operators.reading import Write, integers, operators_of, refusal, scalar

IMAGE = (4, 6, 5)


def _conv(*shape: int, **attributes: object) -> Write:
    def write(model: Model) -> None:
        weight, bias = model.constant(model.draw(*shape)), model.constant(model.draw(shape[0]))
        model.node("Conv", "x", weight, bias, **attributes)

    return write


def _transposed(*shape: int, **attributes: object) -> Write:
    def write(model: Model) -> None:
        outputs = shape[1] * int(str(attributes.get("group", 1)))
        weight, bias = model.constant(model.draw(*shape)), model.constant(model.draw(outputs))
        model.node("ConvTranspose", "x", weight, bias, **attributes)

    return write


@pytest.mark.parametrize(
    ("frame", "write", "names"),
    [
        (IMAGE, _conv(6, 2, 3, 3, group=2, pads=[1, 0, 1, 2]), ["conv2d"]),
        (IMAGE, _conv(4, 1, 3, 3, group=4, strides=[2, 1]), ["conv2d"]),
        (IMAGE, _conv(8, 1, 2, 3, group=4), ["conv2d"]),
        (IMAGE, _conv(3, 4, 3, 2, dilations=[2, 3], pads=[2, 1, 0, 2]), ["conv2d"]),
        (IMAGE, _conv(4, 1, 3, 3, group=4, dilations=[1, 2], pads=[1, 2, 1, 2]), ["conv2d"]),
        (
            (3, 8),
            _conv(5, 3, 3, pads=[1, 1], strides=[2], dilations=[2]),
            ["reshape", "transpose", "conv2d", "reshape", "transpose"],
        ),
        (IMAGE, _transposed(4, 3, 3, 3, strides=[2, 2]), ["conv_transpose2d"]),
        (IMAGE, _transposed(4, 1, 2, 3, group=4, strides=[3, 1]), ["conv_transpose2d"]),
        (
            IMAGE,
            _transposed(4, 2, 3, 2, group=2, strides=[2, 3], pads=[1, 0, 2, 1], dilations=[1, 2]),
            ["conv_transpose2d"],
        ),
        (
            IMAGE,
            _transposed(4, 3, 4, 4, strides=[2, 2], output_padding=[1, 0], pads=[1, 1, 1, 1]),
            ["conv_transpose2d"],
        ),
        (IMAGE, _transposed(4, 3, 4, 5, strides=[2, 2], output_shape=[11, 12]), None),
        (IMAGE, _transposed(4, 3, 3, 4, strides=[2, 2], auto_pad="SAME_UPPER"), None),
        (IMAGE, _transposed(4, 3, 4, 3, strides=[2, 2], auto_pad="SAME_LOWER"), None),
        ((3, 8), _transposed(3, 2, 4, strides=[2]), None),
        (IMAGE, lambda m: m.node("GlobalMaxPool"), ["max_pool"]),
        (IMAGE, lambda m: m.node("GlobalAveragePool"), ["average_pool"]),
        (IMAGE, lambda m: m.node("ReduceMax", axes=[-1, 2], keepdims=0), ["max_pool", "flatten"]),
        (IMAGE, lambda m: m.node("ReduceMean", axes=[1]), ["conv2d"]),
        (IMAGE, lambda m: m.node("ReduceMean", axes=[1, 2, 3]), ["conv2d", "average_pool"]),
        (IMAGE, lambda m: m.node("ReduceMean", axes=[3], keepdims=0), None),
        ((7,), lambda m: m.node("ReduceMean", axes=[1]), ["matmul"]),
        ((3, 7), lambda m: m.node("ReduceMean", axes=[1], keepdims=0), None),
        ((3, 7), lambda m: m.node("ReduceMean", axes=[2]), None),
        ((3, 8), lambda m: m.node("GlobalAveragePool"), None),
        (
            (3, 8),
            lambda m: m.node("MaxPool", kernel_shape=[3], strides=[2], pads=[1, 0]),
            ["reshape", "transpose", "max_pool", "reshape", "transpose"],
        ),
        ((3, 8), lambda m: m.node("AveragePool", kernel_shape=[2], strides=[2]), None),
    ],
)
def test_windows(
    tmp_path: Path, frame: tuple[int, ...], write: Write, names: list[str] | None
) -> None:
    found = operators_of(tmp_path, frame, write)
    assert names is None or found == names


@given(
    st.sampled_from(["AveragePool", "Conv", "MaxPool"]),
    st.sampled_from([11, 19, 22]),
    st.tuples(*[st.integers(1, 9)] * 2),
    st.tuples(*[st.integers(1, 4)] * 2),
    st.tuples(*[st.integers(1, 5)] * 2),
    st.sampled_from(["SAME_UPPER", "SAME_LOWER"]),
)
def test_the_same_size_is_refused_or_means_what_onnx_runtime_says(
    tmp_path_factory: pytest.TempPathFactory,
    op: str,
    opset: int,
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    mode: str,
) -> None:
    model = Model((2, *size), opset)
    operands = [model.constant(model.draw(2, 2, *kernel))] if op == "Conv" else []
    model.node(op, "x", *operands, kernel_shape=kernel, strides=stride, auto_pad=mode)
    apart = any(k < s for k, s in zip(kernel, stride, strict=True))
    try:
        graph = load_onnx(model.save(tmp_path_factory.mktemp("same")))  # compares every value
    except ModelError:
        assert apart
    else:
        places = tuple(-(-n // step) for n, step in zip(size, stride, strict=True))
        assert graph.types[graph.outputs[0]].shape[:2] == places


def test_a_sum_is_a_mean_times_its_places(tmp_path: Path) -> None:
    names = operators_of(
        tmp_path, IMAGE, lambda m: m.node("ReduceSum", "x", integers(m, 2, 3), keepdims=0)
    )
    assert names == ["average_pool", "flatten", "batch_norm"]


def _pad(mode: str, *pads: int, axes: tuple[int, ...] = ()) -> Write:
    def write(model: Model) -> None:
        operands = [integers(model, *pads), scalar(model, 2.0) if mode == "constant" else ""]
        operands += [integers(model, *axes)] if axes else []
        model.node("Pad", "x", *operands, mode=mode)

    return write


@pytest.mark.parametrize(
    ("opset", "write", "count"),
    [
        (17, _pad("constant", 0, 0, 1, 2, 0, 0, 3, 0), 1),
        (17, _pad("constant", 0, 0, -1, -2, 0, 0, 0, -1), 1),
        (17, _pad("constant", 0, -1, -1, 1, 0, 0, 2, 0), 2),
        (18, _pad("constant", 1, 2, 0, 1, axes=(-1, 2)), 1),
        (17, _pad("edge", 0, 0, 1, 0, 0, 0, 0, 2), 6),
        (17, _pad("reflect", 0, 1, 1, 0, 0, 0, 2, 1), 10),
        (19, _pad("wrap", 0, 0, 1, 0, 0, 0, 0, 2), 6),
    ],
)
def test_borders(tmp_path: Path, opset: int, write: Write, count: int) -> None:
    names = operators_of(tmp_path, IMAGE, write, opset)
    assert len(names) == count
    assert set(names) <= {"pad", "slice", "concat"}


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (
            _conv(6, 2, 3, 3, group=3),
            "Conv 'n0': its weight must be [K, C/group, R, S] for 4 channels in 3 groups, "
            "not [6, 2, 3, 3]",
        ),
        (
            _conv(6, 4, 3, 3, 3),
            "Conv 'n0': its weight must be [K, C, R, S], not [6, 4, 3, 3, 3]",
        ),
        (
            _transposed(4, 2, 3, 3, group=0),
            "ConvTranspose 'n0': its weight must be [C, K/group, R, S] for 4 channels in 0 groups, "
            "not [4, 2, 3, 3]",
        ),
        (
            _transposed(4, 2, 3, 3, output_shape=[40, 40]),
            "ConvTranspose 'n0': its size must be at most that of the whole, not [40, 40]",
        ),
        (
            _conv(4, 4, 3, 3, dilations=[0, 1]),
            "Conv 'n0': dilation must be at least 1, not (0, 1)",
        ),
        (
            _conv(4, 4, 3, 3, strides=[1]),
            "Conv 'n0': attribute strides must be two integers, not [1]",
        ),
        (
            lambda m: m.node("MaxPool", kernel_shape=[2, 2], ceil_mode=-1),
            "MaxPool 'n0': attribute ceil_mode must be 0 or 1, not -1",
        ),
        (
            lambda m: m.node("ReduceMean", axes=[2, 3], keepdims=1 << 31),
            "ReduceMean 'n0': attribute keepdims must be 0 or 1, not 2147483648",
        ),
        (
            _conv(4, 4, 1, 1, strides=[3, 3], auto_pad="SAME_UPPER"),
            "Conv 'n0': windows of SAME padding must leave out at most one place at the end, "
            "not 2 (nearest: pads)",
        ),
        (
            lambda m: m.node("MaxPool", kernel_shape=[2, 2], dilations=[2, 2]),
            "MaxPool 'n0': dilations must be 1, not [2, 2] (nearest: a larger kernel)",
        ),
        (
            lambda m: m.node("ReduceMax", axes=[1]),
            "ReduceMax 'n0': a maximum must go over positions, not over channels",
        ),
        (
            _pad("reflect", 0, 0, 6, 0, 0, 0, 0, 0),
            "Pad 'n0': a border must be narrower than the 6 places it mirrors",
        ),
        (
            _pad("edge", 0, 0, 9, 9, 0, 0, 0, 0),
            "Pad 'n0': a border that is not constant must be at most 16 wide in all "
            "(nearest: constant padding)",
        ),
        (
            _pad("constant", 0, 1, 0, 0, 0, 0, 0, 0),
            "Pad 'n0': padding must be around images [N, C, H, W] only, "
            "not [[1, 0], [0, 0], [0, 0]]",
        ),
        (
            _pad("constant", 1, 0, 0, 0, 0, 0, 0, 0),
            "Pad 'n0': padding must leave the batch axis alone, not be [1, 0, 0, 0, 0, 0, 0, 0]",
        ),
        (
            lambda m: m.node("Pad", "x", integers(m, *[0] * 7, 1), scalar(m, 0.5)),
            "Pad 'n0': the padding value must be an integer, not 0.5",
        ),
        (
            _pad("mirror", 0, 0, 1, 0, 0, 0, 0, 0),
            "Pad 'n0': mode must be one of constant, edge, reflect, wrap, not mirror",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, write: Write, text: str) -> None:
    assert refusal(tmp_path, IMAGE, write) == text


def test_a_convolution_over_volumes_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, (2, 3, 4, 5), _conv(2, 2, 1, 1, 1)) == (
        "Conv 'n0': its input must be an image [N, C, H, W], not a frame [2, 3, 4, 5]"
    )


def test_weights_may_be_computed(tmp_path: Path) -> None:
    def write(model: Model) -> None:
        weight = model.node("Transpose", model.constant(model.draw(3, 3, 4, 2)), perm=[3, 2, 0, 1])
        half = model.node("Mul", weight, scalar(model, 0.5))
        model.node("Conv", "x", half, model.constant(np.zeros(2, np.float32)))

    assert operators_of(tmp_path, IMAGE, write) == ["conv2d"]
