# SPDX-License-Identifier: Apache-2.0
"""A float graph becomes a program: one short rule for each operator, all rules in one table.

Values keep the names they have in the float graph, so the two can be compared layer by layer. What
only the integers need is named after the value it leads to: `c1.acc` is the accumulator of `c1`,
`s2.sum` the sum of the pool `s2`, `r1.wide` what is clipped to `r1`. A relu or clip right behind a
layer with an accumulator is done by that layer's requantize, which then has its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from intaglio.errors import QuantizationError
from intaglio.ir.execute import BATCH
from intaglio.ir.graph import Graph, Node, Program
from intaglio.ir.operator import Operator
from intaglio.ir.types import Quantization, TensorType
from intaglio.numerics.rounding import round_shift
from intaglio.numerics.scale import rescale
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.argmax import Argmax
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.batch_matmul import BatchMatmul
from intaglio.ops.clip import Clip
from intaglio.ops.concat import Concat
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.depth_to_space import DepthToSpace
from intaglio.ops.flatten import Flatten
from intaglio.ops.function import Function
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.mul import Mul
from intaglio.ops.pad import Pad
from intaglio.ops.relu import Relu
from intaglio.ops.reshape import Reshape
from intaglio.ops.slice import Slice
from intaglio.ops.softmax import Softmax
from intaglio.ops.sum_pool import SumPool
from intaglio.ops.transpose import Transpose
from intaglio.ops.upsample import Upsample
from intaglio.ops.upsample_bilinear import UpsampleBilinear
from intaglio.passes.batchnorm_to_depthwise import batchnorm_to_depthwise
from intaglio.passes.check import equal_on_random_input
from intaglio.passes.fold_batchnorm import fold_batchnorm
from intaglio.quantize.build import FINEST_STEP, Build, code_inside
from intaglio.quantize.calibrate import calibrate
from intaglio.quantize.declared import completed, has_quantizers, integers
from intaglio.quantize.equalize import equalize
from intaglio.quantize.joining import concat, share_ranges
from intaglio.quantize.limits import limit_ranges
from intaglio.quantize.products import multiply
from intaglio.quantize.quantizer import Coding
from intaglio.quantize.ranges import Observer
from intaglio.quantize.reorder import rectify_first
from intaglio.quantize.resizing import bilinear
from intaglio.quantize.rounding import ROUNDERS, rounded
from intaglio.quantize.sample import Moments, Sample
from intaglio.quantize.scheme import Scheme
from intaglio.quantize.scores import refuse, scores_only
from intaglio.quantize.tables import tabulate
from intaglio.quantize.weights import integer_layer, rounded_bias, weight_grid

#: What a rule is given: the program so far, the float node, and the node's operator once more.
Rule = Callable[[Build, Node, Any], None]


def quantize(
    graph: Graph,
    calibration: np.ndarray | None = None,
    scheme: Scheme | None = None,
    *,
    batch: int = BATCH,
    exact: bool = True,
) -> Program:
    """Turn a graph into integers: its own, or those of a scheme with ranges taken from real data.

    What a network with quantizers declares stays as it is; with calibration data, what it leaves
    open gets integers by the scheme; if it need not be `exact`, multipliers stay within 16 bits.
    `batch` frames are looked at together, which matters to estimators that let batches vote.

    Shapes: calibration [N, *frame] in the source model's axis order.

    Raises:
        ModelError: the data has another shape than the graph's input.
        QuantizationError: the data is empty or not finite, or the graph has an operator or a
            constant that no integers can stand for; the text names the node.
    """
    if batch < 1:
        raise QuantizationError(f"a batch must be at least 1 frame, not {batch}")
    scheme = scheme or Scheme()
    if has_quantizers(graph):
        whole = graph if calibration is None else completed(graph, calibration, scheme)
        return integers(whole, exact=exact)
    if calibration is None:
        raise QuantizationError(
            f"graph {graph.name!r} must come with calibration data: it has no quantizers of its own"
        )
    graph, notes = scores_only(prepared(graph))
    factors: Mapping[str, np.ndarray] = {}
    if scheme.equalize:
        equalized = equalize(graph)
        graph, factors = equalized.graph, equalized.factors
    build = Build(graph, scheme, notes)
    _require_matches(build)
    build.ranges = calibrate(graph, calibration, _observers(build), batch)
    share_ranges(build, KEEPING)
    limit_ranges(build, KEEPING)
    if _asks_for_data(build.scheme):
        build.sample = Sample(graph, graph.frames(calibration))
    value = graph.inputs[0]
    coding = build.coding(value.name)
    build.types[value.name] = TensorType(value.type.shape, coding.element)
    build.settle(value.name, coding)
    for node in graph.nodes:
        if node.name in build.done:
            continue
        if type(node.op) not in RULES:
            known = ", ".join(sorted(op.name for op in RULES))
            raise QuantizationError(f"{node} must be one of {known} to have integers")
        RULES[type(node.op)](build, node, node.op)
    return build.program(factors)


def prepared(graph: Graph) -> Graph:
    """Rewrite the floats so that each layer ends in one requantizer, and prove nothing changed."""
    after = rectify_first(batchnorm_to_depthwise(fold_batchnorm(graph)))
    if after.nodes != graph.nodes:
        equal_on_random_input(graph, after, "preparing for integers")
    return after


def _observers(build: Build) -> dict[str, Observer]:
    """Return an observer of each value whose codes are still to be chosen."""
    names = [value.name for value in build.graph.inputs]
    names += [build.tail(n).name for n in build.graph.nodes if type(n.op) not in KEEPING]
    return {name: build.observer(name) for name in dict.fromkeys(names)}


def _require_matches(build: Build) -> None:
    """Refuse an exception that no value of the network is."""
    names = [value.name for value in build.graph.inputs] + [n.name for n in build.graph.nodes]
    for override in build.scheme.layers:
        if not any(fnmatchcase(name, override.pattern) for name in names):
            raise QuantizationError(
                f"a layer's exception must match one of {', '.join(names)}, "
                f"not {override.pattern!r}"
            )


def _dot(build: Build, node: Node, op: Conv2d | ConvTranspose2d | Matmul) -> None:
    """Weighted sums: an exact accumulator at scale s_x * s_w[k], then one requantize."""
    x, weight, bias = node.inputs
    source, tail = build.codings[x], build.tail(node)
    data, scheme = build.graph.constants[weight].data, build.scheme_of(tail.name)
    coding = build.coding(tail.name)
    depthwise = isinstance(op, Conv2d) and op.groups > 1 and data.shape[3] == 1
    spare = coding.scale * FINEST_STEP / source.scale
    grid = weight_grid(data, scheme, spare, depthwise=depthwise)
    align = build.quantizer_of(tail.name).weight
    grid = replace(
        grid, scales=np.array([align(source.scale, s, coding.scale) for s in grid.scales])
    )
    found = rounded(
        data, build.graph.constants[bias].data, grid, scheme.rounding, _moments(build, node, scheme)
    )
    real = rounded_bias(found.bias, scheme, source.scale * grid.scales, coding.scale)
    layer = integer_layer(node, found.codes, real, grid, source)
    coding = build.coding(tail.name, step=float(layer.scale.max()))
    if isinstance(op, Conv2d | ConvTranspose2d):
        op = replace(op, pad_value=code_inside(node, source, op.pad_value, "pad with"))
    names = (
        x,
        build.constant(f"{node.name}.weight", layer.weight),
        build.constant(f"{node.name}.bias", layer.bias),
    )
    meaning = Quantization(tuple(layer.scale.tolist()))
    accumulator = build.emit(Node(f"{node.name}.acc", op, names, node.origin), meaning)
    build.requantize(tail, accumulator, layer.scale / coding.scale, coding)


def _asks_for_data(scheme: Scheme) -> bool:
    """Tell whether some layer's rounding or bias depends on what it reads."""
    rules = [scheme.rounding, *(override.rounding for override in scheme.layers)]
    return scheme.correct_bias or any(rule in ROUNDERS for rule in rules)


def _moments(build: Build, node: Node, scheme: Scheme) -> Moments | None:
    """Return what is known of a layer's operand where its rounding or bias depends on it."""
    if build.sample is None or not (scheme.correct_bias or scheme.rounding in ROUNDERS):
        return None
    if not isinstance(node.op, Conv2d | Matmul):
        text = f"{node} is rounded to the nearest: only conv2d and matmul are rounded by data"
        build.notes = (*build.notes, text)
        return None
    return build.sample.moments(build, node, centered=scheme.correct_bias)


def _add(build: Build, node: Node, op: Add) -> None:
    """Both operands at a common scale, an exact sum, then one requantize."""
    tail = build.tail(node)
    common = common_scale(*(build.codings[name].scale for name in node.inputs))
    names = [
        _aligned(build, f"{node.name}.{operand}", name, common)
        for operand, name in zip(op.operands, node.inputs, strict=True)
    ]
    coding = build.coding(tail.name, step=common)
    accumulator = build.emit(
        Node(f"{node.name}.acc", op, tuple(names), node.origin), Quantization((common,))
    )
    build.requantize(tail, accumulator, np.array([common / coding.scale]), coding)


def common_scale(left: float, right: float) -> float:
    """Return the scale at which two tensors are added.

    The finer one where the coarser is a whole multiple of it, up to 256: then nothing is rounded.
    Otherwise 1/256 of the coarser, so that rounding costs 1/512 of its step.
    """
    fine, coarse = sorted((left, right))
    ratio = coarse / fine
    return fine if ratio == round(ratio) <= 1 / FINEST_STEP else coarse * FINEST_STEP


def _aligned(build: Build, name: str, source: str, scale: float) -> str:
    """Bring an operand to a scale with zero point 0; zero stays exactly zero."""
    coding = build.codings[source]
    if coding.scale == scale and coding.zero_point == 0:
        return source
    ratio = rescale(np.array([coding.scale / scale]))
    codes = build.types[source].integer
    ends = np.array([coding.zero_point, codes.min, codes.max])
    zero, low, high = round_shift(ends * ratio.multiplier, ratio.shift).tolist()
    # Wide enough that nothing saturates, and for the offset, which is where code 0 goes.
    element = IntType.holding(min(low, 0) - zero, max(high, 0) - zero)
    build.multiply(name, source, ratio, Coding(element, scale, -zero))
    build.meaning[name] = Quantization((scale,))
    return name


def _average_pool(build: Build, node: Node, op: AveragePool) -> None:
    """An exact sum, then a requantize by 1/n to the codes of the input.

    The sum of n codes with zero point z has zero point n*z, and n*z/n = z: the mean of codes is the
    code of the mean, so nothing is added whatever the zero point. A window of 2^k has multiplier 1
    and shift k; for others the multiplier is off by 2^-16 of itself at most.
    """
    (x,) = node.inputs
    coding = build.codings[x]
    if any(op.padding) and not op.count_padding:
        raise QuantizationError(
            f"{node} must divide by one number everywhere, not leave its padding out of the mean: "
            "set count_include_pad=1 or use no padding"
        )
    factor = build.quantizer_of(node.name).mean(op.kernel)
    pool = SumPool(op.kernel, op.stride, op.padding, coding.zero_point)
    meaning = Quantization((coding.scale * factor,), round(1 / factor) * coding.zero_point)
    total = build.emit(Node(f"{node.name}.sum", pool, (x,)), meaning)
    element = Pad(op.padding, coding.zero_point).infer(build.types[x]).integer
    mean = Coding(element, coding.scale)
    build.multiply(node.name, total, rescale(np.array([factor])), mean, node.origin)
    build.settle(node.name, coding)


def _keep(build: Build, node: Node, op: Operator) -> None:
    """max_pool, reshape, slice and their like: codes are chosen or moved, their meaning stays."""
    build.emit(Node(node.name, op, node.inputs, node.origin))
    build.settle(node.name, build.codings[node.inputs[0]])


def _relu(build: Build, node: Node, _op: Relu) -> None:
    _keep(build, node, Relu(build.codings[node.inputs[0]].zero_point))


def _clip(build: Build, node: Node, op: Clip) -> None:
    coding = build.codings[node.inputs[0]]
    low, high = coding.code(op.low), coding.code(op.high)
    if low == high:  # every result is that bound, so it must have a code
        code_inside(node, coding, op.low if low == coding.element.max else op.high, "clip at")
    _keep(build, node, Clip(low, high))


def _pad(build: Build, node: Node, op: Pad) -> None:
    code = code_inside(node, build.codings[node.inputs[0]], op.value, "pad with")
    _keep(build, node, replace(op, value=code))


def _argmax(build: Build, node: Node, op: Argmax) -> None:
    """The index of the largest code is that of the largest number: one scale for all of them."""
    build.emit(Node(node.name, op, node.inputs, node.origin))
    build.settle(node.name, Coding(build.types[node.name].integer, 1.0))


#: How each operator is made of integers. A new operator that is to be quantised adds its line.
RULES: Mapping[type[Operator], Rule] = {
    Add: _add,
    Argmax: _argmax,
    AveragePool: _average_pool,
    BatchMatmul: multiply,
    Clip: _clip,
    Concat: concat,
    Conv2d: _dot,
    DepthToSpace: _keep,
    ConvTranspose2d: _dot,
    Flatten: _keep,
    Function: tabulate,
    Matmul: _dot,
    MaxPool: _keep,
    Mul: multiply,
    Pad: _pad,
    Relu: _relu,
    Reshape: _keep,
    Slice: _keep,
    Transpose: _keep,
    Upsample: _keep,
    UpsampleBilinear: bilinear,
    Softmax: refuse,
}

#: The operators whose results have the coding of their operand.
KEEPING = frozenset(
    op for op, rule in RULES.items() if rule in (_keep, _average_pool, _clip, _pad, _relu, bilinear)
)
