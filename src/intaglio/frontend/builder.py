# SPDX-License-Identifier: Apache-2.0
"""Builds a graph from a foreign model, node by node; lives only inside one import.

The readers of ONNX and of torch call one method a layer, with arrays and axes as the source has
them; here they are brought into channels-last order. Nothing is computed on the way but the merging
of a constant addend into the bias before it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from intaglio.errors import ModelError
from intaglio.frontend.layout import CHANNELS_FIRST, Layout
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Value
from intaglio.ir.operator import Operator
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.clip import Clip
from intaglio.ops.flatten import Flatten
from intaglio.ops.function import Function
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.reshape import Reshape
from intaglio.ops.softmax import Softmax
from intaglio.ops.transpose import Transpose
from intaglio.ops.windows import Padding
from intaglio.passes.dead_code import dead_code

#: No network for one chip comes near these; a damaged or hostile file declares more. They keep
#: what an import takes to some seconds and one gigabyte. Elements of a frame, and of all frames.
MAX_FRAME = 1 << 25
MAX_ELEMENTS = 1 << 26
#: A convolution is computed as a product with all its windows side by side.
MAX_WINDOWS = 1 << 26
#: Products of one frame; whatever else is done to elements, which takes longer.
MAX_MACS = 1 << 34
MAX_STEPS = 1 << 28
MAX_NODES = 20_000
#: What a function of an element takes, compared with a step of a maximum.
_FUNCTION_STEPS = 16

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class UnsupportedError(ModelError):
    """A foreign node has no exact counterpart here; `rewrite` is the nearest one that has."""

    def __init__(self, why: str, rewrite: str = "") -> None:
        super().__init__(why)
        self.rewrite = rewrite


@dataclass(frozen=True)
class Codes:
    """What integers of a source model mean: real = scale * (code - zero_point).

    `nibbles` are of 4 bits, which no array of a runtime holds.

    Shapes: scale holds one number, or one for each channel.
    """

    scale: tuple[float, ...]
    zero_point: int
    nibbles: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Activation:
    """A value of the source model: the name of ours that holds it, and how it lies there.

    Ours are always reals. `codes` says what the source's integers mean, where it has such.
    """

    name: str
    layout: Layout
    codes: Codes | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The frame as the source sees it."""
        return self.layout.shape


@dataclass(frozen=True)
class Dropped:
    """The result of a node that is left out: its operand, and why every number stays as it was."""

    value: Activation
    why: str


@dataclass(frozen=True)
class Site:
    """Where in the source a node comes from: the name wanted for ours, and the source's value."""

    name: str
    origin: str


@dataclass(frozen=True)
class Imported:
    """A finished graph, with the layout of each of its values.

    `inputs` holds the source's name of each input, `outputs` the source's name of each output with
    the value that holds it. `codes` says of which values the source holds integers instead.
    """

    graph: Graph
    layouts: Mapping[str, Layout]
    inputs: tuple[str, ...]
    outputs: tuple[tuple[str, Activation], ...]
    codes: Mapping[str, Codes] = field(default_factory=dict)


class Builder:
    """The half-built graph of one import. Every method returns the value it adds or changes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.inputs: list[Value] = []
        self.origins: list[str] = []
        self.nodes: dict[str, Node] = {}
        self.constants: dict[str, Constant] = {}
        self.types: dict[str, TensorType] = {}
        self.layouts: dict[str, Layout] = {}
        self.channels_first: set[bool] = set()
        self.codes: dict[str, Codes] = {}
        self.copies: Counter[str] = Counter()
        #: How many frames the source computes at once at least.
        self.frames = 1
        self.elements = 0
        self.products = 0
        self.steps = 0

    # --- ends ----------------------------------------------------------------------------------

    def input(self, name: str, shape: Sequence[int], *, channels_first: bool) -> Activation:
        """Add an input of floats whose source frame has this shape."""
        layout = Layout.of(tuple(shape), channels_first=channels_first)
        check_size(layout.shape)
        value = Value(self._free(name), TensorType(layout.ours, FLOAT32))
        self.inputs.append(value)
        self.origins.append(name)
        self.types[value.name] = value.type
        self.layouts[value.name] = layout
        if len(layout.shape) == len(CHANNELS_FIRST):
            self.channels_first.add(channels_first)
        return Activation(value.name, layout)

    def finish(self, outputs: Sequence[tuple[str, Activation]]) -> Imported:
        """Construct the graph; each output comes with the source's name for it.

        Raises:
            ModelError: there is no output, or inputs lie in different ways.
        """
        outputs = [(origin, self._end(value, Site(origin, ""))) for origin, value in outputs]
        if len(self.channels_first) > 1:
            raise ModelError("image inputs must be all channels-first or all channels-last")
        graph = Graph(
            self.name,
            tuple(self.inputs),
            tuple(self.nodes.values()),
            tuple(dict.fromkeys(value.name for _, value in outputs)),
            self.constants,
            True in self.channels_first,
        )
        return Imported(
            dead_code(graph), self.layouts, tuple(self.origins), tuple(outputs), self.codes
        )

    def _end(self, x: Activation, site: Site) -> Activation:
        """Return an output in the source's order, images channels last."""
        x = self.straight(x, site)
        plain = tuple(range(len(x.shape)))
        last = CHANNELS_FIRST if len(plain) == len(CHANNELS_FIRST) else plain
        spreads = [replace(x.layout, order=order).spread for order in (plain, last)]
        return x if x.layout.spread in spreads else self.ordered(x, last, site)

    # --- inside --------------------------------------------------------------------------------

    def is_integer(self, x: Activation) -> bool:
        """Tell whether a value holds integers: only an argmax does."""
        return isinstance(self.types[x.name].element, IntType)

    def macs(self, name: str) -> int:
        """Return the multiply-accumulates of a node."""
        node = self.nodes[name]
        return node.op.loops(*(self._type(operand) for operand in node.inputs)).macs

    def image(self, x: Activation, site: Site) -> Activation:
        """Return x as an (H, W, C) image.

        Raises:
            UnsupportedError: x has no three axes.
        """
        if len(x.shape) != len(CHANNELS_FIRST):
            raise UnsupportedError(
                f"its input must be an image [N, C, H, W], not a frame {list(x.shape)}"
            )
        return self.ordered(x, CHANNELS_FIRST, Site(f"{site.name}_image", ""))

    def ordered(self, x: Activation, order: tuple[int, ...], site: Site) -> Activation:
        """Return x with our axes in this order of the source's axes, moved only if need be."""
        layout = replace(x.layout, order=order)
        if x.layout.spread == layout.spread:
            return self.renamed(x, layout, site)
        axes = tuple(x.layout.order.index(axis) for axis in order)
        return self.emit(Transpose(axes), (x,), layout, site)

    def straight(self, x: Activation, site: Site) -> Activation:
        """Return x with the elements of a flattened frame in the source's order."""
        if not x.layout.flattened:
            return x
        dims = x.layout.dims
        layout = Layout(dims, dims, x.layout.order)
        node = self.nodes.get(x.name)
        whole = node is not None and isinstance(node.op, Flatten)
        if node is not None and whole and self.layouts[node.inputs[0]] == layout:
            frame = replace(x, name=node.inputs[0], layout=layout)
        else:
            frame = self.renamed(x, layout, Site(f"{site.name}_frame", ""))
        moved = self.ordered(frame, tuple(range(len(dims))), Site(f"{site.name}_order", ""))
        return self.renamed(moved, Layout(x.shape, x.shape, (0,)), Site(f"{site.name}_flat", ""))

    def renamed(self, x: Activation, layout: Layout, site: Site) -> Activation:
        """Give our frame another shape without moving anything."""
        if layout.ours == x.layout.ours:
            return replace(x, layout=layout)
        op = Flatten() if len(layout.ours) == 1 else Reshape(layout.ours)
        return self.emit(op, (x,), layout, site)

    def image_node(
        self,
        op: Operator,
        x: Activation,
        site: Site,
        operands: dict[str, Constant] | None = None,
    ) -> Activation:
        """Emit a node that makes an image: its source shape follows from ours."""
        height, width, channels = self.infer(op, (x,), operands or {}).shape
        layout = Layout.of((channels, height, width), channels_first=True)
        return self.emit(op, (x,), layout, site, operands)

    def emit(
        self,
        op: Operator,
        inputs: tuple[Activation, ...],
        layout: Layout,
        site: Site,
        operands: dict[str, Constant] | None = None,
    ) -> Activation:
        """Add a node, its constants named after it."""
        constants = operands or {}
        type_ = self.infer(op, inputs, constants)
        check_size(type_.shape)
        self._charge(op, inputs, constants, type_)
        name = self._free(site.name)
        named = {f"{name}.{key}": constant for key, constant in constants.items()}
        self.constants.update(named)
        self.nodes[name] = Node(name, op, (*(x.name for x in inputs), *named), site.origin)
        self.types[name] = type_
        self.layouts[name] = layout
        return self.coded(Activation(name, layout), self._kept(op, inputs))

    def coded(self, x: Activation, codes: Codes | None) -> Activation:
        """Note that the source holds integers where x is."""
        if codes is not None:
            self.codes[x.name] = codes
        return replace(x, codes=codes)

    def _kept(self, op: Operator, inputs: tuple[Activation, ...]) -> Codes | None:
        """Return what the integers of a result mean: those of the operands, as they are.

        Raises:
            UnsupportedError: something is computed with the integers themselves.
        """
        codes = inputs[0].codes
        if all(x.codes is None for x in inputs):
            return None
        if not (op.rearranges or isinstance(op, MaxPool | Clip)) or any(
            x.codes != codes for x in inputs
        ):
            raise UnsupportedError(
                "it computes with the codes of a quantized value", "DequantizeLinear before it"
            )
        return codes

    def _charge(
        self,
        op: Operator,
        inputs: tuple[Activation, ...],
        constants: dict[str, Constant],
        result: TensorType,
    ) -> None:
        """Count what it takes to check a node against its source.

        Raises:
            UnsupportedError: all nodes together take too much.
        """
        operands = [self.types[x.name] for x in inputs] + [c.type for c in constants.values()]
        loops = op.loops(*operands)
        self.elements += result.size * self.frames
        self.products += loops.macs * self.frames
        weight = _FUNCTION_STEPS if isinstance(op, Function | Softmax) else 1
        touched = max(loops.iterations, sum(t.size for t in operands))
        self.steps += 0 if loops.multiplies else weight * touched * self.frames
        for what, count, most in (
            ("elements in all its frames", self.elements, MAX_ELEMENTS),
            ("products", self.products, MAX_MACS),
            ("steps", self.steps, MAX_STEPS),
            ("nodes", len(self.nodes) + 1, MAX_NODES),
        ):
            if count > most:
                raise UnsupportedError(
                    f"a network must have at most {most} {what}, not {count} and more",
                    "smaller frames",
                )

    def infer(
        self, op: Operator, inputs: tuple[Activation, ...], constants: dict[str, Constant]
    ) -> TensorType:
        """Return the type that an operator gives its result.

        Raises:
            ModelError: the operands do not fit it.
        """
        operands = [self.types[x.name] for x in inputs] + [c.type for c in constants.values()]
        if any(isinstance(t.element, IntType) for t in operands):
            raise UnsupportedError("nothing must follow an argmax")
        return op.infer(*operands)

    def _type(self, name: str) -> TensorType:
        return self.constants[name].type if name in self.constants else self.types[name]

    def _free(self, wanted: str) -> str:
        """Return the wanted name as a plain word, with a number behind it where it is taken."""
        word = re.sub(r"[^A-Za-z0-9]+", "_", wanted).strip("_")
        word = word if _NAME.fullmatch(word) else f"v_{word}".rstrip("_")
        name = word
        while name in self.types:
            self.copies[word] += 1
            name = f"{word}_{self.copies[word] + 1}"
        return name


def constants(**arrays: np.ndarray) -> dict[str, Constant]:
    """Make float constants.

    Raises:
        UnsupportedError: a number is not finite in float32.
    """
    try:
        return {key: Constant(array, FLOAT32) for key, array in arrays.items()}
    except ModelError as error:
        raise UnsupportedError(str(error)) from None


def check_size(shape: tuple[int, ...]) -> None:
    """Refuse a frame that no network for one chip has.

    Raises:
        UnsupportedError: it is too large.
    """
    if math.prod(shape) > MAX_FRAME:
        raise UnsupportedError(f"a frame must have at most {MAX_FRAME} elements, not {list(shape)}")


def check_padded(x: Activation, padding: Padding) -> None:
    """Refuse padding that makes a frame too large.

    Raises:
        UnsupportedError: it is.
    """
    channels, height, width = x.shape
    check_size((height + padding[0] + padding[2], width + padding[1] + padding[3], channels))
