# SPDX-License-Identifier: Apache-2.0
"""Quantizers of activations: those of this package, and those that torch itself exports.

Quantised weights need no reader: they are computed, and found to be multiples of a step.
"""

from __future__ import annotations

import numpy as np

from intaglio.frontend.aten.call import Call, Operators, Result
from intaglio.frontend.builder import Activation, UnsupportedError
from intaglio.frontend.layers.quantizers import Quantizer, fake_quantize
from intaglio.numerics.rounding import Rounding


def _ours(call: Call) -> Result:
    zero = call.array(2, "zero_point").reshape(-1)
    if np.any(zero != zero[0]):
        raise UnsupportedError("its zero points must be one for all channels")
    low, high = (int(call.number(index, key, 0)) for index, key in ((3, "low"), (4, "high")))
    rounding = Rounding(call.get(5, "rounding", "half_even"))
    how = Quantizer(call.array(1, "scale"), round(float(zero[0])), low, high, rounding)
    return _made(call, how)


def _per_tensor(call: Call) -> Result:
    """aten.fake_quantize_per_tensor_affine: half to even, before the zero point is added."""
    scale, zero, low, high = (call.number(index, "", 0.0) for index in range(1, 5))
    return _made(call, Quantizer(np.array([scale]), round(zero), round(low), round(high)))


def _made(call: Call, how: Quantizer) -> Activation:
    made = fake_quantize(call.builder, call.activation(), how, call.site)
    if not isinstance(made, Activation):
        raise TypeError(made)
    return made


OPERATORS: Operators = {
    "aten.fake_quantize_per_tensor_affine": _per_tensor,
    "intaglio.fake_quantize": _ours,
}
