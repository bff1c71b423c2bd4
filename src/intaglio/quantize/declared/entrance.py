# SPDX-License-Identifier: Apache-2.0
"""The integers that a program is given: real data through the network's own first quantizer.

A program's entrance rounds half up and saturates: code = floor(x / scale + 0.5) + zero_point. A
quantizer of evenly spaced thresholds, with one scale and offset in front, is of that form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intaglio.errors import QuantizationError
from intaglio.ir.graph import Node
from intaglio.ir.types import Quantization, TensorType
from intaglio.quantize.declared.carrier import Carrier
from intaglio.quantize.declared.sources import Made, code_range
from intaglio.quantize.declared.steps import Steps

if TYPE_CHECKING:
    from intaglio.quantize.declared.lowering import Lowering

#: How far a zero point may be from an integer: what float32 makes of one.
_WHOLE = 1e-5
#: Stands for a threshold at zero: numbers nearer to zero than half of it do not occur.
_TINY = 2.0**-120


def entrance(lowering: Lowering, node: Node, carrier: Carrier, steps: Steps) -> Carrier:
    """Let the program be given the codes of this quantizer.

    Raises:
        QuantizationError: its codes are not those of a scale and a whole zero point.
    """
    (value,) = lowering.graph.inputs
    if not carrier.uniform or carrier.scale[0] <= 0 or steps.thresholds.shape[0] > 1:
        raise _refusal(node, "its scales differ by channel")
    # A bound in front only matters where it lies inside the codes.
    steps = steps.clipped(carrier.low, carrier.high)
    finite = np.isfinite(steps.thresholds[0])
    first = int((steps.thresholds[0] == -np.inf).sum())
    places = (steps.thresholds[0][finite] - carrier.offset[0]) / carrier.scale[0]
    low, high = steps.lowest + first, steps.lowest + first + len(places)
    if len(places) == 0:
        raise _refusal(node, "it has one code only")
    step, zero = _spacing(node, places, low)
    element = code_range(low, high)
    if (element.min, element.max) != (low, high):
        raise _refusal(node, f"its codes {low}..{high} are not those of a type")
    lowering.types[value.name] = TensorType(value.type.shape, element)
    lowering.meaning[value.name] = Quantization((step,), zero)
    return Carrier.of(Made(value.name, element), steps.scale, steps.offset)


def _spacing(node: Node, places: np.ndarray, low: int) -> tuple[float, int]:
    """Return step and zero point of the thresholds between codes low, low + 1 and so on."""
    if len(places) > 1:
        step = float((places[-1] - places[0]) / (len(places) - 1))
        if np.abs(np.diff(places) - step).max() > _WHOLE * step:
            raise _refusal(node, "its thresholds are not evenly spaced")
        # The first threshold is (low + 1 - zero - 0.5) * step.
        zero = low + 0.5 - places[0] / step
        if abs(zero - round(zero)) > _WHOLE * max(1.0, abs(zero)):
            raise _refusal(node, f"its zero point is {zero:.6g}, no whole number")
        return step, round(zero)
    # One threshold: a step twice as large as its distance from zero has it in the middle.
    place = float(places[0])
    if place > 0:
        return 2 * place, low
    return (-2 * place if place < 0 else _TINY), low + 1


def _refusal(node: Node, why: str) -> QuantizationError:
    return QuantizationError(
        f"{node} must have codes that an input can be given in: {why}; "
        "give calibration data, so that the input gets codes of its own"
    )
