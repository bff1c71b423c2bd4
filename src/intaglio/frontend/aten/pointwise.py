# SPDX-License-Identifier: Apache-2.0
"""What works element by element, and argmax, as ATen has them."""

from __future__ import annotations

import math

from intaglio.frontend.aten.call import Call, Operators, Result
from intaglio.frontend.builder import Dropped, UnsupportedError
from intaglio.frontend.geometry import (
    frame_axes,
)
from intaglio.frontend.layers import pointwise


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
    x = call.activation()
    axis = frame_axes([call.get(1, "dim")], len(x.shape) + 1)
    if len(x.shape) != 1 or axis != (0,) or not call.readers <= {"output", "aten.argmax"}:
        raise UnsupportedError(
            "it is not computed; it can only be left out where it is the last operator",
            "end the module with the scores before it",
        )
    why = "left out: the order of the scores, all that argmax needs, is the same without it"
    return Dropped(x, why, exact=False)


OPERATORS: Operators = {
    "aten._to_copy": _identity,
    "aten.alias": _identity,
    "aten.argmax": _argmax,
    "aten.clamp": _clamp,
    "aten.clamp_max": _clamp_max,
    "aten.clamp_min": _clamp_min,
    "aten.clone": _identity,
    "aten.contiguous": _identity,
    "aten.detach": _identity,
    "aten.dropout": _dropout,
    "aten.hardtanh": _hardtanh,
    "aten.log_softmax": _softmax,
    "aten.relu": _relu,
    "aten.relu6": lambda call: pointwise.clip(call.builder, call.activation(), 0.0, 6.0, call.site),
    "aten.softmax": _softmax,
    "getitem": _item,
}
