# SPDX-License-Identifier: Apache-2.0
"""Any scale, any zero point: the codes are spread evenly over the range.

    scale = (high - low) / (levels - 1)        zero_point = round_half_up(min - low / scale)

The zero point is an integer, so zero is exact; the range moves by half a step at most, and what
sticks out at one end saturates. A range that starts at zero gets the lowest code as zero point, so
saturation does what a rectifier would.

Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", CVPR 2018, sections 2.1 and 3.
"""

from __future__ import annotations

import math

from intaglio.numerics.types import IntType
from intaglio.quantize.quantizer import Coding, Quantizer
from intaglio.quantize.ranges import Range


def activation(range_: Range, element: IntType) -> Coding:
    """Spread the codes of a type over a range."""
    scale = (range_.high - range_.low) / (element.max - element.min)
    if scale == 0.0:
        return Coding(element, 1.0, element.min)
    zero_point = math.floor(element.min - range_.low / scale + 0.5)
    return Coding(element, scale, min(max(zero_point, element.min), element.max))


def symmetric(magnitude: float, element: IntType) -> float:
    """Return the scale that puts a magnitude on the highest code."""
    scale = magnitude / element.max
    return scale if scale > 0.0 else 1.0


AFFINE = Quantizer("affine", activation, symmetric)
