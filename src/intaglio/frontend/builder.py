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
from dataclasses import dataclass, replace

import numpy as np

from intaglio.errors import ModelError
from intaglio.frontend.layout import CHANNELS_FIRST, Layout
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Value
from intaglio.ir.operator import Operator
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.argmax import Argmax
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.clip import Clip
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.pad import Pad
from intaglio.ops.relu import Relu
from intaglio.ops.reshape import Reshape
from intaglio.ops.windows import Padding, Pair

#: No frame of a network for one chip comes near it; a damaged file declares more.
MAX_FRAME = 1 << 27
#: A convolution is computed as a product with all its windows side by side.
MAX_WINDOWS = 1 << 28

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class UnsupportedError(ModelError):
    """A foreign node has no exact counterpart here; `rewrite` is the nearest one that has."""

    def __init__(self, why: str, rewrite: str = "") -> None:
        super().__init__(why)
        self.rewrite = rewrite


@dataclass(frozen=True)
class Activation:
    """A value of the source model: the name of ours that holds it, and how it lies there."""

    name: str
    layout: Layout

    @property
    def shape(self) -> tuple[int, ...]:
        """The frame as the source sees it."""
        return self.layout.shape


@dataclass(frozen=True)
class Dropped:
    """The result of a node that is left out: its operand, and why that is right.

    `exact` tells whether every number stays as it was.
    """

    value: Activation
    why: str
    exact: bool = True


@dataclass(frozen=True)
class Site:
    """Where in the source a node comes from: the name wanted for ours, and the source's value."""

    name: str
    origin: str


@dataclass(frozen=True)
class Imported:
    """A finished graph, with the layout of each of its values.

    `inputs` holds the source's name of each input, `outputs` the source's name of each output with
    the value that holds it.
    """

    graph: Graph
    layouts: Mapping[str, Layout]
    inputs: tuple[str, ...]
    outputs: tuple[tuple[str, Activation], ...]


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
        self.copies: Counter[str] = Counter()

    # --- ends ----------------------------------------------------------------------------------

    def input(self, name: str, shape: Sequence[int], *, channels_first: bool) -> Activation:
        """Add an input of floats whose source frame has this shape."""
        layout = Layout.of(tuple(shape), channels_first=channels_first)
        _check_size(layout.shape)
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
            ModelError: there is no output, or one is a flattened image in another order.
        """
        for origin, value in outputs:
            if value.layout.flattened:
                raise ModelError(
                    f"output {origin!r} must keep the order of its elements: end the model before "
                    "the image is flattened"
                )
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
        return Imported(graph, dict(self.layouts), tuple(self.origins), tuple(outputs))

    # --- layers --------------------------------------------------------------------------------

    def conv2d(
        self,
        x: Activation,
        weight: np.ndarray,
        bias: np.ndarray | None,
        stride: Pair,
        padding: Padding,
        site: Site,
    ) -> Activation:
        """Convolve. Shapes: weight [K, C, R, S], bias [K]."""
        x = self._image(x, site)
        bias = np.zeros(len(weight)) if bias is None else bias
        operands = _constants(weight=weight.transpose(0, 2, 3, 1), bias=bias)
        _check_padded(x, padding)
        height, width, _ = self._infer(Conv2d(stride, padding), (x,), operands).shape
        if height * width * weight[0].size > MAX_WINDOWS:
            raise UnsupportedError(
                f"a convolution must read at most {MAX_WINDOWS} numbers, "
                f"not {height}x{width} windows of {weight[0].size}"
            )
        return self._image_node(Conv2d(stride, padding), x, site, operands)

    def matmul(
        self, x: Activation, weight: np.ndarray, bias: np.ndarray | None, site: Site
    ) -> Activation:
        """Multiply a vector. Shapes: weight [K, C] in the source's order of C, bias [K]."""
        if len(x.shape) != 1 or weight.ndim != 2:
            raise UnsupportedError(
                f"a matrix product must be of vectors [N, C] with a constant matrix, "
                f"not {list(x.shape)} with {list(weight.shape)}",
                "Flatten before it",
            )
        if weight.shape[1] != x.shape[0]:
            raise UnsupportedError(f"the matrix must have {x.shape[0]} rows, not {weight.shape[1]}")
        bias = np.zeros(len(weight)) if bias is None else bias
        operands = _constants(weight=x.layout.to_ours(weight), bias=bias)
        layout = Layout.of((len(weight),), channels_first=False)
        return self._emit(Matmul(), (x,), layout, site, operands)

    def affine(
        self,
        x: Activation,
        scale: np.ndarray,
        offset: np.ndarray,
        site: Site,
        *,
        sole: bool,
    ) -> Activation:
        """Scale and move each channel; a mere addend joins the bias before it where it can.

        Args:
            x: the value.
            scale: broadcastable to the source frame, with or without batch axis.
            offset: the same.
            site: where it comes from.
            sole: whether nothing else reads x, under any name.
        """
        scales, offsets = (self._per_channel(x, array) for array in (scale, offset))
        layer = self.nodes.get(x.name)
        if sole and layer is not None and isinstance(layer.op, Conv2d | Matmul):
            direct = not x.layout.flattened and x.layout == self.layouts[x.name]
            if direct and np.all(scales == 1):
                return self._add_bias(x, layer, offsets, site)
        operands = _constants(scale=scales, offset=offsets)
        return self._emit(BatchNorm(), (x,), x.layout, site, operands)

    def add(self, x: Activation, y: Activation, site: Site) -> Activation:
        """Add two values of one shape."""
        if x.layout != y.layout:
            raise UnsupportedError(
                f"operands must have one shape and order, not {list(x.shape)} and {list(y.shape)}",
                "give both operands the same shape before",
            )
        return self._emit(Add(), (x, y), x.layout, site)

    def relu(self, x: Activation, site: Site) -> Activation:
        """Rectify."""
        return self._emit(Relu(), (x,), x.layout, site)

    def clip(self, x: Activation, low: float, high: float, site: Site) -> Activation:
        """Clamp; an open side is infinite."""
        if math.isnan(low) or math.isnan(high):
            raise UnsupportedError("bounds must be numbers, not NaN")
        largest = float(np.finfo(np.float32).max)
        if low == 0 and high >= largest:
            return self.relu(x, site)
        op = Clip(max(float(low), -largest), min(float(high), largest))
        return self._emit(op, (x,), x.layout, site)

    def max_pool(
        self, x: Activation, kernel: Pair, stride: Pair, padding: Padding, site: Site
    ) -> Activation:
        """Take maxima over windows."""
        x = self._image(x, site)
        _check_padded(x, padding)
        return self._image_node(MaxPool(kernel, stride, padding), x, site)

    def average_pool(
        self,
        x: Activation,
        kernel: Pair,
        stride: Pair,
        padding: Padding,
        site: Site,
        *,
        count_padding: bool,
    ) -> Activation:
        """Take means over windows."""
        x = self._image(x, site)
        _check_padded(x, padding)
        return self._image_node(AveragePool(kernel, stride, padding, count_padding), x, site)

    def mean(self, x: Activation, axes: Sequence[int], site: Site, *, keep: bool) -> Activation:
        """Take means over whole axes of the source frame, of which none holds the channels."""
        axes = tuple(sorted(set(axes)))
        shape = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape))
        target = shape if keep else tuple(n for axis, n in enumerate(x.shape) if axis not in axes)
        if len(shape) == 2:
            x = self.reshape(x, (*x.shape, 1), Site(f"{site.name}_rows", ""))
            shape = (*shape, 1)
        image = len(shape) == len(CHANNELS_FIRST) and not x.layout.flattened
        if not image or x.layout.channel in axes or not axes:
            raise UnsupportedError(
                f"a mean must go over the positions of an image, not over axes {list(axes)} "
                f"of a frame {list(x.shape)}",
                "GlobalAveragePool",
            )
        down, across, _ = (x.shape[axis] if axis in axes else 1 for axis in x.layout.order)
        pool = AveragePool((down, across), (down, across))
        pooled = Layout(shape, shape, x.layout.order)
        final = pooled.reshaped(target)
        if final is None or final.ours == pooled.ours:
            return self._emit(pool, (x,), final or pooled, site)
        inner = self._emit(pool, (x,), pooled, Site(f"{site.name}_mean", ""))
        return self._renamed(inner, final, site)

    def pad(self, x: Activation, padding: Padding, value: float, site: Site) -> Activation:
        """Surround an image with a value."""
        if not math.isfinite(value) or int(value) != value:
            raise UnsupportedError(f"the padding value must be an integer, not {value:g}")
        return self._image_node(Pad(padding, int(value)), self._image(x, site), site)

    def reshape(self, x: Activation, target: tuple[int, ...], site: Site) -> Activation:
        """Give a frame another shape in the source's order of elements."""
        if target == x.shape:
            return x
        layout = x.layout.reshaped(target)
        if layout is None:
            raise UnsupportedError(
                f"an image {list(x.shape)} must become a vector or keep its axes, "
                f"not turn into {list(target)}",
                "Flatten",
            )
        return self._renamed(x, layout, site)

    def transpose(self, x: Activation, permutation: tuple[int, ...]) -> Activation:
        """Follow a transpose of the source: our elements stay."""
        if x.layout.flattened:
            raise UnsupportedError("a flattened image must not be transposed")
        return replace(x, layout=x.layout.transposed(permutation))

    def argmax(self, x: Activation, site: Site) -> Activation:
        """Find the largest element of a vector."""
        if len(x.shape) != 1 or x.layout.flattened:
            raise UnsupportedError(f"argmax must be over a vector of scores, not {list(x.shape)}")
        return self._emit(Argmax(), (x,), Layout.of((1,), channels_first=False), site)

    # --- inside --------------------------------------------------------------------------------

    def is_integer(self, x: Activation) -> bool:
        """Tell whether a value holds integers: only an argmax does."""
        return isinstance(self.types[x.name].element, IntType)

    def macs(self, name: str) -> int:
        """Return the multiply-accumulates of a node."""
        node = self.nodes[name]
        return node.op.loops(*(self._type(operand) for operand in node.inputs)).macs

    def _image(self, x: Activation, site: Site) -> Activation:
        """Return x as an (H, W, C) image, with a Reshape where only axes of size 1 are in the way.

        Raises:
            UnsupportedError: x is no image, or its channels are not where the source needs them.
        """
        layout = x.layout.as_image()
        if layout is None:
            raise UnsupportedError(
                f"its input must be an image [N, C, H, W], not a frame {list(x.shape)}"
            )
        if layout.ours == x.layout.ours:
            return replace(x, layout=layout)
        return self._renamed(x, layout, Site(f"{site.name}_image", ""))

    def _renamed(self, x: Activation, layout: Layout, site: Site) -> Activation:
        """Give our frame another shape without moving anything."""
        if layout.ours == x.layout.ours:
            return Activation(x.name, layout)
        op = Flatten() if len(layout.ours) == 1 else Reshape(layout.ours)
        return self._emit(op, (x,), layout, site)

    def _image_node(
        self,
        op: Operator,
        x: Activation,
        site: Site,
        operands: dict[str, Constant] | None = None,
    ) -> Activation:
        """Emit a node that makes an image: its source shape follows from ours."""
        height, width, channels = self._infer(op, (x,), operands or {}).shape
        layout = Layout.of((channels, height, width), channels_first=True)
        return self._emit(op, (x,), layout, site, operands)

    def _emit(
        self,
        op: Operator,
        inputs: tuple[Activation, ...],
        layout: Layout,
        site: Site,
        operands: dict[str, Constant] | None = None,
    ) -> Activation:
        """Add a node, its constants named after it."""
        constants = operands or {}
        type_ = self._infer(op, inputs, constants)
        _check_size(type_.shape)
        name = self._free(site.name)
        named = {f"{name}.{key}": constant for key, constant in constants.items()}
        self.constants.update(named)
        self.nodes[name] = Node(name, op, (*(x.name for x in inputs), *named), site.origin)
        self.types[name] = type_
        self.layouts[name] = layout
        return Activation(name, layout)

    def _infer(
        self, op: Operator, inputs: tuple[Activation, ...], constants: dict[str, Constant]
    ) -> TensorType:
        operands = [self.types[x.name] for x in inputs] + [c.type for c in constants.values()]
        if any(isinstance(t.element, IntType) for t in operands):
            raise UnsupportedError("nothing must follow an argmax")
        return op.infer(*operands)

    def _type(self, name: str) -> TensorType:
        return self.constants[name].type if name in self.constants else self.types[name]

    def _add_bias(self, x: Activation, layer: Node, offsets: np.ndarray, site: Site) -> Activation:
        """Put an addend into the bias of the layer that made x, whose value it becomes."""
        name = layer.inputs[2]
        total = self.constants[name].data.astype(np.float64) + offsets
        self.constants[name] = _constants(bias=total)["bias"]
        self.nodes[x.name] = replace(layer, origin=site.origin)
        return x

    def _per_channel(self, x: Activation, array: np.ndarray) -> np.ndarray:
        """Bring a broadcast constant to one number for each of our channels.

        Raises:
            UnsupportedError: it differs between positions, or is larger than the frame.
        """
        text = (
            f"a constant operand must be one number or one a channel of {list(x.shape)}, "
            f"not an array {list(array.shape)}"
        )
        rank = len(x.shape)
        if array.ndim > rank and all(n == 1 for n in array.shape[: array.ndim - rank]):
            array = array.reshape(array.shape[array.ndim - rank :])
        array = array.reshape((1,) * (rank - array.ndim) + array.shape)
        if array.ndim > rank or any(
            n not in (1, m) for n, m in zip(array.shape, x.shape, strict=True)
        ):
            raise UnsupportedError(text)
        if x.layout.flattened:
            return x.layout.to_ours(np.broadcast_to(array, x.shape)[None])[0]
        others = [axis for axis in range(rank) if axis != x.layout.channel]
        if any(array.shape[axis] > 1 for axis in others):
            raise UnsupportedError(text)
        channels = x.shape[x.layout.channel] if rank else 1
        return np.broadcast_to(array.reshape(-1), (channels,))

    def _free(self, wanted: str) -> str:
        """Return the wanted name as a plain word, with a number behind it where it is taken."""
        word = re.sub(r"[^A-Za-z0-9]+", "_", wanted).strip("_")
        word = word if _NAME.fullmatch(word) else f"v_{word}".rstrip("_")
        name = word
        while name in self.types:
            self.copies[word] += 1
            name = f"{word}_{self.copies[word] + 1}"
        return name


def _constants(**arrays: np.ndarray) -> dict[str, Constant]:
    """Make float constants.

    Raises:
        UnsupportedError: a number is not finite in float32.
    """
    try:
        return {key: Constant(array, FLOAT32) for key, array in arrays.items()}
    except ModelError as error:
        raise UnsupportedError(str(error)) from None


def _check_size(shape: tuple[int, ...]) -> None:
    if math.prod(shape) > MAX_FRAME:
        raise UnsupportedError(f"a frame must have at most {MAX_FRAME} elements, not {list(shape)}")


def _check_padded(x: Activation, padding: Padding) -> None:
    channels, height, width = x.shape
    _check_size((height + padding[0] + padding[2], width + padding[1] + padding[3], channels))
