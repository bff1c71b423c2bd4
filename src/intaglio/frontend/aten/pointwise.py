# SPDX-License-Identifier: Apache-2.0
"""What works element by element, and argmax, as ATen has them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from intaglio.frontend.aten.call import Call, Operators, Result
from intaglio.frontend.builder import Dropped, UnsupportedError
from intaglio.frontend.geometry import (
    frame_axes,
)
from intaglio.frontend.layers import pointwise
from intaglio.frontend.layers.products import check_rank


def _relu(call: Call) -> Result:
    return pointwise.relu(call.builder, call.activation(), call.site)


def _hardtanh(call: Call) -> Result:
    low, high = call.get(1, "min_val", -1), call.get(2, "max_val", 1)
    return pointwise.clip(call.builder, call.activation(), float(low), float(high), call.site)


def _clamp(call: Call) -> Result:
    ends = []
    for index, key, default in ((1, "min", -math.inf), (2, "max", math.inf)):
        found = call.optional(index, key)
        if found is not None and found.size != 1:
            raise UnsupportedError(f"argument {key} must be one number")
        check_rank(call.activation(), np.zeros(()) if found is None else found)
        ends.append(default if found is None else float(found.reshape(-1)[0]))
    return pointwise.clip(call.builder, call.activation(), ends[0], ends[1], call.site)


def _clamp_min(call: Call) -> Result:
    low = float(call.get(1, "min"))
    return pointwise.clip(call.builder, call.activation(), low, math.inf, call.site)


def _clamp_max(call: Call) -> Result:
    high = float(call.get(1, "max"))
    return pointwise.clip(call.builder, call.activation(), -math.inf, high, call.site)


def _identity(call: Call) -> Result:
    return Dropped(call.activation(), "it changes nothing")


def _dropout(call: Call) -> Result:
    if call.get(2, "train"):
        raise UnsupportedError("it must not be in training mode", "module.eval()")
    return Dropped(call.activation(), "it changes nothing outside training")


def _item(call: Call) -> Result:
    parts = call.get(0, "")
    if isinstance(parts, tuple):
        return Dropped(parts[call.get(1, "index")], "it changes nothing")
    if call.get(1, "index") != 0:
        raise UnsupportedError("only an operator's first result is computed")
    return Dropped(call.activation(), "it changes nothing")


def _argmax(call: Call) -> Result:
    x = call.activation()
    axis = call.get(1, "dim")
    if axis is None or frame_axes([axis], len(x.shape) + 1) != (0,):
        raise UnsupportedError(f"dim must be that of the scores, not {axis}")
    return pointwise.argmax(call.builder, x, call.site)


def _softmax(call: Call) -> Result:
    x, axis = call.activation(), call.frame_axis(1)
    return pointwise.softmax(call.builder, x, axis, call.site)


def _log_softmax(call: Call) -> Result:
    x, axis = call.activation(), call.frame_axis(1)
    return pointwise.softmax(call.builder, x, axis, call.site, logarithm=True)


def _function(kind: str, **parameters: float) -> Callable[[Call], Result]:
    """Make the reader of a function whose parameters are arguments, with their defaults."""

    def read(call: Call) -> Result:
        numbers = tuple(
            call.number(index, key, default)
            for index, (key, default) in enumerate(parameters.items(), 1)
        )
        return pointwise.function(call.builder, kind, numbers, call.activation(), call.site)

    return read


def _fixed(kind: str, *parameters: float) -> Callable[[Call], Result]:
    """Make the reader of a function without arguments."""

    def read(call: Call) -> Result:
        return pointwise.function(call.builder, kind, parameters, call.activation(), call.site)

    return read


def _elu(call: Call) -> Result:
    if call.number(2, "scale", 1) != 1 or call.number(3, "input_scale", 1) != 1:
        raise UnsupportedError("scale and input_scale must be 1")
    return _function("elu", alpha=1.0)(call)


def _softplus(call: Call) -> Result:
    if call.number(1, "beta", 1) != 1:
        raise UnsupportedError("beta must be 1")
    return _fixed("softplus")(call)


def _gelu(call: Call) -> Result:
    kinds = {"none": "gelu", "tanh": "gelu_tanh"}
    return _fixed(kinds[call.get(1, "approximate", "none")])(call)


def _round(call: Call) -> Result:
    if decimals := call.get(1, "decimals", 0):
        raise UnsupportedError(f"decimals must be 0, not {decimals}", "scaling before and after")
    return _fixed("round")(call)


def _prelu(call: Call) -> Result:
    slopes = call.array(1, "weight")
    shape = (-1, *[1] * (len(call.activation().shape) - 1))
    slopes = slopes.reshape(shape) if slopes.size > 1 else slopes
    return pointwise.leaky_relu(call.builder, call.activation(), slopes, call.site)


def _power(call: Call) -> Result:
    x, exponent = call.activation(), call.number(1, "exponent", math.nan)
    if exponent == 1:
        return Dropped(x, "it changes nothing")
    kind, parameters = {2.0: ("square", ()), 0.5: ("sqrt", ())}.get(
        exponent, ("power", (exponent,))
    )
    return pointwise.function(call.builder, kind, parameters, x, call.site)


_SELU = (1.6732632423543772, 1.0507009873554805)

OPERATORS: Operators = {
    "aten._log_softmax": _log_softmax,
    "aten._softmax": _softmax,
    "aten._to_copy": _identity,
    "aten.abs": _fixed("abs"),
    "aten.alias": _identity,
    "aten.argmax": _argmax,
    "aten.ceil": _fixed("ceil"),
    "aten.clamp": _clamp,
    "aten.clamp_max": _clamp_max,
    "aten.clamp_min": _clamp_min,
    "aten.clone": _identity,
    "aten.contiguous": _identity,
    "aten.cos": _fixed("cos"),
    "aten.detach": _identity,
    "aten.dropout": _dropout,
    "aten.elu": _elu,
    "aten.erf": _fixed("erf"),
    "aten.exp": _fixed("exp"),
    "aten.floor": _fixed("floor"),
    "aten.gelu": _gelu,
    "aten.hardsigmoid": _fixed("hard_sigmoid", 1 / 6, 0.5),
    "aten.hardswish": _fixed("hard_swish"),
    "aten.hardtanh": _hardtanh,
    "aten.leaky_relu": _function("leaky_relu", negative_slope=0.01),
    "aten.log": _fixed("log"),
    "aten.log_softmax": _log_softmax,
    "aten.mish": _fixed("mish"),
    "aten.pow": _power,
    "aten.prelu": _prelu,
    "aten.reciprocal": _fixed("reciprocal"),
    "aten.relu": _relu,
    "aten.relu6": lambda call: pointwise.clip(call.builder, call.activation(), 0.0, 6.0, call.site),
    "aten.round": _round,
    "aten.rsqrt": _fixed("power", -0.5),
    "aten.selu": _fixed("selu", *_SELU),
    "aten.sigmoid": _fixed("sigmoid"),
    "aten.sign": _fixed("sign"),
    "aten.silu": _fixed("silu"),
    "aten.sin": _fixed("sin"),
    "aten.softmax": _softmax,
    "aten.softplus": _softplus,
    "aten.sqrt": _fixed("sqrt"),
    "aten.square": _fixed("square"),
    "aten.tanh": _fixed("tanh"),
    "getitem": _item,
}
