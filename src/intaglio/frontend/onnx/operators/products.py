# SPDX-License-Identifier: Apache-2.0
"""Products and sums with constants, as ONNX has them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from intaglio.frontend.builder import Activation, Site, UnsupportedError
from intaglio.frontend.layers import pointwise, products
from intaglio.frontend.onnx.call import Call, Operators, Result


def _gemm(call: Call) -> Result:
    x, weight = call.activation(), call.weights(1)
    if call.flag("transA", 0):
        raise UnsupportedError("transA must be 0")
    if weight.ndim != 2:
        raise UnsupportedError(f"its matrix must have two axes, not {list(weight.shape)}")
    matrix = weight if call.flag("transB", 0) else weight.T
    alpha, beta = call.number("alpha", 1.0), call.number("beta", 1.0)
    matrix = matrix * alpha if alpha != 1 else matrix
    if len(call.operands) > 2 and isinstance(call.operands[2], Activation):
        names = (f"{call.site.name}_product", f"{call.site.name}_addend")
        made = products.matmul(call.builder, x, matrix, None, Site(names[0], ""))
        addend = call.activation(2)
        if beta != 1:
            addend = pointwise.scaled(call.builder, addend, beta, 0.0, Site(names[1], ""))
        return pointwise.add(call.builder, made, addend, call.site)
    bias = None if call.optional(2) is None else beta * call.vector(2, len(matrix))
    return products.matmul(call.builder, x, matrix, bias, call.site)


def _matmul(call: Call) -> Result:
    if _both(call):
        x, y = call.activation(0), call.activation(1)
        return products.matmul_of_two(call.builder, x, y, call.site)
    if not isinstance(call.operands[0], Activation):
        raise UnsupportedError("the constant matrix must be the second operand", "Gemm")
    weight = call.weights(1)
    if weight.ndim != 2:
        raise UnsupportedError(f"its matrix must have two axes, not {list(weight.shape)}")
    return products.matmul(call.builder, call.activation(), weight.T, None, call.site)


def _add(call: Call) -> Result:
    if _both(call):
        return pointwise.add(call.builder, call.activation(0), call.activation(1), call.site)
    return _affine(call, lambda constant: (np.ones(1), constant))


def _subtract(call: Call) -> Result:
    if _both(call):
        return pointwise.subtract(call.builder, call.activation(0), call.activation(1), call.site)
    if isinstance(call.operands[0], Activation):
        return _affine(call, lambda constant: (np.ones(1), -constant))
    return _affine(call, lambda constant: (-np.ones(1), constant))


def _multiply(call: Call) -> Result:
    if _both(call):
        return pointwise.multiply(call.builder, call.activation(0), call.activation(1), call.site)
    return _affine(call, lambda constant: (constant, np.zeros(1)))


def _divide(call: Call) -> Result:
    if _both(call):
        return pointwise.divide(call.builder, call.activation(0), call.activation(1), call.site)
    if not isinstance(call.operands[0], Activation):
        inner = Site(f"{call.site.name}_inverse", "")
        x = pointwise.function(call.builder, "reciprocal", (), call.activation(1), inner)
        constant, none = call.weights(0).astype(np.float64), np.zeros(1)
        return products.affine(call.builder, x, constant, none, call.site, sole=False)
    if not np.all(call.weights(1)):
        raise UnsupportedError("the divisor must not be 0")
    return _affine(call, lambda constant: (1 / constant, np.zeros(1)))


def _negate(call: Call) -> Result:
    return pointwise.scaled(call.builder, call.activation(), -1.0, 0.0, call.site)


def _sum(call: Call) -> Result:
    return _total(call, call.site)


def _mean(call: Call) -> Result:
    total = _total(call, Site(f"{call.site.name}_sum", ""))
    return pointwise.scaled(call.builder, total, 1 / len(call.operands), 0.0, call.site)


def _total(call: Call, site: Site) -> Activation:
    """Add any number of operands, constants last."""
    parts = [x for x in call.operands if isinstance(x, Activation)]
    addends = [i for i, x in enumerate(call.operands) if not isinstance(x, Activation)]
    inner = Site(f"{site.name}_values", "") if addends else site
    value = pointwise.total(call.builder, parts, inner)
    if not addends:
        return value
    offset = sum((call.weights(i).astype(np.float64) for i in addends), np.zeros(1))
    return products.affine(call.builder, value, np.ones(1), offset, site, sole=False)


def _both(call: Call) -> bool:
    """Tell whether both operands are computed by the network."""
    return all(isinstance(operand, Activation) for operand in call.operands[:2])


def _affine(call: Call, parts: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]) -> Result:
    """Turn an operation with a constant into a scale and an offset for each channel."""
    first = 0 if isinstance(call.operands[0], Activation) else 1
    constant = call.weights(1 - first).astype(np.float64)
    scale, offset = parts(constant)
    x, sole = call.activation(first), call.sole[first]
    return products.affine(call.builder, x, scale, offset, call.site, sole=sole)


def _batch_norm(call: Call) -> Result:
    if call.flag("training_mode", 0) or call.integer("spatial", 1) != 1:
        raise UnsupportedError("it must be the per-channel form for inference", "model.eval()")
    x = call.activation()
    gamma, beta, mean, variance = (call.weights(i).astype(np.float64) for i in (1, 2, 3, 4))
    sizes = {array.shape for array in (gamma, beta, mean, variance)}
    if not x.shape or sizes != {(x.shape[0],)}:
        raise UnsupportedError(f"its parameters must be four vectors of {list(x.shape[:1])}")
    total = variance + call.number("epsilon", 1e-5)
    if np.any(total <= 0):
        raise UnsupportedError(f"tensor {call.node.inputs[4]!r} must hold variances of at least 0")
    scale = gamma / np.sqrt(total)
    shape = (-1, *[1] * (len(x.shape) - 1))
    scales, offsets = scale.reshape(shape), (beta - mean * scale).reshape(shape)
    return products.affine(call.builder, x, scales, offsets, call.site, sole=call.sole[0])


OPERATORS: Operators = {
    ("", "Add"): _add,
    ("", "BatchNormalization"): _batch_norm,
    ("", "Div"): _divide,
    ("", "Gemm"): _gemm,
    ("", "MatMul"): _matmul,
    ("", "Mean"): _mean,
    ("", "Mul"): _multiply,
    ("", "Neg"): _negate,
    ("", "Sub"): _subtract,
    ("", "Sum"): _sum,
}
