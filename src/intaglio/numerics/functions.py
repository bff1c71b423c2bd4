# SPDX-License-Identifier: Apache-2.0
"""Functions of one real number, by name: what an activation function or a unary operator computes.

Every formula is computed in float64, in the form that loses no digits where the plain one would
(`erfc` instead of `1 + erf`, `log(1 + exp(x))` without the overflow).

    elu            x if x > 0 else alpha * (exp(x) - 1)
    gelu           x * (1 + erf(x / sqrt(2))) / 2
    gelu_tanh      x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2
    hard_sigmoid   min(max(alpha * x + beta, 0), 1)
    hard_swish     x * min(max(x / 6 + 1/2, 0), 1)
    leaky_relu     x if x >= 0 else slope * x
    mish           x * tanh(softplus(x))
    round          the nearest integer, a half to the even one
    selu           gamma * elu(x)
    sigmoid        1 / (1 + exp(-x))
    silu           x * sigmoid(x)
    softplus       log(1 + exp(x))
    softsign       x / (1 + |x|)

Source: the formulas of the operators of the same names in ONNX opset 20; the gelu in two forms is
from Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)", 2016.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from intaglio.errors import ModelError


@dataclass(frozen=True)
class Formula:
    """How a function is computed from float64 x, and the names of its further parameters."""

    compute: Callable[..., np.ndarray]
    parameters: tuple[str, ...] = ()


def require_function(kind: str, parameters: Sequence[float]) -> None:
    """Check that there is a function of a name, and that it can have these parameters.

    Raises:
        ModelError: it is unknown, or takes another number of parameters, or one is not finite.
    """
    if kind not in FORMULAS:
        raise ModelError(f"a function must be one of {', '.join(FORMULAS)}, not {kind!r}")
    names = FORMULAS[kind].parameters
    if len(parameters) != len(names):
        wanted = f"parameters {', '.join(names)}" if names else "no parameters"
        raise ModelError(f"{kind} must have {wanted}, not {list(parameters)}")
    for name, number in zip(names, parameters, strict=True):
        if not math.isfinite(number):
            raise ModelError(f"{name} of {kind} must be finite, not {number}")


def apply(kind: str, parameters: Sequence[float], x: np.ndarray) -> np.ndarray:
    """Compute a function of every element.

    Exactness: float64. Where a function has no value the result is NaN, at a pole infinite.
    """
    compute = FORMULAS[kind].compute
    flat = np.asarray(x).reshape(-1)
    result = np.empty(flat.shape)
    with np.errstate(all="ignore"):
        for start in range(0, flat.size, _PIECE):  # some formulas take much memory meanwhile
            piece = slice(start, start + _PIECE)
            result[piece] = compute(flat[piece].astype(np.float64), *parameters)
    return result.reshape(np.shape(x))


_PIECE = 1 << 16
_erf = np.frompyfunc(math.erf, 1, 1)
_erfc = np.frompyfunc(math.erfc, 1, 1)


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(0.0, x)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.exp(-_softplus(-x))


def _elu(x: np.ndarray, alpha: float) -> np.ndarray:
    return np.where(x > 0.0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def _gelu_tanh(x: np.ndarray) -> np.ndarray:
    # (1 + tanh(u)) / 2 is sigmoid(2 u), which keeps its digits far below zero.
    return x * _sigmoid(2.0 * math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3))


FORMULAS: Mapping[str, Formula] = {
    "abs": Formula(np.abs),
    "ceil": Formula(np.ceil),
    "cos": Formula(np.cos),
    "elu": Formula(_elu, ("alpha",)),
    "erf": Formula(lambda x: np.asarray(_erf(x), dtype=np.float64)),
    "exp": Formula(np.exp),
    "floor": Formula(np.floor),
    "gelu": Formula(lambda x: x * np.asarray(_erfc(-x / math.sqrt(2.0)), dtype=np.float64) / 2.0),
    "gelu_tanh": Formula(_gelu_tanh),
    "hard_sigmoid": Formula(
        lambda x, alpha, beta: np.clip(alpha * x + beta, 0.0, 1.0), ("alpha", "beta")
    ),
    "hard_swish": Formula(lambda x: x * np.clip(x / 6.0 + 0.5, 0.0, 1.0)),
    "leaky_relu": Formula(lambda x, slope: np.where(x < 0.0, slope * x, x), ("slope",)),
    "log": Formula(np.log),
    "mish": Formula(lambda x: x * np.tanh(_softplus(x))),
    "power": Formula(np.power, ("exponent",)),
    "reciprocal": Formula(np.reciprocal),
    "round": Formula(np.rint),
    "selu": Formula(lambda x, alpha, gamma: gamma * _elu(x, alpha), ("alpha", "gamma")),
    "sigmoid": Formula(_sigmoid),
    "sign": Formula(np.sign),
    "silu": Formula(lambda x: x * _sigmoid(x)),
    "sin": Formula(np.sin),
    "softplus": Formula(_softplus),
    "softsign": Formula(lambda x: x / (1.0 + np.abs(x))),
    "sqrt": Formula(np.sqrt),
    "square": Formula(np.square),
    "tanh": Formula(np.tanh),
}
