# SPDX-License-Identifier: Apache-2.0
"""Quantizers of ONNX files, and layers on integers: read as what they do to real numbers.

An integer tensor is carried as the reals it stands for, with a note of what its codes mean. So a
layer on integers is the float layer with a quantizer behind it, and nothing is lost: `quantize`
finds the same integers again, by their scale.

Source: QuantizeLinear, DequantizeLinear, QLinearConv, QLinearMatMul of ONNX opset 10 to 25;
QLinearAdd and its like of ONNX Runtime's contributed operators; Quant, BipolarQuant and Trunc of
QONNX 1.0.0, whose domain has had several names; MultiThreshold of FINN.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from intaglio.frontend.builder import Activation, Codes, Dropped, Site, UnsupportedError
from intaglio.frontend.layers import pointwise, products, windows
from intaglio.frontend.layers.quantizers import Quantizer, bipolar, fake_quantize, thresholds
from intaglio.frontend.onnx.call import Call, Operators, Result
from intaglio.frontend.onnx.operators.windows import conv
from intaglio.frontend.onnx.source import DTYPES, FLOAT
from intaglio.numerics.rounding import Rounding

#: By the mode's name in capitals. HALF_UP and HALF_DOWN go by magnitude there.
ROUNDINGS = {
    "ROUND": Rounding.HALF_EVEN,
    "HALF_EVEN": Rounding.HALF_EVEN,
    "CEIL": Rounding.CEIL,
    "FLOOR": Rounding.FLOOR,
    "UP": Rounding.AWAY,
    "DOWN": Rounding.TOWARD_ZERO,
    "HALF_UP": Rounding.HALF_AWAY,
    "HALF_DOWN": Rounding.HALF_TOWARD_ZERO,
}
MAX_BITS = 32


def quant(call: Call) -> Quantizer:
    """Return what a Quant node does: round(x / scale + zero_point), clipped to its bits."""
    bits = _bits(call, 3)
    low, high = _codes(bits, call.integer("signed", 1), call.integer("narrow", 0))
    zero, rounding = _whole(call, 2, "its zero point"), _rounding(call, "ROUND")
    return Quantizer(call.weights(1), zero, low, high, rounding, offset_first=True)


def _quant(call: Call) -> Result:
    if _whole(call, 3, "its bit width") == 1 and call.integer("signed", 1):
        return bipolar(call.builder, _value(call), call.scalar(1, 1.0), call.site)
    return fake_quantize(call.builder, _value(call), quant(call), call.site)


def _bipolar(call: Call) -> Result:
    x = _value(call)
    scale = call.weights(1) if isinstance(x, np.ndarray) else call.scalar(1, 1.0)
    return bipolar(call.builder, x, scale, call.site)


def _trunc(call: Call) -> Result:
    """Leave out low bits: of a sum that was not yet divided, in version 1; rescaled, in version 2.

    Version 2 has six operands: x, scale, zero point, bits; scale and bits of the result.
    """
    scale, zero = call.scalar(1, 1.0), _whole(call, 2, "its zero point")
    rounding = _rounding(call, "FLOOR")
    if zero:
        raise UnsupportedError(f"its zero point must be 0, not {zero}")
    if len(call.operands) > 5:
        scales = scale, call.scalar(4, scale)
        if not all(0 < one < math.inf for one in scales):
            raise UnsupportedError(f"its scales must be positive and finite, not {scales}")
        ratio, gain, bits = 2.0 ** round(math.log2(scales[1] / scale)), 1.0, _bits(call, 5)
    else:
        bits, left_out = _bits(call, 4), _bits(call, 3) - _bits(call, 4)
        if left_out < 0:
            raise UnsupportedError(f"it must leave bits out, not add {-left_out}")
        ratio, gain = 2.0**left_out, 2.0**-left_out
    low, high = _codes(bits, call.integer("signed", 1), call.integer("narrow", 0))
    if gain != 1:  # version 1 does not say whether its codes are signed, and clips nothing
        low, high = -(1 << bits), 1 << bits
    how = Quantizer(np.array([scale * ratio]), 0, low, high, rounding)
    if gain == 1:
        return fake_quantize(call.builder, call.activation(), how, call.site)
    inner = Site(f"{call.site.name}_codes", "")
    kept = fake_quantize(call.builder, call.activation(), how, inner)
    if not isinstance(kept, Activation):
        raise TypeError(kept)
    return pointwise.scaled(call.builder, kept, gain, 0.0, call.site)


def _bits(call: Call, index: int) -> int:
    bits = _whole(call, index, "its bit width")
    if not 1 <= bits <= MAX_BITS:
        raise UnsupportedError(f"its bit width must be 1..{MAX_BITS}, not {bits}")
    return bits


def _multi_threshold(call: Call) -> Result:
    if call.word("data_layout", "NCHW") not in ("NCHW", "NC"):
        raise UnsupportedError("data_layout must be NCHW", "InferDataLayouts undone")
    scale, offset = call.number("out_scale", 1.0), call.number("out_bias", 0.0)
    return thresholds(call.builder, call.activation(), call.weights(1), scale, offset, call.site)


# --- integers of the standard --------------------------------------------------------------------


def _quantize_linear(call: Call) -> Result:
    zero = call.optional(2)
    kind = _kind(call, zero)
    how = _linear(call, 1, 2, kind)
    axis = call.integer("axis", 1)
    x = _value(call)
    if isinstance(x, np.ndarray):
        return how.op.codes(x.astype(np.float32), _along(how.scale, axis, x.ndim)).astype(kind)
    how = replace(how, scale=_along(how.scale, axis, len(x.shape) + 1))
    return _coded(call, fake_quantize(call.builder, x, how, call.site), how)


def _dequantize_linear(call: Call) -> Result:
    x, scale = _value(call), call.weights(1).astype(np.float32)
    if (told := call.integer("output_dtype", FLOAT)) not in (0, FLOAT):
        raise UnsupportedError(f"output_dtype must be that of 32-bit floats, not {told}")
    zero = call.optional(2)
    if isinstance(x, np.ndarray):
        axis = call.integer("axis", 1)
        offset = np.zeros(1, np.int64) if zero is None else zero.astype(np.int64)
        moved = x.astype(np.int64) - _along(offset, axis, x.ndim)
        return moved.astype(np.float32) * _along(scale, axis, x.ndim)
    codes = Codes(tuple(float(s) for s in scale.reshape(-1)), 0 if zero is None else _same(zero))
    if x.codes != codes:
        raise UnsupportedError(
            "its operand must be codes of the scale and zero point it goes back from"
        )
    if scale.size > 1 and (x.layout.flattened or call.frame_axis(1) != x.layout.channel):
        raise UnsupportedError("its axis must be that of the quantizer before it")
    return Dropped(replace(x, codes=None), "reals are carried as they are")


def _qlinear_conv(call: Call) -> Result:
    x, weight, bias = _reals(call, 0, 1, 2), _constant(call, 3, 4, 5), None
    if len(call.operands) > 8:
        steps = call.weights(8).astype(np.float64)
        bias = steps * call.scalar(1, 1.0) * call.weights(4).astype(np.float64)
    inner = Site(f"{call.site.name}_sum", "")
    made = conv(replace(call, operands=(x, weight, bias), site=inner))
    if not isinstance(made, Activation):
        raise TypeError(made)
    how = _linear(call, 6, 7, call.array(7).dtype)
    return _coded(call, fake_quantize(call.builder, made, how, call.site), how)


def _qlinear_matmul(call: Call) -> Result:
    x, weight = _reals(call, 0, 1, 2), _constant(call, 3, 4, 5, axis=-1)
    inner = Site(f"{call.site.name}_sum", "")
    made = products.matmul(call.builder, x, weight.T, None, inner)
    how = _linear(call, 6, 7, call.array(7).dtype)
    return _coded(call, fake_quantize(call.builder, made, how, call.site), how)


def _qgemm(call: Call) -> Result:
    """A, its scale and zero point; B, likewise; C; scale and zero point of the result."""
    x = _reals(call, 0, 1, 2)
    turned = call.flag("transB", 0)
    weight = _constant(call, 3, 4, 5, axis=0 if turned else -1)
    bias = None
    if call.optional(6) is not None:
        steps = call.vector(6, weight.shape[0 if turned else -1])
        bias = steps * call.scalar(1, 1.0) * call.weights(4).astype(np.float64).reshape(-1)
    inner = Site(f"{call.site.name}_sum", "")
    made = products.matmul(call.builder, x, weight if turned else weight.T, bias, inner)
    if len(call.operands) < 8 or call.optional(7) is None:
        return made
    how = _linear(call, 7, 8, call.array(8).dtype)
    return _coded(call, fake_quantize(call.builder, made, how, call.site), how)


def _qlinear_add(call: Call) -> Result:
    how = _linear(call, 6, 7, call.array(7).dtype)
    inner = Site(f"{call.site.name}_sum", "")
    known = [i for i in (0, 3) if isinstance(call.operands[i], np.ndarray)]
    if known:
        (at,) = known
        x = _reals(call, 3 - at, 4 - at, 5 - at)
        offset = _constant(call, at, at + 1, at + 2).astype(np.float64)
        made = products.affine(call.builder, x, np.ones(1), offset, inner, sole=False)
    else:
        left, right = _reals(call, 0, 1, 2), _reals(call, 3, 4, 5)
        made = pointwise.add(call.builder, left, right, inner)
    return _coded(call, fake_quantize(call.builder, made, how, call.site), how)


def _qlinear_mean(call: Call) -> Result:
    if call.flag("channels_last", 0):
        raise UnsupportedError("channels_last must be 0")
    x = _reals(call, 0, 1, 2)
    inner = Site(f"{call.site.name}_mean", "")
    axes = tuple(range(1, len(x.shape)))
    made = windows.mean(call.builder, x, axes, inner, keep=True)
    how = _linear(call, 3, 4, call.array(4).dtype)
    return _coded(call, fake_quantize(call.builder, made, how, call.site), how)


# --- operands ------------------------------------------------------------------------------------


def _value(call: Call) -> Activation | np.ndarray:
    found = call.operands[0]
    if found is None:
        raise UnsupportedError("operand 1 must be given")
    return found


def _codes(bits: int, signed: bool | int, narrow: int) -> tuple[int, int]:
    """Return the lowest and highest code; narrow ones lack the lowest, or unsigned the highest."""
    if signed:
        return -(1 << bits - 1) + bool(narrow), (1 << bits - 1) - 1
    return 0, (1 << bits) - 1 - bool(narrow)


def _kind(call: Call, zero: np.ndarray | None) -> np.dtype[Any]:
    """Return the element type of codes: that of the zero point, or what stands for it."""
    told = call.integer("output_dtype", 0)
    if told not in (0, *DTYPES):
        raise UnsupportedError(f"output_dtype must be of integers, not {told}")
    named = np.dtype(DTYPES[told] if told else np.uint8)
    if zero is None:
        return named
    if told and (zero.dtype, zero.dtype.metadata) != (named, named.metadata):
        raise UnsupportedError(f"output_dtype must be that of the zero point, not {told}")
    return zero.dtype


def _whole(call: Call, index: int, what: str) -> int:
    number = call.scalar(index, 0.0)
    if number != round(number):
        raise UnsupportedError(f"{what} must be a whole number, not {number:g}")
    return round(number)


def _rounding(call: Call, default: str) -> Rounding:
    mode = call.word("rounding_mode", default).upper()
    if mode not in ROUNDINGS:
        raise UnsupportedError(f"rounding_mode must be one of {', '.join(ROUNDINGS)}, not {mode!r}")
    return ROUNDINGS[mode]


def _linear(call: Call, scale: int, zero: int, kind: np.dtype[Any]) -> Quantizer:
    """Return what goes to integers of a kind: half to even, then the zero point, then saturated."""
    if not np.issubdtype(kind, np.integer):
        raise UnsupportedError(f"its codes must be integers, not {kind}")
    noted: dict[str, int] = dict(kind.metadata or {})
    bits = noted.get("bits", 8 * kind.itemsize)
    found = call.optional(zero)
    offset = 0 if found is None else _same(found)
    return Quantizer(call.weights(scale), offset, *_codes(bits, kind.kind == "i", 0))


def _same(zero: np.ndarray) -> int:
    if np.any(zero != zero.reshape(-1)[0]):
        raise UnsupportedError("its zero points must be one for all channels")
    return int(zero.reshape(-1)[0])


def _along(array: np.ndarray, axis: int, rank: int) -> np.ndarray:
    """Bring one number, or one for each place of an axis, to a rank."""
    if array.size == 1:
        return array.reshape(())
    return array.reshape([-1 if a == axis % rank else 1 for a in range(rank)])


def _coded(call: Call, made: Activation | np.ndarray, how: Quantizer) -> Activation:
    if not isinstance(made, Activation):
        raise TypeError(made)
    nibbles = how.high - how.low < 1 << 4
    return call.builder.coded(made, Codes(how.op.scale, how.zero_point, nibbles))


def _reals(call: Call, index: int, scale: int, zero: int) -> Activation:
    """Return the reals of an operand that is codes.

    Raises:
        UnsupportedError: its codes mean something else.
    """
    x = call.activation(index)
    wanted = Codes((float(np.float32(call.scalar(scale, 1.0))),), _same(call.array(zero)))
    if x.codes != wanted:
        raise UnsupportedError(
            f"operand {index + 1} must be codes of the scale and zero point that stand beside it"
        )
    return replace(x, codes=None)


def _constant(call: Call, index: int, scale: int, zero: int, axis: int = 0) -> np.ndarray:
    """Return the reals of a constant that is codes."""
    codes = call.array(index).astype(np.int64)
    moved = codes - _along(call.array(zero).astype(np.int64), axis, codes.ndim)
    factor = _along(call.weights(scale).astype(np.float32), axis, codes.ndim)
    return moved.astype(np.float32) * factor


_QONNX = ("onnx.brevitas", "finn.custom_op.general", "qonnx.custom_op.general")

OPERATORS: Operators = {
    ("", "DequantizeLinear"): _dequantize_linear,
    ("", "QLinearConv"): _qlinear_conv,
    ("", "QLinearMatMul"): _qlinear_matmul,
    ("", "QuantizeLinear"): _quantize_linear,
    ("com.microsoft", "DequantizeLinear"): _dequantize_linear,
    ("com.microsoft", "QGemm"): _qgemm,
    ("com.microsoft", "QLinearAdd"): _qlinear_add,
    ("com.microsoft", "QLinearGlobalAveragePool"): _qlinear_mean,
    ("com.microsoft", "QuantizeLinear"): _quantize_linear,
    **{
        (domain, op): read
        for domain in _QONNX
        for op, read in (
            ("BipolarQuant", _bipolar),
            ("IntQuant", _quant),
            ("MultiThreshold", _multi_threshold),
            ("Quant", _quant),
            ("Trunc", _trunc),
        )
    },
}

#: Those that are also computed of constants, while reading.
OF_CONSTANTS = frozenset(
    key
    for key in OPERATORS
    if key[1] in ("BipolarQuant", "DequantizeLinear", "IntQuant", "Quant", "QuantizeLinear")
)
