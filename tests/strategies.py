# SPDX-License-Identifier: Apache-2.0
"""Random small networks, as programs with a legal fold for every node and frames to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from intaglio.arch.dataflow import hardware_graph
from intaglio.hw.unit import Fold, StreamOperator
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.operator import Operator
from intaglio.ir.text import to_text
from intaglio.ir.types import Quantization, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.argmax import Argmax
from intaglio.ops.clip import Clip
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.pad import Pad
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from intaglio.ops.reshape import Reshape
from intaglio.ops.sum_pool import SumPool

#: Elements of a value: beyond this a frame takes too many cycles for a test of many networks.
MAX_ELEMENTS = 400
#: Products of a layer, for the same reason.
MAX_MACS = 8000
#: A convolution is only put on operands this wide; a wider value is requantized before it.
MULTIPLIED_BITS = 12
#: A value wider than this is requantized before the next layer, which may widen it.
WIDEST_BITS = 40
#: A requantize takes an operand this wide through its multipliers; a wider one is only shifted.
SCALED_BITS = 35

#: Every integer type that layers are asked to make.
elements = st.builds(
    lambda width, signed, narrow: IntType(width, signed, narrow and signed),
    st.integers(2, 16),
    st.booleans(),
    st.booleans(),
)
wide_elements = st.builds(IntType, st.integers(17, 40), st.booleans())
weight_elements = st.builds(IntType, st.integers(2, 8), st.booleans())
seeds = st.integers(0, 2**16 - 1)


@dataclass(frozen=True)
class Network:
    """A program, a fold for every node of its hardware graph, and integer frames."""

    program: Program
    folds: Mapping[str, Fold]
    frames: np.ndarray

    def __repr__(self) -> str:
        folds = "".join(
            f"  {name}: {fold.lanes_in} x {fold.columns} x {fold.lanes_out} + {fold.slack}"
            f"{' whole' if fold.whole else ''} {fold.products}\n"
            for name, fold in self.folds.items()
        )
        return (
            f"\n{to_text(self.program)}folds (lanes in x columns x lanes out + slack)\n{folds}"
            + (f"{len(self.frames)} frames\n{self.frames.tolist()}\n")
        )

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """Let Hypothesis print a failing network as text, not as the calls that make it."""
        printer.text(repr(self))


@st.composite
def codes(draw: st.DrawFn, element: IntType, shape: tuple[int, ...]) -> np.ndarray:
    """Draw an array over the whole range of a type; often only of its extremes, or all equal."""
    kind = draw(st.sampled_from(["zero", "random", "extremes", "lowest", "highest"]))
    if kind == "zero":
        return np.zeros(shape, dtype=np.int64)
    if kind in ("lowest", "highest"):
        return np.full(shape, element.min if kind == "lowest" else element.max, dtype=np.int64)
    random = np.random.default_rng(draw(seeds))
    if kind == "extremes":
        return random.choice(np.array([element.min, element.max], dtype=np.int64), shape)
    return random.integers(element.min, element.max, shape, endpoint=True)


@dataclass
class Sketch:
    """A network while it is drawn; the last node, or else the input, is where it grows."""

    input: TensorType
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Constant] = field(default_factory=dict)
    tip: str = "x"

    def graph(self) -> Graph:
        value = Value("x", self.input)
        return Graph("network", (value,), tuple(self.nodes), (self.tip,), self.constants)

    @property
    def type(self) -> TensorType:
        return self.graph().types[self.tip]

    def put(self, op: Operator, *inputs: str, **constants: Constant) -> str:
        """Put a node at the tip; constants get its name in front."""
        name = f"n{len(self.nodes)}"
        named = {f"{name}.{key}": constant for key, constant in constants.items()}
        self.constants |= named
        self.nodes.append(Node(name, op, (*(inputs or (self.tip,)), *named)))
        self.tip = name
        return name


Layer = Callable[[st.DrawFn, Sketch], None]


def _pairs(draw: st.DrawFn, low: int, high: int) -> tuple[int, int]:
    return draw(st.integers(low, high)), draw(st.integers(low, high))


def _requantize(draw: st.DrawFn, sketch: Sketch, element: IntType | None = None) -> None:
    x = sketch.type
    element = element or draw(st.one_of(elements, elements, wide_elements))
    top = (1 << draw(st.integers(1, 16))) - 1
    if x.integer.width + (not x.integer.signed) > SCALED_BITS or draw(st.booleans()):
        multiplier = np.ones(1, dtype=np.int64)
    else:
        random = np.random.default_rng(draw(seeds))
        multiplier = random.integers(1, top, draw(st.sampled_from([1, x.channels])), endpoint=True)
    constant = Constant.integers(multiplier)
    product = x.integer.width + constant.type.integer.width
    shift = draw(st.integers(0, product + 1))
    zero = draw(st.integers(element.min, element.max))
    sketch.put(Requantize(shift, zero, element), multiplier=constant)


def _narrow(draw: st.DrawFn, sketch: Sketch) -> None:
    """Bring the tip to a width that a multiplier takes."""
    if sketch.type.integer.width > MULTIPLIED_BITS:
        _requantize(draw, sketch, draw(elements.filter(lambda e: e.width <= MULTIPLIED_BITS)))


def _window(
    draw: st.DrawFn, sketch: Sketch, kernel_limit: int, stride_limit: int
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int, int, int]]:
    """Draw kernel, stride and padding; a window too large for the image is made smaller."""
    rows, columns, _ = sketch.type.shape
    kernel = _pairs(draw, 1, kernel_limit)
    kernel = (min(kernel[0], rows), min(kernel[1], columns))
    stride = _pairs(draw, 1, stride_limit)
    top, left, bottom, right = (draw(st.integers(0, 2)) for _ in range(4))
    down, across = kernel[0] - 1, kernel[1] - 1
    return (
        kernel,
        stride,
        (min(top, down), min(left, across), min(bottom, down), min(right, across)),
    )


def _convolution(draw: st.DrawFn, sketch: Sketch) -> None:
    _narrow(draw, sketch)
    kernel, stride, padding = _window(draw, sketch, 5, 3)
    x = sketch.type
    outputs = draw(st.integers(1, 8))
    down = (x.shape[0] + padding[0] + padding[2] - kernel[0]) // stride[0] + 1
    across = (x.shape[1] + padding[1] + padding[3] - kernel[1]) // stride[1] + 1
    macs = down * across * kernel[0] * kernel[1] * x.channels
    outputs = max(1, min(outputs, MAX_MACS // macs, MAX_ELEMENTS // (down * across)))
    pad_value = draw(st.integers(x.integer.min, x.integer.max)) if any(padding) else 0
    _put_weights(draw, sketch, Conv2d(stride, padding, pad_value), (outputs, *kernel, x.channels))


def _put_weights(draw: st.DrawFn, sketch: Sketch, op: Operator, shape: tuple[int, ...]) -> None:
    element = draw(weight_elements)
    bias_element = draw(elements)
    weight = Constant(draw(codes(element, shape)), element)
    bias = Constant(draw(codes(bias_element, shape[:1])), bias_element)
    sketch.put(op, weight=weight, bias=bias)


def _pool(draw: st.DrawFn, sketch: Sketch) -> None:
    kernel, stride, padding = _window(draw, sketch, 3, 4)
    x = sketch.type.integer
    if draw(st.booleans()):
        sketch.put(MaxPool(kernel, stride, padding))
    else:
        value = draw(st.integers(x.min, x.max)) if any(padding) else 0
        sketch.put(SumPool(kernel, stride, padding, value))


def _pad(draw: st.DrawFn, sketch: Sketch) -> None:
    x = sketch.type
    padding = tuple(draw(st.integers(0, 2)) for _ in range(4))
    if x.size < MAX_ELEMENTS // 2:
        value = draw(st.integers(x.integer.min - 3, x.integer.max + 3))
        sketch.put(Pad((padding[0], padding[1], padding[2], padding[3]), value))


def _relu(draw: st.DrawFn, sketch: Sketch) -> None:
    x = sketch.type.integer
    sketch.put(Relu(draw(st.one_of(st.just(0), st.integers(x.min, x.max)))))


def _clip(draw: st.DrawFn, sketch: Sketch) -> None:
    x = sketch.type.integer
    low, high = sorted(draw(st.integers(x.min - 2, x.max + 2)) for _ in range(2))
    sketch.put(Clip(low, high))


def _reshape(draw: st.DrawFn, sketch: Sketch) -> None:
    rows, columns, channels = sketch.type.shape
    shape = draw(
        st.sampled_from(
            [(columns, rows, channels), (rows, channels, columns), (rows * columns, 1, channels)]
        )
    )
    sketch.put(Reshape(shape))


def _residual(draw: st.DrawFn, sketch: Sketch) -> None:
    """Fork, let one branch or both do something that keeps the shape, and add."""
    start = sketch.tip
    shape = sketch.type.shape
    ends = []
    for _ in range(2):
        sketch.tip = start
        for layer in draw(
            st.lists(st.sampled_from([_requantize, _same_convolution, _same_pool]), max_size=2)
        ):
            layer(draw, sketch)
        ends.append(sketch.tip)
    assert sketch.type.shape == shape
    sketch.put(Add(), *ends)


def _same_convolution(draw: st.DrawFn, sketch: Sketch) -> None:
    _narrow(draw, sketch)
    x = sketch.type
    if x.size * x.channels > MAX_MACS:
        return
    size = draw(st.sampled_from([1, 3] if 9 * x.size * x.channels <= MAX_MACS else [1]))
    half = size // 2
    pad_value = draw(st.integers(x.integer.min, x.integer.max)) if half else 0
    op = Conv2d((1, 1), (half, half, half, half), pad_value)
    _put_weights(draw, sketch, op, (x.channels, size, size, x.channels))


def _same_pool(draw: st.DrawFn, sketch: Sketch) -> None:
    sketch.put(MaxPool((2, 3), (1, 1), (1, 1, 0, 1)))


LAYERS: tuple[Layer, ...] = (
    _convolution,
    _convolution,
    _requantize,
    _relu,
    _clip,
    _pool,
    _pad,
    _reshape,
    _residual,
)


def _head(draw: st.DrawFn, sketch: Sketch) -> None:
    """Flatten, and perhaps a dense layer, and perhaps classify."""
    if len(sketch.type.shape) == 3:
        sketch.put(Flatten())
    if draw(st.booleans()):
        _narrow(draw, sketch)
        inputs = sketch.type.size
        outputs = draw(st.integers(1, max(1, min(8, MAX_MACS // inputs))))
        _put_weights(draw, sketch, Matmul(), (outputs, inputs))
    if draw(st.booleans()):
        sketch.put(Argmax())


@st.composite
def networks(draw: st.DrawFn, min_frames: int = 3, max_frames: int = 6) -> Network:
    """Draw a network of one to six layers, and a fold for each of its nodes."""
    channels = draw(st.integers(1, 8))
    rows, columns = (draw(st.integers(1, 10)) for _ in range(2))
    element = draw(st.builds(IntType, st.integers(1, 9), st.booleans()))
    sketch = Sketch(TensorType((rows, columns, channels), element))
    for _ in range(draw(st.integers(1, 6))):
        layer = draw(st.sampled_from(LAYERS))
        if sketch.type.integer.width > WIDEST_BITS:
            _requantize(draw, sketch)
        layer(draw, sketch)
    if draw(st.booleans()):
        _head(draw, sketch)
    if all(isinstance(node.op, (Reshape, Flatten)) for node in sketch.nodes):
        sketch.put(Relu())
    graph = sketch.graph()
    program = Program(graph, {"x": Quantization((1.0,)), sketch.tip: Quantization((1.0,))})
    count = draw(st.integers(min_frames, max_frames))
    frames = draw(codes(element, (count, *sketch.input.shape)))
    return Network(program, draw(folds(program)), frames)


@st.composite
def folds(draw: st.DrawFn, program: Program) -> dict[str, Fold]:
    """Draw a legal fold for every node of the hardware graph."""
    graph = hardware_graph(program)
    chosen = {}
    for node in graph.nodes:
        assert isinstance(node.op, StreamOperator)
        fold = draw(st.sampled_from(list(node.op.folds(graph.operand_types(node)))))
        chosen[node.name] = replace(fold, slack=draw(st.integers(0, 2)))
    return chosen
