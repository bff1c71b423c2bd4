# SPDX-License-Identifier: Apache-2.0
"""Random small networks, as programs with a legal fold for every node and frames to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from intaglio.arch.dataflow import hardware_graph, node_unit
from intaglio.hw.unit import Fold, StreamOperator, divisors
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.operator import Operator
from intaglio.ir.text import to_text
from intaglio.ir.types import Quantization, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.argmax import Argmax
from intaglio.ops.batch_matmul import BatchMatmul
from intaglio.ops.clip import Clip
from intaglio.ops.concat import Concat
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.depth_to_space import MODES, DepthToSpace
from intaglio.ops.flatten import Flatten
from intaglio.ops.lookup import MAX_WIDTH, Lookup
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.mul import Mul
from intaglio.ops.pad import Pad
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from intaglio.ops.reshape import Reshape
from intaglio.ops.slice import Slice
from intaglio.ops.sum_pool import SumPool
from intaglio.ops.transpose import Transpose
from intaglio.ops.upsample import Upsample
from intaglio.ops.upsample_linear import UpsampleLinear
from intaglio.ops.windows import output_size

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
dilations = st.sampled_from([1, 1, 1, 2, 3])
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

    def program(self) -> Program:
        meaning = {"x": Quantization((1.0,)), self.tip: Quantization((1.0,))}
        return Program(self.graph(), meaning)

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
    """Ordinary, grouped or depthwise; dilated or not, as far as the image is large enough."""
    _narrow(draw, sketch)
    kernel, stride, padding = _window(draw, sketch, 5, 3)
    x = sketch.type
    size = x.shape[0] + padding[0] + padding[2], x.shape[1] + padding[1] + padding[3]
    fits = [max(1, (h - 1) // (k - 1)) if k > 1 else 3 for h, k in zip(size, kernel, strict=True)]
    dilation = (min(draw(dilations), fits[0]), min(draw(dilations), fits[1]))
    groups = draw(st.sampled_from([1, 1, x.channels, *divisors(x.channels)]))
    channels = x.channels // groups
    down, across = output_size(x.shape, kernel, stride, padding, dilation)
    macs = down * across * kernel[0] * kernel[1] * x.channels
    most = min(8 // groups, MAX_MACS // macs, MAX_ELEMENTS // (down * across * groups))
    outputs = groups * max(1, min(draw(st.integers(1, 8)), most))
    pad_value = draw(st.integers(x.integer.min, x.integer.max)) if any(padding) else 0
    op = Conv2d(stride, padding, pad_value, dilation, groups)
    _put_weights(draw, sketch, op, (outputs, *kernel, channels))


def _transposed(draw: st.DrawFn, sketch: Sketch) -> None:
    """A transposed convolution, cropped so that the image does not grow too large."""
    _narrow(draw, sketch)
    x = sketch.type
    rows, columns, channels = x.shape
    kernel, stride, dilation = _pairs(draw, 1, 4), _pairs(draw, 1, 3), _pairs(draw, 1, 2)
    groups = draw(st.sampled_from(divisors(channels)))
    full = [
        (size - 1) * s + (k - 1) * d + 1
        for size, s, k, d in zip((rows, columns), stride, kernel, dilation, strict=True)
    ]
    products = full[0] * full[1] * kernel[0] * kernel[1] * channels
    if products > MAX_MACS or full[0] * full[1] * groups > MAX_ELEMENTS:
        return
    top, left = (draw(st.integers(0, min(3, size - 1))) for size in full)
    bottom, right = (
        draw(st.integers(0, min(2, size - 1 - first)))
        for size, first in zip(full, (top, left), strict=True)
    )
    value = draw(st.integers(x.integer.min, x.integer.max))
    added = _pairs(draw, 0, 1)
    op = ConvTranspose2d(stride, (top, left, bottom, right), added, dilation, groups, value)
    outputs = groups * min(draw(st.integers(1, 3)), max(1, MAX_MACS // products))
    _put_weights(draw, sketch, op, (outputs, *kernel, channels // groups))


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


def _global_pool(draw: st.DrawFn, sketch: Sketch) -> None:
    rows, columns, _ = sketch.type.shape
    sketch.put(draw(st.sampled_from([MaxPool, SumPool]))((rows, columns), (1, 1)))


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


def _lookup(draw: st.DrawFn, sketch: Sketch) -> None:
    if sketch.type.integer.width > MAX_WIDTH:
        _requantize(draw, sketch, draw(elements.filter(lambda e: e.width <= MAX_WIDTH)))
    x, element = sketch.type.integer, draw(elements)
    table = draw(codes(element, (x.max - x.min + 1,)))
    sketch.put(Lookup(x.min), table=Constant(table, element))


def _reshape(draw: st.DrawFn, sketch: Sketch) -> None:
    rows, columns, channels = sketch.type.shape
    shape = draw(
        st.sampled_from(
            [(columns, rows, channels), (rows, channels, columns), (rows * columns, 1, channels)]
        )
    )
    sketch.put(Reshape(shape))


def _slice(draw: st.DrawFn, sketch: Sketch) -> None:
    shape = sketch.type.shape
    starts = tuple(draw(st.integers(0, min(2, size - 1))) for size in shape)
    stops = tuple(
        draw(st.integers(max(start + 1, size - 2), size))
        for start, size in zip(starts, shape, strict=True)
    )
    sketch.put(Slice(starts, stops, tuple(draw(st.sampled_from([1, 1, 2, 3])) for _ in shape)))


def _depth_to_space(draw: st.DrawFn, sketch: Sketch) -> None:
    channels = sketch.type.channels
    blocks = [
        (r, s) for r in range(1, 4) for s in range(1, 4) if channels % (r * s) == 0 and r * s > 1
    ]
    if blocks:
        sketch.put(DepthToSpace(draw(st.sampled_from(blocks)), draw(st.sampled_from(MODES))))


def _transpose(draw: st.DrawFn, sketch: Sketch) -> None:
    sketch.put(Transpose(tuple(draw(st.permutations(range(3))))))


def _upsample(draw: st.DrawFn, sketch: Sketch) -> None:
    factors = _pairs(draw, 1, 3)
    if sketch.type.size * factors[0] * factors[1] <= MAX_ELEMENTS:
        sketch.put(Upsample(factors))


def _residual(draw: st.DrawFn, sketch: Sketch) -> None:
    """Fork, let one branch or both do something that keeps the shape, and add or multiply."""
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
    if draw(st.booleans()):
        sketch.put(Add(), *ends)
        return
    for index, end in enumerate(ends):
        sketch.tip = end
        _narrow(draw, sketch)
        ends[index] = sketch.tip
    sketch.put(Mul(), *ends)


def _upsample_linear(draw: st.DrawFn, sketch: Sketch) -> None:
    if 2 * sketch.type.size <= MAX_ELEMENTS:
        sketch.put(UpsampleLinear(draw(st.integers(0, 1))))


def _join(draw: st.DrawFn, sketch: Sketch) -> None:
    """Fork, let one branch or both change the places on an axis, and put them end to end."""
    start, x = sketch.tip, sketch.type
    if 2 * x.size > MAX_ELEMENTS:
        return
    axis = draw(st.integers(0, 2))
    ends = []
    for _ in range(2):
        sketch.tip = start
        size = draw(st.integers(1, x.shape[axis]))
        first = draw(st.integers(0, x.shape[axis] - size))
        starts, stops = [0, 0, 0], list(x.shape)
        starts[axis], stops[axis] = first, first + size
        for layer in draw(st.lists(st.sampled_from([_requantize, _same_pool]), max_size=2)):
            layer(draw, sketch)
        if draw(st.booleans()):
            sketch.put(Slice(tuple(starts), tuple(stops), (1, 1, 1)))
        ends.append(sketch.tip)
    sketch.put(Concat(axis), *ends)


def _matmul(draw: st.DrawFn, sketch: Sketch) -> None:
    """Multiply a value by itself, taken for matrices in two ways, perhaps each requantized."""
    _narrow(draw, sketch)
    start, size = sketch.tip, sketch.type.size
    batch = draw(st.sampled_from(divisors(size)))
    m = draw(st.sampled_from(divisors(size // batch)))
    k = size // batch // m
    if batch * m * m > MAX_ELEMENTS or batch * m * m * k > MAX_MACS:
        return
    ends = []
    for shape in ((batch, m, k), (batch, k, m)):
        sketch.tip = start
        if draw(st.booleans()):
            _requantize(draw, sketch, draw(elements.filter(lambda e: e.width <= MULTIPLIED_BITS)))
        ends.append(sketch.put(Reshape(shape)))
    sketch.put(BatchMatmul(), *ends)


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
    _transposed,
    _requantize,
    _relu,
    _clip,
    _lookup,
    _pool,
    _global_pool,
    _pad,
    _matmul,
    _reshape,
    _slice,
    _depth_to_space,
    _transpose,
    _upsample,
    _upsample_linear,
    _join,
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


def _only_wires(sketch: Sketch) -> bool:
    """Tell whether a network would compute nothing."""
    if not sketch.nodes:
        return True
    graph = hardware_graph(sketch.program())
    for node in graph.nodes:
        assert isinstance(node.op, StreamOperator)
        if node_unit(graph, node, next(node.op.folds(graph.operand_types(node)))) is not None:
            return False
    return True


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
    if _only_wires(sketch):
        sketch.put(Relu())
    program = sketch.program()
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
