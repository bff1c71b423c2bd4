# SPDX-License-Identifier: Apache-2.0
"""What works element by element, and argmax, as ONNX has them."""

from __future__ import annotations

import math

from intaglio.frontend.builder import Dropped, UnsupportedError
from intaglio.frontend.geometry import (
    frame_axes,
)
from intaglio.frontend.layers import pointwise
from intaglio.frontend.onnx.call import Call, Operators, Result

_FLOATS = (1, 11)


def _relu(call: Call) -> Result:
    return pointwise.relu(call.builder, call.activation(), call.site)


def _clip(call: Call) -> Result:
    if call.opset < 11:
        low, high = call.number("min", -math.inf), call.number("max", math.inf)
    else:
        low, high = call.scalar(1, -math.inf), call.scalar(2, math.inf)
    return pointwise.clip(call.builder, call.activation(), low, high, call.site)


def _identity(call: Call) -> Result:
    return Dropped(call.activation(), "it changes nothing")


def _dropout(call: Call) -> Result:
    training = call.optional(2)
    if training is not None and training.any():
        raise UnsupportedError("training_mode must be off", "model.eval()")
    return Dropped(call.activation(), "it changes nothing outside training")


def _cast(call: Call) -> Result:
    x, target = call.activation(), call.integer("to", 0)
    if not call.builder.is_integer(x) and target not in _FLOATS:
        raise UnsupportedError(f"floats must stay floats of 32 bits or more, not type {target}")
    return Dropped(x, "the graph has one float type and exact integers")


def _argmax(call: Call) -> Result:
    x = call.activation()
    if call.integer("select_last_index", 0):
        raise UnsupportedError("select_last_index must be 0")
    if frame_axes([call.integer("axis", 0)], len(x.shape) + 1) != (0,):
        raise UnsupportedError("its axis must be that of the scores")
    return pointwise.argmax(call.builder, x, call.site)


def _softmax(call: Call) -> Result:
    x = call.activation()
    default = -1 if call.opset >= 13 else 1
    axis = frame_axes([call.integer("axis", default)], len(x.shape) + 1)
    if len(x.shape) != 1 or axis != (0,) or not call.readers <= {"", "ArgMax"}:
        raise UnsupportedError(
            "it is not computed; it can only be left out where it is the last operator",
            "end the model with the scores before it",
        )
    why = "left out: the order of the scores, all that argmax needs, is the same without it"
    return Dropped(x, why, exact=False)


OPERATORS: Operators = {
    ("", "ArgMax"): _argmax,
    ("", "Cast"): _cast,
    ("", "Clip"): _clip,
    ("", "Dropout"): _dropout,
    ("", "Identity"): _identity,
    ("", "LogSoftmax"): _softmax,
    ("", "Relu"): _relu,
    ("", "Softmax"): _softmax,
}
