# SPDX-License-Identifier: Apache-2.0
"""The program while it grows out of a network with quantizers of its own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from intaglio.errors import ModelError, QuantizationError
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.types import Quantization, TensorType
from intaglio.numerics.scale import MULTIPLIER_BITS
from intaglio.numerics.types import IntType
from intaglio.ops.clip import Clip
from intaglio.ops.lookup import MAX_WIDTH, Lookup
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from intaglio.ops.requantize_affine import RequantizeAffine
from intaglio.quantize.declared.carrier import Carrier
from intaglio.quantize.declared.entrance import entrance
from intaglio.quantize.declared.fit import (
    WIDEST,
    Fit,
    fit,
    fit_nearest,
    fit_ties,
    integer_thresholds,
)
from intaglio.quantize.declared.sources import Entrance, Layer, Made, code_range
from intaglio.quantize.declared.steps import Steps
from intaglio.quantize.declared.sums import Sum, quantize_sum, settle_sum

#: How far an offset may be from whole steps to be taken as that: what float32 makes of a bias that
#: was stored as an integer.
_WHOLE = 2.0**-20
#: Bits that weights get, where their accumulator's steps are too coarse for a rectifier.
FINEST = 6
#: Bits that a result gets for addends that are no whole steps.
ADDEND_BITS = 8
#: Codes of so many bits are those of results: they are met as nearly as can be, where no
#: multiplier meets all of their thresholds.
WIDE_BITS = 12
#: Scores of channels with scales of their own are compared at this part of the largest.
SCORE_BITS = 16


@dataclass
class Lowering:
    """What is made so far. Only `integers` sees it; it ends in `program`."""

    graph: Graph
    exact: bool = True
    notes: list[str] = field(default_factory=list)
    carriers: dict[str, Carrier] = field(default_factory=dict)
    types: dict[str, TensorType] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Constant] = field(default_factory=dict)
    meaning: dict[str, Quantization] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)

    def program(self) -> Program:
        """Return the finished program."""
        inputs = tuple(Value(v.name, self.types[v.name]) for v in self.graph.inputs)
        graph = replace(
            self.graph,
            inputs=inputs,
            nodes=tuple(self.nodes),
            outputs=tuple(self.outputs[name] for name in self.graph.outputs),
            constants=dict(self.constants),
        )
        return Program(graph, dict(self.meaning), tuple(self.notes))

    # --- adding ----------------------------------------------------------------------------------

    def constant(self, name: str, constant: Constant) -> str:
        """Add a constant and return its name."""
        self.constants[name] = constant
        self.types[name] = constant.type
        return name

    def emit(self, node: Node) -> Made:
        """Add an operator on integers.

        Raises:
            ModelError: its integers would be wider than any supported.
        """
        try:
            type_ = node.op.infer(*(self.types[name] for name in node.inputs))
        except ModelError as error:
            raise ModelError(f"{node}: {error}") from None
        self.types[node.name] = type_
        self.nodes.append(node)
        return Made(node.name, type_.integer)

    def multiply(
        self, name: str, x: Made, multiplier: np.ndarray, shift: int, zero: int, element: IntType
    ) -> Made:
        """Add a requantize; channels with one multiplier share it."""
        factors = multiplier[:1] if np.all(multiplier == multiplier[0]) else multiplier
        factor = self.constant(f"{name}.multiplier", Constant.integers(factors))
        return self.emit(Node(name, Requantize(shift, zero, element), (x.name, factor)))

    def rescale(
        self, name: str, x: Made, multiplier: np.ndarray, found: Fit, zero: int, element: IntType
    ) -> Made:
        """Add a requantize with an addend for each channel."""
        operands = []
        for key, numbers in (("multiplier", multiplier), ("addend", found.addend)):
            shared = numbers[:1] if np.all(numbers == numbers[0]) else numbers
            operands.append(self.constant(f"{name}.{key}", Constant.integers(shared)))
        op = RequantizeAffine(found.shift, zero, element, found.ties)
        return self.emit(Node(name, op, (x.name, *operands)))

    def _moved(self, name: str, x: Made, multiplier: np.ndarray, addend: np.ndarray) -> Made:
        """Multiply and move each channel by integers, exactly."""
        ends = np.array([x.element.min, x.element.max])[:, None] * multiplier + addend
        element = IntType.holding(int(ends.min()), int(ends.max()))
        plain = Fit(multiplier, addend, 0, None)
        return self.rescale(name, x, multiplier, plain, 0, element)

    def carry(self, name: str, carrier: Carrier) -> None:
        """Declare what carries a float value, and what its integers mean where that has a form."""
        self.carriers[name] = carrier
        if isinstance(carrier.source, Made) and not carrier.bounded:
            self.mean(carrier.source.name, carrier.scale, carrier.offset)

    def mean(self, name: str, scale: np.ndarray, offset: np.ndarray) -> None:
        """Record the meaning of integers that have one zero point, and positive scales."""
        if name in self.meaning:  # the input keeps that by which data enters
            return
        zero = -offset / scale
        if np.all(scale > 0) and np.all(zero == zero[0]) and zero[0] == np.rint(zero[0]):
            scales = scale[:1] if np.all(scale == scale[0]) else scale
            self.meaning[name] = Quantization(tuple(scales.tolist()), int(zero[0]))

    # --- integers of a value ---------------------------------------------------------------------

    def settled(self, node: Node, name: str) -> Carrier:
        """Return a value with integers of the program, unbounded and with positive scales.

        Raises:
            QuantizationError: it cannot be had exactly; the text says what is missing.
        """
        carrier = self.carriers[name]
        if isinstance(carrier.source, Entrance):
            raise QuantizationError(
                f"{node} must read a value with a quantizer, not the input {name!r} as it is: "
                "give calibration data, or quantize the input in the model"
            )
        if isinstance(carrier.source, Sum):
            settled = settle_sum(self, carrier, carrier.source)
            if settled is None:
                raise QuantizationError(
                    f"{node} must read a sum with a quantizer behind it, or of values of one scale"
                )
            carrier = settled
        if isinstance(carrier.source, Layer):
            carrier = self._finished(name, carrier)
        if carrier.bounded:
            carrier = self._clipped(node, name, carrier)
        self.carry(name, carrier)
        return carrier

    def _finished(self, name: str, carrier: Carrier) -> Carrier:
        """Emit a layer, with the part of its bias that is whole steps."""
        source = carrier.source
        if not isinstance(source, Layer):
            raise TypeError(source)
        channels = len(source.codes)
        scale, offset = (np.broadcast_to(a, channels) for a in (carrier.scale, carrier.offset))
        flipped, sizes = scale < 0, np.abs(scale)
        steps = np.divide(offset, sizes, out=np.zeros(channels), where=sizes > 0)
        whole = np.rint(steps)
        exact = np.abs(steps - whole) <= _WHOLE * np.maximum(np.abs(steps), 1)
        bias = np.where(exact & (np.abs(whole) < 2**31), whole, 0).astype(np.int64)
        value = "" if carrier.bounded or (bias != whole).any() else name
        made = source.emit(self, bias, flipped, value)
        rest = np.where(exact, 0.0, offset)
        return replace(carrier, source=made, scale=sizes, offset=rest)

    def _clipped(self, node: Node, name: str, carrier: Carrier) -> Carrier:
        """Do a rectifier on codes, where its bounds are codes."""
        source = carrier.source
        if not isinstance(source, Made):
            raise TypeError(source)
        bounds = []
        for bound, end in ((carrier.low, source.element.min), (carrier.high, source.element.max)):
            codes = np.where(np.isfinite(bound), (bound - carrier.offset) / carrier.scale, end)
            near = np.clip(np.rint(codes), source.element.min, source.element.max)
            inside = (codes > source.element.min) & (codes < source.element.max)
            if np.any(near != near[0]) or np.any(inside & (np.abs(codes - near) > _WHOLE)):
                raise QuantizationError(
                    f"{node} must read a value whose rectifier has a quantizer behind it: "
                    f"the bounds of {name!r} lie between its integers"
                )
            bounds.append(int(near[0]))
        made = self.emit(Node(f"{name}.clip", Clip(*bounds), (source.name,)))
        return Carrier.of(made, carrier.scale, carrier.offset)

    def scores(self, node: Node, name: str) -> Carrier:
        """Return a value whose codes have the order of its numbers, channels among each other.

        Exactness: as it is where all channels have one map but for whole steps; otherwise numbers
        are rounded to multiples of a 2^-16th part of the largest scale.
        """
        carrier = self.settled(node, name)
        if carrier.uniform:
            return carrier
        source = carrier.source
        if not isinstance(source, Made):
            raise TypeError(source)
        channels = self.graph.types[name].channels
        scale, offset = (np.broadcast_to(a, channels) for a in (carrier.scale, carrier.offset))
        unit = float(scale.max()) * 2.0**-SCORE_BITS
        factors, addends = (np.rint(a / unit).astype(np.int64) for a in (scale, offset))
        made = self._moved(f"{node.name}.scores", source, np.maximum(factors, 1), addends)
        return Carrier.of(made, np.array([unit]), np.zeros(1))

    def finish(self, name: str) -> None:
        """Declare what an output of the network is in the program.

        Exactness: an addend that is no whole number of steps is rounded to one where all channels
        have the same, which keeps their order, or else to a 2^-8th part of one; a note says so.
        """
        node = self.graph.producers[name]
        carrier = self.carriers[name]
        if isinstance(carrier.source, Sum):
            carrier = settle_sum(self, carrier, carrier.source) or carrier
        carrier = _doubled(halved(self, carrier))
        if carrier.uniform:
            carrier = self._rounded(node, carrier, 0)
        self.carriers[name] = carrier
        if not _whole_steps(carrier):
            self.carriers[name] = self._finer(node, name, carrier)
        settled = self.settled(node, name)
        source = settled.source
        if not isinstance(source, Made):
            raise TypeError(source)
        ends = [value.name for value in self.graph.inputs] + list(self.outputs.values())
        if source.name not in ends:  # a result means what the network makes of it behind its codes
            self.meaning.pop(source.name, None)
        self.mean(source.name, settled.scale, settled.offset)
        if source.name not in self.meaning:
            source = self._finer(node, name, settled).source
        if not isinstance(source, Made):
            raise TypeError(source)
        self.outputs[name] = source.name

    def _rounded(self, node: Node, carrier: Carrier, bits: int) -> Carrier:
        """Return a carrier whose addend is of whole steps, or of such parts of them."""
        if _whole_steps(carrier):
            return carrier
        step = np.where(carrier.scale == 0, 1.0, np.abs(carrier.scale)) / 2.0**bits
        self.notes.append(
            f"{node}: what is added to the result is rounded to a multiple of "
            f"{float(step.max()):.3g} at most"
        )
        return replace(carrier, offset=np.rint(carrier.offset / step) * step)

    def _finer(self, node: Node, name: str, carrier: Carrier) -> Carrier:
        """Give a result steps so fine that each channel's addend is of whole ones."""
        free = replace(carrier, low=np.array([-np.inf]), high=np.array([np.inf]))
        if isinstance(free.source, Layer):
            free = self._finished("", free)
        source = free.source
        if not isinstance(source, Made):
            raise TypeError(source)
        bits = 0 if _whole_steps(free) else ADDEND_BITS
        free = self._rounded(node, free, bits)
        channels = self.graph.types[name].channels
        scale, offset = (np.broadcast_to(a, channels) for a in (free.scale, free.offset))
        step = np.where(scale == 0, 1.0, scale) / 2.0**bits
        factor = np.where(scale == 0, 0, 1 << bits)
        value = name if name not in self.types else f"{name}.moved"
        made = self._moved(value, source, factor, np.rint(offset / step).astype(np.int64))
        self.mean(made.name, step, np.zeros(channels))
        return Carrier(made, step, np.zeros(channels), carrier.low, carrier.high)

    # --- a quantizer -----------------------------------------------------------------------------

    def quantize(self, node: Node, name: str, steps: Steps) -> Carrier:
        """Add what gives each integer of a value its code.

        Raises:
            QuantizationError: no multiplication and shift do.
        """
        carrier = self.carriers[name]
        if isinstance(carrier.source, Entrance):
            return entrance(self, node, carrier, steps)
        if isinstance(carrier.source, Sum):
            settled = settle_sum(self, carrier, carrier.source)
            if settled is None:
                return quantize_sum(self, node, carrier, carrier.source, steps)
            carrier = settled
        channels = self.graph.types[name].channels
        scale, offset = (np.broadcast_to(a, channels) for a in (carrier.scale, carrier.offset))
        given, steps = steps, _reachable(steps.clipped(carrier.low, carrier.high), channels)
        flipped, size = scale < 0, np.abs(scale)
        # A channel that is multiplied by 0 is its offset: any step will do.
        size = np.where(size == 0, 1.0, size)
        element = _both_signs(carrier.source.element) if flipped.any() else carrier.source.element
        least = integer_thresholds(size, offset, steps, element)
        least = np.where((scale == 0)[:, None], _constant(steps, offset, element), least)
        least, steps = _needed(least, steps, element)
        if isinstance(carrier.source, Made) and _same(least, steps, element, flipped):
            return Carrier.of(carrier.source, steps.scale, steps.offset)
        found = fit(least, size / steps.scale, element, WIDEST if self.exact else MULTIPLIER_BITS)
        found = found or fit_ties(size, offset, steps, least, element)
        cut = found is None and bool(np.isinf(steps.thresholds).any())
        if cut and (rectified := self._rectified(node, carrier, given)):
            self.carriers[name] = rectified
            return self.quantize(node, name, given)
        if found is None and (not self.exact or least.shape[1] >= 1 << WIDE_BITS):
            bits = WIDEST if self.exact else MULTIPLIER_BITS
            found, other = fit_nearest(least, size / steps.scale, element, bits)
            self.notes.append(
                f"{node}: of the accumulators of a channel, which are of {element}, "
                f"{other} at most get the code next to theirs"
            )
        if found is None:
            raise QuantizationError(
                f"{node} must have evenly spaced thresholds, to be one multiplication and a shift; "
                "they are not"
            )
        made = self._staircase(node, carrier, steps, found, flipped)
        return Carrier.of(made, steps.scale, steps.offset)

    def _rectified(self, node: Node, carrier: Carrier, steps: Steps) -> Carrier | None:
        """Rectify a layer's accumulator, where each channel has its own code for what is cut off.

        The bias moves the last integer that is cut to zero, so that one relu does it for all. That
        integer must have the code of the bound itself, so where steps of the accumulator are too
        coarse, weights get more bits.
        """
        source = carrier.source
        if not isinstance(source, Layer):
            return None
        channels = len(source.codes)
        scale, offset, low, high = (
            np.broadcast_to(a, channels)
            for a in (carrier.scale, carrier.offset, carrier.low, carrier.high)
        )
        bound, other = np.where(scale > 0, low, high), np.where(scale > 0, high, low)
        if np.isfinite(other).any() or not np.isfinite(bound).all() or np.any(scale == 0):
            return None
        wanted = steps.reached(bound[:, None]).sum(axis=1)
        for finer in range(FINEST + 1):
            step = scale / 2.0**finer
            place, cut = (bound - offset) / step, np.full(channels, np.nan)
            for near in (np.ceil(place), np.floor(place)):
                code = steps.reached((step * near + offset)[:, None]).sum(axis=1)
                cut = np.where(code == wanted, near, cut)
            if not np.isnan(cut).any():
                break
        else:
            return None
        layer = replace(source, codes=source.codes << finer)
        made = layer.emit(self, -cut.astype(np.int64), np.zeros(channels, dtype=bool))
        relu = self.emit(Node(f"{node.name}.relu", Relu(), (made.name,)))
        return Carrier.of(relu, step, offset + step * cut)

    def _staircase(
        self, node: Node, carrier: Carrier, steps: Steps, found: Fit, flipped: np.ndarray
    ) -> Made:
        low, high = steps.lowest, steps.highest
        element = code_range(low, high)
        exact = (element.min, element.max) == (low, high) or low == high
        name = node.name if exact else f"{node.name}.wide"
        source, whole, signs = carrier.source, found.whole, np.where(flipped, -1, 1)
        if isinstance(source, Layer):
            bias = np.zeros(len(flipped), dtype=np.int64) if whole is None else whole
            x, direct, signs = source.emit(self, bias, flipped), whole is not None, np.abs(signs)
        elif isinstance(source, Made):
            x, direct = source, whole is not None and not whole.any() and not flipped.any()
        else:
            raise TypeError(source)
        if direct:
            made = self.multiply(name, x, found.multiplier, found.shift, low, element)
        else:
            factors = found.multiplier * signs
            made = self.rescale(name, x, factors, found, low, element)
        return made if exact else self.emit(Node(node.name, Clip(low, high), (made.name,)))


def _whole_steps(carrier: Carrier) -> bool:
    """Tell whether a carrier's addend is a number of whole steps of its integers."""
    steps = carrier.offset / np.where(carrier.scale == 0, 1.0, np.abs(carrier.scale))
    near = np.abs(steps - np.rint(steps)) <= _WHOLE * np.maximum(np.abs(steps), 1)
    return bool(np.all(near & (carrier.scale != 0)))


def halved(lowering: Lowering, carrier: Carrier) -> Carrier:
    """Return codes around zero by a table, where zero lies between two of them, as of -1 and 1."""
    source, steps = carrier.source, -carrier.offset[0] / carrier.scale[0]
    between = carrier.uniform and steps != np.rint(steps) and 2 * steps == np.rint(2 * steps)
    if not between or not isinstance(source, Made) or source.element.width > MAX_WIDTH:
        return carrier
    name = f"{source.name}.codes"
    if name in lowering.types:
        made = Made(name, lowering.types[name].integer)
    else:
        codes = np.arange(source.element.min, source.element.max + 1)
        table = 2 * codes - round(2 * steps)
        element = code_range(int(table.min()), int(table.max()))
        operand = lowering.constant(f"{name}.table", Constant(table, element))
        made = lowering.emit(Node(name, Lookup(source.element.min), (source.name, operand)))
    return replace(carrier, source=made, scale=carrier.scale / 2, offset=np.zeros(1))


def _doubled(carrier: Carrier) -> Carrier:
    """Return a layer with twice its weights, where its addend is of half steps."""
    source, steps = carrier.source, carrier.offset / np.where(carrier.scale == 0, 1, carrier.scale)
    if not isinstance(source, Layer) or np.all(steps == np.rint(steps)):
        return carrier
    if not np.all(2 * steps == np.rint(2 * steps)):
        return carrier
    twice = replace(source, codes=2 * source.codes)
    return replace(carrier, source=twice, scale=carrier.scale / 2)


def _both_signs(element: IntType) -> IntType:
    reach = max(-element.min, element.max)
    return IntType.holding(-reach, reach)


def _reachable(steps: Steps, channels: int) -> Steps:
    """Spread a staircase over the channels."""
    shape = (channels, steps.thresholds.shape[1])
    return replace(
        steps,
        thresholds=np.broadcast_to(steps.thresholds, shape),
        scale=np.broadcast_to(steps.scale, channels),
        offset=np.broadcast_to(steps.offset, channels),
    )


def _constant(steps: Steps, offset: np.ndarray, element: IntType) -> np.ndarray:
    """Return the thresholds of channels that have one value: reached by all integers, or none."""
    return np.where(steps.reached(offset[:, None]), element.min, element.max + 1)


def _needed(least: np.ndarray, steps: Steps, element: IntType) -> tuple[np.ndarray, Steps]:
    """Leave out the levels that every integer of every channel is above, or below."""
    first = int((least <= element.min).all(axis=0).sum())
    last = int((least <= element.max).any(axis=0).sum())
    kept = slice(first, max(last, first))
    return least[:, kept], replace(
        steps,
        thresholds=steps.thresholds[:, kept],
        inclusive=steps.inclusive[kept],
        lowest=steps.lowest + first,
    )


def _same(least: np.ndarray, steps: Steps, element: IntType, flipped: np.ndarray) -> bool:
    """Tell whether each integer is its own code already."""
    own = np.arange(steps.lowest + 1, steps.highest + 1)
    ends = (element.min, element.max) == (steps.lowest, steps.highest)
    return bool(ends and not flipped.any() and np.all(least == own))
