# SPDX-License-Identifier: Apache-2.0
"""QONNX's quantizers in operators of the standard, so that ONNX Runtime can give its opinion.

Only what any opset from 7 on has is used. Numbers are rounded half to even by adding and taking
away 1.5 * 2^23: float32 has no digits behind the point there, and they are clipped before.

Source: QONNX 1.0.0, Quant, BipolarQuant and Trunc; FINN, MultiThreshold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

_DOMAINS = ("onnx.brevitas", "finn.custom_op.general", "qonnx.custom_op.general")
_NO_DIGITS = 1.5 * 2.0**23


def standard(node: Any, arrays: Mapping[str, np.ndarray], rank: int) -> list[Any]:
    """Return what computes a node's result in standard operators: mostly the node itself.

    Args:
        node: the node, as a NodeProto.
        arrays: the model's initializers.
        rank: axes of the node's result, batch included.
    """
    if node.domain not in _DOMAINS or node.op_type not in _WRITERS:
        return [node]
    formula = _Formula(node, arrays, rank)
    _WRITERS[node.op_type](formula)
    return formula.nodes


class _Formula:
    """The operators of one node; each takes the last one's result on."""

    def __init__(self, node: Any, arrays: Mapping[str, np.ndarray], rank: int) -> None:
        from onnx.helper import get_attribute_value

        self.node = node
        self.arrays = arrays
        self.rank = rank
        self.nodes: list[Any] = []
        self.value: str = node.input[0]
        self.attributes = {a.name: get_attribute_value(a) for a in node.attribute}

    def put(self, op: str, *operands: str | float | np.ndarray) -> str:
        """Append an operator on the last result and more; numbers become constants."""
        return self.make(op, self.value, *operands)

    def make(self, op: str, *operands: str | float | np.ndarray, **attributes: Any) -> str:
        """Append an operator on what is named; numbers become constants."""
        from onnx import helper

        names = [x if isinstance(x, str) else self._constant(x) for x in operands]
        self.value = self._name()
        self.nodes.append(helper.make_node(op, names, [self.value], **attributes))
        return self.value

    def close(self) -> None:
        """Give the last result the node's own name."""
        self.make("Identity", self.value)
        self.nodes[-1].output[0] = self.node.output[0]

    def parameters(self) -> list[str]:
        """Return the operands behind the first as floats: some files have integers there."""
        return [self.make("Cast", name, to=1) for name in self.node.input[1:]]

    def _constant(self, numbers: float | np.ndarray) -> str:
        from onnx import helper, numpy_helper

        name = self._name()
        tensor = numpy_helper.from_array(np.asarray(numbers, np.float32))
        self.nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        return name

    def _name(self) -> str:
        return f"{self.node.output[0]}/standard/{len(self.nodes)}"

    # --- what the writers share ------------------------------------------------------------------

    def round(self, default: str) -> None:
        mode = self.attributes.get("rounding_mode", default.encode()).decode().upper()
        if mode in ("ROUND", "HALF_EVEN"):
            self.put("Add", _NO_DIGITS)
            self.put("Sub", _NO_DIGITS)
        elif mode in ("CEIL", "FLOOR"):
            self.put(mode.capitalize())
        else:
            sign = self.make("Sign", before := self.value)
            self.make("Abs", before)
            half = {"HALF_UP": 0.5, "HALF_DOWN": -0.5}.get(mode, 0.0)
            self.put("Add", half)
            self.put("Floor" if mode in ("DOWN", "HALF_UP") else "Ceil")
            self.put("Mul", sign)

    def clip(self, bits: str, default_signed: int = 1) -> None:
        """Clip to the codes of so many bits, which are themselves a value of the model."""
        value = self.value
        signed = self.attributes.get("signed", default_signed)
        narrow = self.attributes.get("narrow", 0)
        power = self.make("Pow", 2.0, self.make("Sub", bits, float(bool(signed))))
        high = self.make("Sub", power, 1.0 if signed else 1.0 + bool(narrow))
        low = self.make("Sub", float(bool(narrow)), power) if signed else 0.0
        # min(x, high) = high - relu(high - x), as Clip and Min have changed from opset to opset
        self.make("Relu", self.make("Sub", high, value))
        self.make("Sub", high, self.value)
        self.make("Relu", self.make("Sub", self.value, low))
        self.put("Add", low)

    def sign(self) -> None:
        """1 from 0 up, -1 below."""
        self.put("Sign")
        self.put("Add", 0.5)
        self.put("Sign")


def _bipolar(formula: _Formula) -> None:
    formula.sign()
    formula.put("Mul", formula.node.input[1])
    formula.close()


def _quant(formula: _Formula) -> None:
    scale, zero, bits = formula.parameters()
    formula.make("Div", formula.node.input[0], scale)
    formula.put("Add", zero)
    formula.clip(bits)
    formula.round("ROUND")
    formula.put("Sub", zero)
    formula.put("Mul", scale)
    formula.close()


def _trunc(formula: _Formula) -> None:
    scale, zero, bits, *more = formula.parameters()
    formula.make("Div", formula.node.input[0], scale)
    formula.put("Add", zero)
    formula.put("Add", _NO_DIGITS)
    codes = formula.put("Sub", _NO_DIGITS)
    if len(more) == 1:  # version 1: leaves out bits, and keeps the scale
        left_out = formula.make("Sub", bits, more[0])
        formula.make("Div", codes, formula.make("Pow", 2.0, left_out))
        formula.round("FLOOR")
        formula.put("Sub", zero)
        formula.put("Mul", scale)
    else:
        scale_out, bits_out = more
        ratio = formula.make("Div", scale_out, scale)
        formula.make("Div", codes, ratio)
        formula.clip(bits_out)
        formula.round("FLOOR")
        formula.put("Mul", scale_out)
    formula.close()


def _multi_threshold(formula: _Formula) -> None:
    x, thresholds = formula.node.input[0], formula.arrays[formula.node.input[1]]
    shape = (1, -1, *[1] * (formula.rank - 2))
    scale = float(formula.attributes.get("out_scale", 1.0))
    total: str | float = float(formula.attributes.get("out_bias", 0.0))
    for column in thresholds.T:
        formula.make("Sub", x, column.reshape(shape))
        formula.sign()
        formula.put("Add", 1.0)
        formula.put("Mul", scale / 2)
        total = formula.put("Add", total)
    formula.close()


_WRITERS: dict[str, Callable[[_Formula], None]] = {
    "BipolarQuant": _bipolar,
    "IntQuant": _quant,
    "MultiThreshold": _multi_threshold,
    "Quant": _quant,
    "Trunc": _trunc,
}
