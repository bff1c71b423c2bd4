# SPDX-License-Identifier: Apache-2.0
"""Random networks on random arrays, small enough to be simulated by the dozen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.design import ArrayDesign
from intaglio.arch.systolic.layers import network
from intaglio.arch.systolic.predict import Memory
from intaglio.devices import device
from intaglio.errors import ModelError
from intaglio.ir.constant import Constant
from intaglio.ir.text import to_text
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.concat import Concat
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.requantize import Requantize
from intaglio.ops.reshape import Reshape
from intaglio.ops.sum_pool import SumPool
from tests.strategies import Sketch, codes

#: Sizes of memories that a design starts from and doubles until its network fits.
SMALLEST = {"act_rows": 16, "weight_words": 32, "parameter_words": 16, "sum_rows": 16}


@dataclass(frozen=True)
class Case:
    """A design, memories to try it with, and a frame."""

    design: ArrayDesign
    memories: tuple[Memory, ...]
    frames: np.ndarray

    def __repr__(self) -> str:
        return (
            f"\n{to_text(self.design.program)}{self.design.array}\n"
            f"{[flow.short for flow in self.design.flows.values()]} {self.memories}\n"
        )

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a network, an array that it fits, the dataflow of each layer, and memories."""
    act_bits, weight_bits = draw(st.integers(2, 8)), draw(st.integers(2, 8))
    sketch = draw(networks(act_bits, weight_bits))
    program = sketch.program()
    flows = draw(st.sets(st.sampled_from(list(Dataflow)), min_size=1))
    code_bits = draw(st.sampled_from([0, 0, weight_bits]))
    array = Array(
        draw(st.integers(1, 9)),
        draw(st.integers(1, 9)),
        frozenset(flows),
        act_bits,
        weight_bits,
        code_bits,
        sum_bits=34,
        beat_bits=draw(st.sampled_from([64, 64, 128, 256, 512])),
        **{name: size << draw(st.integers(0, 2)) for name, size in SMALLEST.items()},
    )
    chosen = {
        layer.name: draw(st.sampled_from(sorted(flows, key=lambda flow: flow.value)))
        for layer in network(program).layers
    }
    gaps, latencies = st.integers(1, 5), st.integers(1, 60)
    memory = st.builds(Memory, latencies, gaps, gaps, latencies)
    memories = draw(st.lists(memory, min_size=3, max_size=3))
    element = sketch.input.integer
    frames = draw(codes(element, (2, *sketch.input.shape)))
    return Case(_fitting(program, array, chosen), tuple(memories), frames)


def _fitting(program: Any, array: Array, flows: dict[str, Dataflow]) -> ArrayDesign:
    """Double what is too small until the network fits."""
    while True:
        try:
            return ArrayDesign(program, device("ecp5-85f"), array, flows)
        except ModelError as error:
            small = [name for name in SMALLEST if name in str(error)]
            if not small:
                raise
            array = replace(array, **{name: 2 * getattr(array, name) for name in small})


@st.composite
def networks(draw: st.DrawFn, act_bits: int, weight_bits: int) -> Sketch:
    """Draw a chain of layers with a branch here and there; all values but the last are narrow."""
    shape = (*(draw(st.integers(1, 9)) for _ in range(2)), draw(st.integers(1, 7)))
    element = IntType(draw(st.integers(1, act_bits)), draw(st.booleans()))
    element = element if element.width > 1 else IntType(2, signed=False)
    sketch = Sketch(TensorType(shape, element))
    for _ in range(draw(st.integers(1, 4))):
        layer = draw(
            st.sampled_from([_conv, _conv, _grouped, _pool, _maximum, _residual, _join, _reshape])
        )
        layer(draw, sketch, act_bits, weight_bits)
    if draw(st.booleans()):
        _dense(draw, sketch, act_bits, weight_bits)
    if not sketch.nodes or not isinstance(sketch.nodes[-1].op, Requantize):
        _scale(draw, sketch, IntType(draw(st.integers(2, 16)), draw(st.booleans())))
    return sketch


def _scale(draw: st.DrawFn, sketch: Sketch, element: IntType) -> None:
    """Requantize the tip so that its results spread over the element."""
    x = sketch.type
    factors = draw(codes(IntType(draw(st.integers(1, 12)), signed=False), (x.channels,)))
    factors = np.maximum(factors, 1)
    spread = x.integer.width + int(factors.max()).bit_length() - element.width
    shift = max(0, spread + draw(st.integers(-3, 3)))
    zero = draw(st.integers(element.min, element.max))
    sketch.put(Requantize(shift, zero, element), multiplier=Constant.integers(factors))


def _narrow(draw: st.DrawFn, act_bits: int) -> IntType:
    return IntType(draw(st.integers(2, act_bits)), draw(st.booleans()))


def _image(sketch: Sketch) -> tuple[int, int, int]:
    return sketch.type.shape  # type: ignore[return-value]


def _conv(draw: st.DrawFn, sketch: Sketch, act_bits: int, weight_bits: int) -> None:
    """Convolve, with any stride, padding and dilation that leaves something."""
    height, width, channels = _image(sketch)
    _window(draw, sketch, weight_bits, (height, width), channels, 1, draw(st.integers(1, 11)))
    _scale(draw, sketch, _narrow(draw, act_bits))


def _grouped(draw: st.DrawFn, sketch: Sketch, act_bits: int, weight_bits: int) -> None:
    """Convolve groups of channels, each by itself."""
    height, width, channels = _image(sketch)
    groups = draw(st.sampled_from([n for n in range(1, channels + 1) if channels % n == 0]))
    outputs = groups * draw(st.integers(1, 3))
    _window(draw, sketch, weight_bits, (height, width), channels // groups, groups, outputs)
    _scale(draw, sketch, _narrow(draw, act_bits))


def _window(
    draw: st.DrawFn,
    sketch: Sketch,
    weight_bits: int,
    size: tuple[int, int],
    channels: int,
    groups: int,
    outputs: int,
) -> None:
    padding = tuple(draw(st.integers(0, 2)) for _ in range(4))
    dilation = (draw(st.sampled_from([1, 1, 2])), draw(st.sampled_from([1, 1, 2])))
    kernel = []
    for axis in range(2):
        room = size[axis] + padding[axis] + padding[axis + 2]
        kernel.append(draw(st.integers(1, min(4, (room - 1) // dilation[axis] + 1))))
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    element = IntType(weight_bits, signed=True)
    weight = draw(codes(element, (outputs, *kernel, channels)))
    bias = draw(codes(IntType(10, signed=True), (outputs,)))
    x = sketch.type.integer
    op = Conv2d(stride, padding, draw(st.integers(x.min, x.max)), dilation, groups)  # type: ignore[arg-type]
    sketch.put(op, weight=Constant(weight, element), bias=Constant.integers(bias))


def _pool(draw: st.DrawFn, sketch: Sketch, act_bits: int, weight_bits: int) -> None:
    """Sum windows of each channel."""
    del weight_bits
    kernel, stride, padding = _pooled(draw, sketch)
    x = sketch.type.integer
    sketch.put(SumPool(kernel, stride, padding, draw(st.integers(x.min, x.max))))
    _scale(draw, sketch, _narrow(draw, act_bits))


def _maximum(draw: st.DrawFn, sketch: Sketch, act_bits: int, weight_bits: int) -> None:
    """Keep the largest of windows of each channel."""
    del act_bits, weight_bits
    sketch.put(MaxPool(*_pooled(draw, sketch)))


def _pooled(
    draw: st.DrawFn, sketch: Sketch
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int, int, int]]:
    height, width, _ = _image(sketch)
    kernel = draw(st.integers(1, min(3, height))), draw(st.integers(1, min(3, width)))
    stride = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    top, left = draw(st.integers(0, kernel[0] - 1)), draw(st.integers(0, kernel[1] - 1))
    return kernel, stride, (top, left, 0, 0)


def _residual(draw: st.DrawFn, sketch: Sketch, act_bits: int, weight_bits: int) -> None:
    """Add a convolved value to what it was made of, each on a scale of its own."""
    source = sketch.tip
    channels = sketch.type.channels
    _window_same(draw, sketch, weight_bits, channels)
    _scale(draw, sketch, _narrow(draw, act_bits))
    made = sketch.tip
    operands = []
    for value in (made, source):
        sketch.tip = value
        if draw(st.booleans()):
            _scale(draw, sketch, IntType(draw(st.integers(8, 17)), draw(st.booleans())))
        operands.append(sketch.tip)
    sketch.put(Add(), *operands)
    _scale(draw, sketch, _narrow(draw, act_bits))


def _window_same(draw: st.DrawFn, sketch: Sketch, weight_bits: int, channels: int) -> None:
    element = IntType(weight_bits, signed=True)
    weight = draw(codes(element, (channels, 3, 3, channels)))
    bias = Constant.integers(np.zeros(channels, np.int64))
    sketch.put(Conv2d(padding=(1, 1, 1, 1)), weight=Constant(weight, element), bias=bias)


def _join(draw: st.DrawFn, sketch: Sketch, act_bits: int, weight_bits: int) -> None:
    """Put the channels of a value behind those it was made of, and convolve both."""
    source, element = sketch.tip, sketch.type.integer
    _window_same(draw, sketch, weight_bits, sketch.type.channels)
    _scale(draw, sketch, element)
    sketch.put(Concat(2), source, sketch.tip)
    _conv(draw, sketch, act_bits, weight_bits)


def _reshape(draw: st.DrawFn, sketch: Sketch, act_bits: int, weight_bits: int) -> None:
    """See a value in another shape, and convolve that."""
    height, width, channels = _image(sketch)
    shapes = [
        (1, height * width, channels),
        (width, height, channels),
        (height, 1, width * channels),
        (1, 1, height * width * channels),
    ]
    joins = [
        node for node in sketch.nodes if node.name == sketch.tip and isinstance(node.op, Concat)
    ]
    if not joins:
        sketch.put(Reshape(draw(st.sampled_from(shapes))))
    _conv(draw, sketch, act_bits, weight_bits)


def _dense(draw: st.DrawFn, sketch: Sketch, act_bits: int, weight_bits: int) -> None:
    """End in a dense layer."""
    sketch.put(Flatten())
    element = IntType(weight_bits, signed=True)
    outputs = draw(st.integers(1, 12))
    weight = draw(codes(element, (outputs, sketch.type.size)))
    bias = draw(codes(IntType(10, signed=True), (outputs,)))
    sketch.put(Matmul(), weight=Constant(weight, element), bias=Constant.integers(bias))
    _scale(draw, sketch, IntType(draw(st.integers(2, 16)), draw(st.booleans())))
