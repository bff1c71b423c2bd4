# SPDX-License-Identifier: Apache-2.0
"""Give quantizers that are written out their name: s * clip(round(x / s), low, high).

Models say so where their standard has no quantizer of such codes, or their author wrote one by
hand. What is looked for is a rounding with scales, offsets and bounds before and behind it, where

    y = clip(s * (round(x / s + z) - z), s * (low - z), s * (high - z))

Bounds may stand anywhere on the way; behind a quantizer that has its name, they become its own.
Floats that differ in the last bit of x / s may fall on the other side of a threshold, as in any two
runtimes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from intaglio.ir.graph import Graph, Node
from intaglio.ir.rewrite import Replacement, apply
from intaglio.numerics.rounding import Rounding, round_real
from intaglio.numerics.types import IntType
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.clip import Clip
from intaglio.ops.fake_quantize import FakeQuantize
from intaglio.ops.function import Function
from intaglio.ops.relu import Relu
from intaglio.passes.dead_code import dead_code

#: What rounds, and how.
ROUNDINGS = {"round": Rounding.HALF_EVEN, "floor": Rounding.FLOOR, "ceil": Rounding.CEIL}
#: The most codes there can be: float32 counts no further.
MOST = 1 << 24
#: Scales are products and quotients in float32, so that codes are not quite whole.
_TOLERANCE = 1e-6
_HALF = 0.5


@dataclass(frozen=True, eq=False)
class _Affine:
    """Scales, offsets and bounds one after the other: clip(x * scale + offset, low, high).

    Shapes: all [1] or [C].
    """

    scale: np.ndarray
    offset: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def none(cls) -> _Affine:
        return cls(np.ones(1), np.zeros(1), np.full(1, -np.inf), np.full(1, np.inf))

    def behind(self, graph: Graph, node: Node) -> _Affine | None:
        """Return a node's step and these behind it, or None if it is no such step."""
        match node.op:
            case BatchNorm():
                scale, offset = (
                    graph.constants[n].data.astype(np.float64) for n in node.inputs[1:]
                )
                moved = offset * self.scale + self.offset
                return _Affine(scale * self.scale, moved, self.low, self.high)
            case Clip():
                return self._bounded(node.op.low, node.op.high)
            case Relu():
                return self._bounded(0.0, math.inf)
            case _:
                return None

    def _bounded(self, low: float, high: float) -> _Affine:
        ends = (np.clip(end * self.scale + self.offset, self.low, self.high) for end in (low, high))
        return _Affine(self.scale, self.offset, *ends)


def name_quantizers(graph: Graph) -> Graph:
    """Replace what ends in a quantizer's result by the quantizer; the value keeps its name."""

    def rule(graph: Graph, node: Node) -> Replacement | None:
        rounding, after = node, _Affine.none()
        while (how := _rounding(rounding)) is None:
            behind, source = after.behind(graph, rounding), rounding.inputs[0]
            if behind is None or source not in graph.producers:
                return None
            rounding, after = graph.producers[source], behind
            if isinstance(rounding.op, FakeQuantize):
                own = _bounded(rounding.op, after)
                if own is None:
                    return None
                return Replacement((replace(node, op=own, inputs=rounding.inputs),))
        for source, before in _before(graph, rounding):
            if found := _quantizer(before, how, after):
                return Replacement((Node(node.name, found, (source,), node.origin),))
        return None

    named = apply(graph, rule)
    return graph if named.nodes == graph.nodes else dead_code(named)


def _rounding(node: Node) -> Rounding | None:
    return ROUNDINGS.get(node.op.kind) if isinstance(node.op, Function) else None


def _before(graph: Graph, rounding: Node) -> Iterator[tuple[str, _Affine]]:
    """Yield the values before a rounding, the nearest first, and what is done from there to it."""
    source, steps = rounding.inputs[0], _Affine.none()
    while True:
        yield source, steps
        node = graph.producers.get(source)
        behind = None if node is None else steps.behind(graph, node)
        if node is None or behind is None:
            return
        source, steps = node.inputs[0], behind


def _quantizer(before: _Affine, how: Rounding, after: _Affine) -> FakeQuantize | None:
    """Return the quantizer that a rounding is with what stands around it, if it is one."""
    zero = before.offset
    if np.any(after.scale <= 0) or np.any(np.abs(before.scale * after.scale - 1) > _TOLERANCE):
        return None
    inner = [round_real(end, how) for end in (before.low, before.high)]
    outer = [(end - after.offset) / after.scale for end in (after.low, after.high)]
    low, high = np.maximum(inner[0], outer[0]), np.minimum(inner[1], outer[1])
    if how is Rounding.FLOOR and _whole(zero - _HALF) is not None:
        how, zero = Rounding.HALF_UP, zero - _HALF
    found = [_whole(number) for number in (zero, -after.offset / after.scale, low, high)]
    if any(number is None for number in found):
        return None
    first, last, least, most = (int(number) for number in found if number is not None)
    if first != last or not least <= most < least + MOST:
        return None
    own = after.scale.astype(np.float32)
    scale = tuple(float(s) for s in (own[:1] if np.all(own == own[0]) else own))
    if first:
        return FakeQuantize(scale, first, least, most, how, offset_first=True)
    moved = _moved(least, most)
    return FakeQuantize(scale, moved, least + moved, most + moved, how)


def _bounded(op: FakeQuantize, after: _Affine) -> FakeQuantize | None:
    """Return a quantizer with the bounds behind it, if they are codes and all that is there."""
    if np.any(after.scale != 1) or np.any(after.offset != 0):
        return None
    scale = np.array(op.scale)
    ends = [end / scale + op.zero_point for end in (after.low, after.high)]
    low, high = (_whole(np.clip(end, op.low, op.high)) for end in ends)
    return None if low is None or high is None else replace(op, low=low, high=high)


def _whole(numbers: np.ndarray) -> int | None:
    """Return the integer that all numbers are, if they are one."""
    near = np.rint(numbers)
    if not np.isfinite(near).all() or np.any(near != near[0]):
        return None
    off = np.abs(numbers - near) > _TOLERANCE * np.maximum(1, np.abs(near))
    return None if off.any() else int(near[0])


def _moved(low: int, high: int) -> int:
    """Return the zero point with which codes take the fewest bits."""
    width = (high - low).bit_length()
    fits = low >= 0 or IntType.holding(low, high).width <= width
    return 0 if fits else -low
