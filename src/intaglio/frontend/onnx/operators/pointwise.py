# SPDX-License-Identifier: Apache-2.0
"""What works element by element, softmax and argmax, as ONNX has them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from intaglio.frontend.builder import Activation, Dropped, UnsupportedError
from intaglio.frontend.geometry import frame_axes
from intaglio.frontend.layers import pointwise
from intaglio.frontend.layers.products import check_rank
from intaglio.frontend.onnx.call import Call, Operators, Result

_FLOATS = (1, 11)
_SELU = (1.67326319217681884765625, 1.05070102214813232421875)


def _relu(call: Call) -> Result:
    return pointwise.relu(call.builder, call.activation(), call.site)


def _clip(call: Call) -> Result:
    if call.opset < 11:
        low, high = call.number("min", -math.inf), call.number("max", math.inf)
    else:
        low, high = call.scalar(1, -math.inf), call.scalar(2, math.inf)
    if codes := call.activation().codes:  # the bounds are codes too
        low, high = (codes.scale[0] * (bound - codes.zero_point) for bound in (low, high))
        if len(codes.scale) > 1:
            raise UnsupportedError("codes of one scale a channel must not be clipped")
    return pointwise.clip(call.builder, call.activation(), low, high, call.site)


def _maximum(call: Call) -> Result:
    x, bound = _bounded(call)
    return pointwise.clip(call.builder, x, bound, math.inf, call.site)


def _minimum(call: Call) -> Result:
    x, bound = _bounded(call)
    return pointwise.clip(call.builder, x, -math.inf, bound, call.site)


def _bounded(call: Call) -> tuple[Activation, float]:
    """Return the operand that is computed and the one that is a number."""
    first = 0 if isinstance(call.operands[0], Activation) else 1
    if len(call.operands) != 2:
        raise UnsupportedError(f"it must have two operands, not {len(call.operands)}", "Clip")
    check_rank(call.activation(first), call.array(1 - first))
    return call.activation(first), call.scalar(1 - first, math.nan)


def _function(kind: str, **parameters: float) -> Callable[[Call], Result]:
    """Make the reader of a function whose parameters are attributes, with their defaults."""

    def read(call: Call) -> Result:
        numbers = tuple(call.number(key, default) for key, default in parameters.items())
        return pointwise.function(call.builder, kind, numbers, call.activation(), call.site)

    return read


def _gelu(call: Call) -> Result:
    kinds = {"none": "gelu", "tanh": "gelu_tanh"}
    if (form := call.word("approximate", "none")) not in kinds:
        raise UnsupportedError(f"approximate must be none or tanh, not {form!r}")
    return pointwise.function(call.builder, kinds[form], (), call.activation(), call.site)


def _swish(call: Call) -> Result:
    if (alpha := call.number("alpha", 1.0)) != 1:
        raise UnsupportedError(f"alpha must be 1, not {alpha:g}")
    return pointwise.function(call.builder, "silu", (), call.activation(), call.site)


def _celu(call: Call) -> Result:
    if (alpha := call.number("alpha", 1.0)) != 1:
        raise UnsupportedError(f"alpha must be 1, not {alpha:g}", "Elu")
    return pointwise.function(call.builder, "elu", (1.0,), call.activation(), call.site)


def _prelu(call: Call) -> Result:
    return pointwise.leaky_relu(
        call.builder, call.activation(), call.weights(1).astype(np.float64), call.site
    )


def _power(call: Call) -> Result:
    x, exponent = call.activation(), call.scalar(1, math.nan)
    check_rank(x, call.array(1))
    if exponent == 1:
        return Dropped(x, "it changes nothing")
    kind, parameters = {2.0: ("square", ()), 0.5: ("sqrt", ())}.get(
        exponent, ("power", (exponent,))
    )
    return pointwise.function(call.builder, kind, parameters, x, call.site)


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
    if call.flag("select_last_index", 0):
        raise UnsupportedError("select_last_index must be 0")
    if call.frame_axis(0) != 0:
        raise UnsupportedError("its axis must be that of the scores")
    return pointwise.argmax(call.builder, call.activation(), call.site)


def _top_k(call: Call) -> Result:
    """Only the place of the largest is computed."""
    count = call.integers_or_operand("k", 1)
    first = call.flag("largest", 1) and call.frame_axis(-1) == 0 and count == (1,)
    if not first or call.wanted[0]:
        raise UnsupportedError("only the place of the one largest score is computed", "ArgMax")
    return None, pointwise.argmax(call.builder, call.activation(), call.site_of(1))


def _softmax(call: Call) -> Result:
    return _shares(call, logarithm=False)


def _log_softmax(call: Call) -> Result:
    return _shares(call, logarithm=True)


def _shares(call: Call, *, logarithm: bool) -> Result:
    x = call.activation()
    axis = frame_axes([call.integer("axis", -1 if call.opset >= 13 else 1)], len(x.shape) + 1)[0]
    check_shares(call.opset, x.shape, axis)
    return pointwise.softmax(call.builder, x, axis, call.site, logarithm=logarithm)


def check_shares(opset: int, shape: Sequence[int], axis: int) -> None:
    """Refuse shares over more axes than one, which they were before opset 13.

    Raises:
        UnsupportedError: the axis is not the last with several places.
    """
    if opset < 13 and math.prod(shape[axis:][1:]) != 1:
        raise UnsupportedError(
            "before opset 13 it goes over all axes from its own, of which it must be the last",
            "an export with opset_version=17",
        )


OPERATORS: Operators = {
    ("", "Abs"): _function("abs"),
    ("", "ArgMax"): _argmax,
    ("", "Cast"): _cast,
    ("", "Ceil"): _function("ceil"),
    ("", "Celu"): _celu,
    ("", "Clip"): _clip,
    ("", "Cos"): _function("cos"),
    ("", "Dropout"): _dropout,
    ("", "Elu"): _function("elu", alpha=1.0),
    ("", "Erf"): _function("erf"),
    ("", "Exp"): _function("exp"),
    ("", "Floor"): _function("floor"),
    ("", "Gelu"): _gelu,
    ("", "HardSigmoid"): _function("hard_sigmoid", alpha=0.2, beta=0.5),
    ("", "HardSwish"): _function("hard_swish"),
    ("", "Identity"): _identity,
    ("", "LeakyRelu"): _function("leaky_relu", alpha=0.01),
    ("", "Log"): _function("log"),
    ("", "LogSoftmax"): _log_softmax,
    ("", "Max"): _maximum,
    ("", "Min"): _minimum,
    ("", "Mish"): _function("mish"),
    ("", "PRelu"): _prelu,
    ("", "Pow"): _power,
    ("", "Reciprocal"): _function("reciprocal"),
    ("", "Relu"): _relu,
    ("", "Round"): _function("round"),
    ("", "Selu"): _function("selu", alpha=_SELU[0], gamma=_SELU[1]),
    ("", "Sigmoid"): _function("sigmoid"),
    ("", "Sign"): _function("sign"),
    ("", "Sin"): _function("sin"),
    ("", "Softmax"): _softmax,
    ("", "Softplus"): _function("softplus"),
    ("", "Softsign"): _function("softsign"),
    ("", "Sqrt"): _function("sqrt"),
    ("", "Swish"): _swish,
    ("", "Tanh"): _function("tanh"),
    ("", "TopK"): _top_k,
}
