# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.hw.unit import divisors
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Value
from intaglio.ir.rewrite import apply, expand
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.windows import Padding, Pair, span
from tests.ops import reference


@st.composite
def cases(draw: st.DrawFn) -> tuple[Conv2d, list[TensorType], list[np.ndarray]]:
    kernel, padding = draw(reference.pairs), draw(reference.paddings)
    dilation, groups = draw(reference.pairs), draw(st.integers(1, 3))
    down, across = span(kernel, dilation)
    height = max(1, down - padding[0] - padding[2]) + draw(st.integers(0, 3))
    width = max(1, across - padding[1] - padding[3]) + draw(st.integers(0, 3))
    c, k = draw(st.integers(1, 3)), groups * draw(st.integers(1, 3))
    kinds = [draw(reference.elements) for _ in range(3)]
    x = draw(reference.integers(kinds[0], (2, height, width, groups * c)))
    weight = draw(reference.integers(kinds[1], (k, *kernel, c)))
    bias = draw(reference.integers(kinds[2], (k,)))
    value = draw(st.integers(kinds[0].min - 40, kinds[0].max + 40))
    op = Conv2d(draw(reference.pairs), padding, value, dilation, groups)
    arrays = [x, weight, bias]
    return op, reference.types(*zip(arrays, kinds, strict=True)), arrays


@given(cases())
def test_it_equals_the_loops_and_stays_in_its_type(
    case: tuple[Conv2d, list[TensorType], list[np.ndarray]],
) -> None:
    op, types, arrays = case
    found = reference.evaluated(op, types, *arrays)
    expected = reference.conv2d(
        *arrays, op.stride, op.padding, op.pad_value, op.dilation, op.groups
    )
    assert found.tolist() == expected


@given(cases())
def test_its_lowering_means_the_same_and_has_the_same_type(
    case: tuple[Conv2d, list[TensorType], list[np.ndarray]],
) -> None:
    op, types, (x, weight, bias) = case
    constants = {
        "w": Constant(weight, types[1].integer),
        "b": Constant(bias, types[2].integer),
    }
    node = Node("y", op, ("x", "w", "b"))
    graph = Graph("g", (Value("x", types[0]),), (node,), ("y",), constants)
    steps = op.lower(types)
    if steps is None:
        assert not any(op.padding)
        return
    lowered = apply(graph, lambda _, n: expand(n, steps))
    assert lowered.types["y"] == graph.types["y"]
    padded = lowered.nodes[0].op.evaluate(x)
    assert np.array_equal(
        lowered.nodes[1].op.evaluate(padded, weight, bias), op.evaluate(x, weight, bias)
    )


@pytest.mark.parametrize("x", ["u8", "s8", "s8n", "u3"])
@pytest.mark.parametrize("weight", ["s8", "s8n", "u2", "s2"])
def test_the_accumulator_is_reached_and_no_wider(x: str, weight: str) -> None:
    kind, other, b = IntType.parse(x), IntType.parse(weight), IntType.parse("s6")
    shape = (1, 2, 3, 2)
    ends = []
    for a in (kind.min, kind.max):
        for w in (other.min, other.max):
            for bias in (b.min, b.max):
                result = Conv2d().evaluate(
                    np.full(shape, a), np.full(shape, w), np.full((1,), bias)
                )
                ends.append(int(result.item()))
    types = [TensorType(shape[1:], kind), TensorType(shape, other), TensorType((1,), b)]
    found = Conv2d().infer(*types).integer
    assert reference.is_tight(found, min(ends), max(ends))


@pytest.mark.parametrize(("stride", "padding"), [((1, 1), (0, 0, 0, 0)), ((2, 1), (1, 0, 2, 1))])
def test_floats_agree_with_integers(stride: Pair, padding: Padding) -> None:
    random = np.random.default_rng(1)
    x, w, b = (random.integers(-9, 9, s) for s in ((3, 6, 5, 2), (4, 3, 2, 2), (4,)))
    op = Conv2d(stride, padding)
    real = op.evaluate(*(a.astype(np.float32) for a in (x, w, b)))
    assert real.dtype == np.float32
    assert np.array_equal(real, op.evaluate(x, w, b))


def test_its_macs_are_counted() -> None:
    types = [TensorType((28, 28, 1), FLOAT32), TensorType((6, 5, 5, 1), FLOAT32)]
    nest = Conv2d(padding=(2, 2, 2, 2)).loops(*types, TensorType((6,), FLOAT32))
    assert nest.macs == 117_600
    types = [TensorType((12, 14, 6), FLOAT32), TensorType((12, 3, 3, 1), FLOAT32)]
    nest = Conv2d(groups=6).loops(*types, TensorType((12,), FLOAT32))
    assert nest.macs == 10 * 12 * 12 * 9


@pytest.mark.parametrize(
    ("x", "weight", "bias", "text"),
    [
        ((5, 5, 2), (3, 2, 2, 1), (3,), r"weight must be \[K, R, S, C\] for x s8\[5,5,2\]"),
        ((5, 5, 2), (3, 2, 2, 2), (2,), r"bias must be \[3\], not s8\[2\]"),
        ((1, 5, 2), (3, 2, 2, 2), (3,), "a 2x2 window must fit the image, 1x5"),
        ((5,), (3, 2, 2, 2), (3,), r"weight must be \[K, R, S, C\] for x s8\[5\]"),
    ],
)
def test_wrong_shapes_say_what_they_must_be(
    x: tuple[int, ...], weight: tuple[int, ...], bias: tuple[int, ...], text: str
) -> None:
    s8 = IntType.parse("s8")
    with pytest.raises(ModelError, match=f"^{text}"):
        Conv2d().infer(TensorType(x, s8), TensorType(weight, s8), TensorType(bias, s8))


@pytest.mark.parametrize(
    ("op", "text"),
    [
        (Conv2d(groups=0), "groups must be at least 1, not 0"),
        (Conv2d(groups=4), r"weight must be \[K, R, S, C/4\] for x s8\[5,5,4\], not s8\[3,2,2,2\]"),
        (Conv2d(groups=2), "groups must divide 3 outputs, not be 2"),
    ],
)
def test_wrong_groups_say_what_they_must_be(op: Conv2d, text: str) -> None:
    s8 = IntType.parse("s8")
    shapes = (5, 5, 4), (3, 2, 2, 2), (3,)
    with pytest.raises(ModelError, match=f"^{text}"):
        op.infer(*(TensorType(shape, s8) for shape in shapes))


def test_floats_and_integers_do_not_mix() -> None:
    s8 = IntType.parse("s8")
    with pytest.raises(ModelError, match=r"^operands must all be integers or all floats, not f32"):
        Conv2d().infer(
            TensorType((3, 3, 1), FLOAT32), TensorType((1, 1, 1, 1), s8), TensorType((1,), s8)
        )


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_folds_divide_the_channels_and_outputs_of_a_group(
    groups: int, c: int, k: int, dilation: int
) -> None:
    s8 = IntType.parse("s8")
    op = Conv2d(dilation=(dilation, 1), groups=groups)
    shapes = (7, 3, groups * c), (groups * k, 3, 2, c), (groups * k,)
    types = [TensorType(shape, s8) for shape in shapes]
    found = list(op.folds(types))
    assert len(set(found)) == len(found)
    if c == 1 and groups > 1:
        lanes = {(each, each * outputs) for each in divisors(groups) for outputs in divisors(k)}
    else:
        lanes = set(product(divisors(c), divisors(k)))
    assert {((f.lanes_in, f.lanes_out), f.columns) for f in found} == set(product(lanes, (1, 2)))
    assert all(fold.columns == 2 for fold in found if fold.whole)
