# SPDX-License-Identifier: Apache-2.0
"""Random programs that formats of reals can say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Node, Program
from intaglio.ir.types import Quantization, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.argmax import Argmax
from intaglio.ops.concat import Concat
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.mul import Mul
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from intaglio.ops.requantize_affine import RequantizeAffine, Ties
from intaglio.ops.sum_pool import SumPool
from tests.strategies import LAYERS, Layer, Sketch, codes, seeds

#: Layers of the shared strategies that are said whatever is drawn for them.
_NAMES = "_relu _clip _lookup _pool _global_pool _pad _reshape _slice _transpose _upsample"
SHARED: tuple[Layer, ...] = tuple(
    layer for layer in dict.fromkeys(LAYERS) if layer.__name__ in _NAMES.split()
)
CONVOLUTION: Layer = next(layer for layer in LAYERS if layer.__name__ == "_convolution")
narrow_elements = st.builds(
    lambda width, signed, narrow: IntType(width, signed, narrow and signed),
    st.integers(2, 8),
    st.booleans(),
    st.booleans(),
)


def step(
    draw: st.DrawFn,
    sketch: Sketch,
    element: IntType | None = None,
    multipliers: int = 1,
    start: int = 0,
    least: int = 0,
) -> None:
    """Requantize to a few bits, by multipliers below a bound, so that codes are of use."""
    x = sketch.type
    element = element or draw(narrow_elements)
    random = np.random.default_rng(draw(seeds))
    channels = draw(st.sampled_from([1, x.channels])) if multipliers > 1 else 1
    multiplier = random.integers(max(1, multipliers // 2), multipliers, channels, endpoint=True)
    spare = int(multiplier.max()).bit_length() - 1
    shift = max(0, x.integer.width - element.width) + spare
    shift = max(least, shift - draw(st.integers(0, 4)))
    zero = draw(st.integers(element.min, element.max))
    if start and draw(st.booleans()):
        addend = random.integers(-(1 << shift) * 4, (1 << shift) * 4, channels, endpoint=True)
        op = RequantizeAffine(shift, zero, element, Ties.UP)
        constants = {"multiplier": multiplier, "addend": addend}
    else:
        op, constants = Requantize(shift, zero, element), {"multiplier": multiplier}
    sketch.put(op, **{key: Constant.integers(data) for key, data in constants.items()})


def _eight(draw: st.DrawFn, sketch: Sketch) -> None:
    if sketch.type.integer.width > 8:
        step(draw, sketch)


def _convolved(draw: st.DrawFn, sketch: Sketch) -> None:
    _eight(draw, sketch)
    CONVOLUTION(draw, sketch)
    if draw(st.booleans()):
        step(draw, sketch, start=1)


def _branches(draw: st.DrawFn, sketch: Sketch) -> None:
    """Fork, and join again."""
    _eight(draw, sketch)
    left = sketch.tip
    step(draw, sketch)
    right = sketch.tip
    sketch.put(draw(st.sampled_from([Add(), Mul(), Concat(0), Concat(1), Concat(2)])), left, right)


def _finish(sketch: Sketch, draw: st.DrawFn, *, channels_first: bool) -> Program:
    program = sketch.program()
    zero = draw(st.integers(sketch.input.integer.min, sketch.input.integer.max))
    meaning = {
        "x": Quantization((2.0 ** draw(st.integers(-9, 3)),), zero),
        sketch.tip: Quantization((2.0 ** draw(st.integers(-9, 3)),), draw(st.integers(-3, 3))),
    }
    graph = replace(program.graph, channels_first=channels_first)
    return replace(program, graph=graph, quantization=meaning)


@st.composite
def power_of_two_programs(draw: st.DrawFn) -> Program:
    """Draw a network whose requantizers only shift, of any layers that can be said."""
    shape = (draw(st.integers(1, 7)), draw(st.integers(1, 7)), draw(st.integers(1, 4)))
    sketch = Sketch(TensorType(shape, draw(narrow_elements)))
    for _ in range(draw(st.integers(1, 5))):
        layer = draw(st.sampled_from([_convolved, _convolved, _branches, step, *SHARED]))
        if sketch.type.integer.width > 12:
            step(draw, sketch)
        layer(draw, sketch)
    if draw(st.booleans()):
        _eight(draw, sketch)
        sketch.put(Flatten())
        if draw(st.booleans()):
            _dense(draw, sketch, draw(st.integers(1, 5)))
            if draw(st.booleans()):
                step(draw, sketch)
        if draw(st.booleans()):
            sketch.put(Argmax())
    if not sketch.nodes:
        sketch.put(Relu())
    return _finish(sketch, draw, channels_first=draw(st.booleans()))


def _dense(draw: st.DrawFn, sketch: Sketch, outputs: int) -> None:
    weight = Constant(
        draw(codes(IntType(5, signed=True), (outputs, sketch.type.size))), IntType(5, signed=True)
    )
    bias = Constant(draw(codes(IntType(9, signed=True), (outputs,))), IntType(9, signed=True))
    sketch.put(Matmul(), weight=weight, bias=bias)


@st.composite
def classifiers(draw: st.DrawFn, multipliers: int) -> Program:
    """Draw convolution, pooling and dense layer, each behind a requantizer, as networks are."""
    shape = (draw(st.integers(3, 6)), draw(st.integers(3, 6)), draw(st.integers(1, 3)))
    sketch = Sketch(TensorType(shape, draw(st.sampled_from([IntType(8, False), IntType(8, True)]))))
    outputs, kernel = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    random = np.random.default_rng(draw(seeds))
    weight = random.integers(-127, 127, (outputs, kernel, kernel, shape[2]), endpoint=True)
    bias = random.integers(-(1 << 13), 1 << 13, outputs, endpoint=True)
    sketch.put(Conv2d(), weight=Constant.integers(weight), bias=Constant.integers(bias))
    step(draw, sketch, IntType(8, draw(st.booleans())), multipliers, start=1, least=1)
    pool = draw(st.sampled_from(["max", "mean", "none"]))
    if pool == "max":
        sketch.put(MaxPool((1, 1), (1, 1)))
    elif pool == "mean" and min(sketch.type.shape[:2]) > 1:
        sketch.put(SumPool((2, 2), (2, 2)))
        mean = Constant.integers(np.ones(1, np.int64))
        sketch.put(Requantize(2, 0, sketch.graph().types["n1"].integer), multiplier=mean)
    sketch.put(Flatten())
    _dense(draw, sketch, draw(st.integers(1, 4)))
    step(draw, sketch, IntType(draw(st.sampled_from([8, 10])), signed=True), multipliers, least=1)
    program = _finish(sketch, draw, channels_first=True)
    meaning = dict(program.quantization)
    meaning["x"] = Quantization(meaning["x"].scale, 0)
    meaning[sketch.tip] = Quantization(meaning[sketch.tip].scale, 0)
    return replace(program, quantization=meaning)


def requantizers(program: Program) -> list[Node]:
    """Return the nodes that round."""
    return [n for n in program.graph.nodes if isinstance(n.op, Requantize | RequantizeAffine)]
