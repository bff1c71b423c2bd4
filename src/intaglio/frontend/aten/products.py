# SPDX-License-Identifier: Apache-2.0
"""Products and sums with constants, as ATen has them."""

from __future__ import annotations

import math

import numpy as np

from intaglio.frontend.aten.call import Call, Operators, Result
from intaglio.frontend.builder import Activation, Site, UnsupportedError
from intaglio.frontend.layers import pointwise, products


def _linear(call: Call) -> Result:
    weight, bias = call.array(1, "weight"), call.optional(2, "bias")
    return products.matmul(call.builder, call.activation(), weight, bias, call.site)


def _addmm(call: Call) -> Result:
    bias, matrix = call.array(0, "input"), call.array(2, "mat2") * call.named.get("alpha", 1)
    if bias.size != math.prod(bias.shape[-1:]):
        raise UnsupportedError(f"its bias must be one number a channel, not {list(bias.shape)}")
    total = np.broadcast_to(bias.reshape(-1) * call.named.get("beta", 1), (matrix.shape[-1],))
    return products.matmul(call.builder, call.activation(1), matrix.T, total, call.site)


def _mm(call: Call) -> Result:
    if _both(call):
        x, y = call.activation(0), call.activation(1)
        return products.matmul_of_two(call.builder, x, y, call.site)
    return products.matmul(
        call.builder, call.activation(), call.array(1, "mat2").T, None, call.site
    )


def _add(call: Call) -> Result:
    alpha = float(call.get(2, "alpha", 1))
    if _both(call):
        if alpha != 1:
            raise UnsupportedError(f"alpha must be 1 between activations, not {alpha:g}")
        return pointwise.add(call.builder, call.activation(0), call.activation(1), call.site)
    if isinstance(call.get(0, ""), Activation):
        return _affine(call, 0, np.ones(1), alpha * call.array(1, "other"))
    return _affine(call, 1, np.full(1, alpha), call.array(0, "input"))


def _subtract(call: Call) -> Result:
    alpha = float(call.get(2, "alpha", 1))
    if _both(call):
        if alpha != 1:
            raise UnsupportedError(f"alpha must be 1 between activations, not {alpha:g}")
        return pointwise.subtract(call.builder, call.activation(0), call.activation(1), call.site)
    if isinstance(call.get(0, ""), Activation):
        return _affine(call, 0, np.ones(1), -alpha * call.array(1, "other"))
    return _affine(call, 1, np.full(1, -alpha), call.array(0, "input"))


def _reverse_subtract(call: Call) -> Result:
    alpha = float(call.get(2, "alpha", 1))
    return _affine(call, 0, np.full(1, -alpha), call.array(1, "other"))


def _multiply(call: Call) -> Result:
    if _both(call):
        return pointwise.multiply(call.builder, call.activation(0), call.activation(1), call.site)
    first = 0 if isinstance(call.get(0, ""), Activation) else 1
    return _affine(call, first, call.array(1 - first, "other"), np.zeros(1))


def _divide(call: Call) -> Result:
    if call.get(2, "rounding_mode") is not None:
        raise UnsupportedError("the quotient must not be rounded")
    if _both(call):
        return pointwise.divide(call.builder, call.activation(0), call.activation(1), call.site)
    if not isinstance(call.get(0, ""), Activation):
        inner = Site(f"{call.site.name}_inverse", "")
        x = pointwise.function(call.builder, "reciprocal", (), call.activation(1), inner)
        constant, none = call.array(0, "input"), np.zeros(1)
        return products.affine(call.builder, x, constant, none, call.site, sole=False)
    divisor = call.array(1, "other")
    if not np.all(divisor):
        raise UnsupportedError("the divisor must not be 0")
    return _affine(call, 0, 1 / divisor, np.zeros(1))


def _negate(call: Call) -> Result:
    return pointwise.scaled(call.builder, call.activation(), -1.0, 0.0, call.site)


def _both(call: Call) -> bool:
    """Tell whether both operands are computed by the network."""
    return all(isinstance(call.get(i, ""), Activation) for i in (0, 1))


def _affine(call: Call, index: int, scale: np.ndarray, offset: np.ndarray) -> Result:
    x = call.activation(index)
    return products.affine(call.builder, x, scale, offset, call.site, sole=all(call.sole))


def _batch_norm(call: Call) -> Result:
    if call.get(5, "training") is True:
        raise UnsupportedError("it must not be in training mode", "module.eval()")
    return _normalize(call, float(call.get(7, "eps", 1e-5)))


def _batch_norm_for_inference(call: Call) -> Result:
    return _normalize(call, float(call.get(6, "eps", 1e-5)))


def _normalize(call: Call, epsilon: float) -> Result:
    x = call.activation()
    mean, variance = call.array(3, "running_mean"), call.array(4, "running_var")
    gamma, beta = call.optional(1, "weight"), call.optional(2, "bias")
    if np.any(variance + epsilon <= 0):
        raise UnsupportedError("running_var must hold variances of at least 0")
    scale = (1.0 if gamma is None else gamma) / np.sqrt(variance + epsilon)
    offset = (0.0 if beta is None else beta) - mean * scale
    shape = (-1, *[1] * (len(x.shape) - 1))
    scales, offsets = scale.reshape(shape), offset.reshape(shape)
    return products.affine(call.builder, x, scales, offsets, call.site, sole=call.sole[0])


OPERATORS: Operators = {
    "aten._native_batch_norm_legit_no_training": _batch_norm_for_inference,
    "aten.add": _add,
    "aten.addmm": _addmm,
    "aten.batch_norm": _batch_norm,
    "aten.div": _divide,
    "aten.linear": _linear,
    "aten.bmm": _mm,
    "aten.matmul": _mm,
    "aten.mm": _mm,
    "aten.mul": _multiply,
    "aten.neg": _negate,
    "aten.rsub": _reverse_subtract,
    "aten.sub": _subtract,
}
