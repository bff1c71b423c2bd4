# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Value
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.depth_to_space import DepthToSpace
from intaglio.ops.slice import Slice
from intaglio.passes.lower import lower
from tests.ops import reference

Case = tuple[ConvTranspose2d, list[TensorType], list[np.ndarray]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    groups = draw(st.integers(1, 3))
    kernel, stride, dilation = (draw(reference.pairs) for _ in range(3))
    added = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    kinds = [draw(reference.elements) for _ in range(3)]
    value = draw(st.sampled_from([0, draw(st.integers(kinds[0].min - 5, kinds[0].max + 5))]))
    op = ConvTranspose2d(stride, draw(reference.paddings), added, dilation, groups, value)
    height, width, c, k = (draw(st.integers(1, 3)) for _ in range(4))
    top, left, bottom, right = op.padding
    assume(top + bottom < (height - 1) * stride[0] + (kernel[0] - 1) * dilation[0] + 1 + added[0])
    assume(left + right < (width - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1 + added[1])
    x = draw(reference.integers(kinds[0], (2, height, width, groups * c)))
    weight = draw(reference.integers(kinds[1], (groups * k, *kernel, c)))
    bias = draw(reference.integers(kinds[2], (groups * k,)))
    arrays = [x, weight, bias]
    return op, reference.types(*zip(arrays, kinds, strict=True)), arrays


def graph_of(op: ConvTranspose2d, types: list[TensorType], arrays: list[np.ndarray]) -> Graph:
    constants = {
        "w": Constant(arrays[1], types[1].integer),
        "b": Constant(arrays[2], types[2].integer),
    }
    node = Node("y", op, ("x", "w", "b"))
    return Graph("g", (Value("x", types[0]),), (node,), ("y",), constants)


@given(cases())
def test_it_equals_the_loops_and_stays_in_its_type(case: Case) -> None:
    op, types, arrays = case
    found = reference.evaluated(op, types, *arrays)
    assert found.tolist() == reference.conv_transpose2d(
        *arrays,
        op.stride,
        op.padding,
        op.output_padding,
        op.dilation,
        op.groups,
        op.pad_value,
    )


@given(cases())
def test_its_lowering_means_the_same_and_has_the_same_type(case: Case) -> None:
    op, types, arrays = case
    lowered = lower(graph_of(op, types, arrays))
    assert lowered.types["y"] == op.infer(*types)
    values = {"x": arrays[0].astype(np.int64)}
    for node in lowered.nodes:
        operands = [
            lowered.constants[name].data if name in lowered.constants else values[name]
            for name in node.inputs
        ]
        values[node.name] = node.op.evaluate(*operands)
    assert np.array_equal(values["y"], op.evaluate(*arrays))


def steps_of(op: ConvTranspose2d) -> list[type]:
    s8 = IntType.parse("s8")
    shapes = (4, 5, 2), (3, 4, 4, 2), (3,)
    return [type(step.op) for step in op.lower([TensorType(shape, s8) for shape in shapes])]


def test_it_is_made_of_no_more_than_it_takes() -> None:
    assert steps_of(ConvTranspose2d()) == [Conv2d]
    assert steps_of(ConvTranspose2d((2, 2))) == [Conv2d, DepthToSpace]
    assert steps_of(ConvTranspose2d((2, 2), (1, 1, 1, 1))) == [Conv2d, DepthToSpace, Slice]
    assert steps_of(ConvTranspose2d((2, 2), (2, 2, 2, 2))) == [Conv2d, DepthToSpace]
    assert steps_of(ConvTranspose2d((1, 1), (1, 1, 1, 1))) == [Conv2d]


def test_an_image_of_twice_the_size_takes_a_quarter_of_the_products_a_pixel() -> None:
    types = [TensorType((5, 7, 4), FLOAT32), TensorType((3, 4, 4, 4), FLOAT32)]
    op = ConvTranspose2d((2, 2), (1, 1, 1, 1))
    assert op.infer(*types, TensorType((3,), FLOAT32)).shape == (10, 14, 3)
    assert op.loops(*types, TensorType((3,), FLOAT32)).macs == 10 * 14 * 3 * 4 * (16 // 4)


def test_floats_agree_with_integers() -> None:
    random = np.random.default_rng(1)
    x, w, b = (random.integers(-9, 9, shape) for shape in ((3, 3, 4, 4), (6, 3, 2, 2), (6,)))
    op = ConvTranspose2d((2, 3), (1, 0, 2, 1), (1, 0), (1, 2), 2)
    real = op.evaluate(*(a.astype(np.float32) for a in (x, w, b)))
    assert real.dtype == np.float32
    assert np.array_equal(real, op.evaluate(x, w, b))


@pytest.mark.parametrize(
    ("op", "text"),
    [
        (ConvTranspose2d(groups=3), r"weight must be \[K, R, S, C/3\] for x s8\[2,2,4\], not s8"),
        (ConvTranspose2d((0, 1)), "stride and dilation must be at least 1, padding and output_p"),
        (ConvTranspose2d(output_padding=(0, -1)), "stride and dilation must be at least 1, pad"),
        (
            ConvTranspose2d(padding=(2, 0, 1, 0)),
            r"padding must leave some of the image, 3x3, not be \(2, 0, 1, 0\)",
        ),
    ],
)
def test_what_cannot_be_says_what_it_must_be(op: ConvTranspose2d, text: str) -> None:
    s8 = IntType.parse("s8")
    shapes = (2, 2, 4), (3, 2, 2, 4), (3,)
    with pytest.raises(ModelError, match=f"^{text}"):
        op.infer(*(TensorType(shape, s8) for shape in shapes))
