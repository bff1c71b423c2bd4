# SPDX-License-Identifier: Apache-2.0
"""`onnx-qdq` and `onnx-qcdq`: ONNX with QuantizeLinear and DequantizeLinear, NCHW, float between.

`onnx-qdq` has codes of 4, 8 and 16 bits as ONNX has types of. `onnx-qcdq` says any width: codes lie
in a wider type, and a Clip behind QuantizeLinear keeps them in their own range, as Brevitas does.
Weights are integers behind DequantizeLinear with a scale for each channel, biases int32 likewise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intaglio.errors import ModelError
from intaglio.export.exporter import Exporter, Files
from intaglio.export.reals.model import Model
from intaglio.export.reals.run import compare
from intaglio.export.reals.write import write_model
from intaglio.export.reals.writer import Codes
from intaglio.ir.graph import Program
from intaglio.numerics.types import IntType

SUFFIX = ".onnx"
#: Codes wider than what QuantizeLinear makes are rounded and clipped as reals.
WIDEST = 16


@dataclass(frozen=True)
class Linear:
    """Quantizers of the ONNX standard; with `clipped` any width, else those it has types of."""

    clipped: bool
    offset_first: bool = False

    def activation(self, model: Model, node: str, x: str, how: Codes, name: str) -> str:
        """Put QuantizeLinear, perhaps Clip, and DequantizeLinear behind a tensor."""
        element = how.element
        if element.width > WIDEST:
            return _rounded(model, x, how, name)
        bits = self._bits(element)
        low, high = _ends(bits, signed=element.signed)
        narrower = (element.min, element.max) != (low, high)
        if narrower and not self.clipped:
            raise ModelError(
                f"{node} must have codes of 4, 8 or 16 whole bits for onnx-qdq, not {element}: "
                "use onnx-qcdq"
            )
        model.needs(bits)
        scale = model.floats(float(how.scale[0]), f"{name}/scale")
        zero = model.integers(np.array(how.zero), bits, f"{name}/zero", signed=element.signed)
        codes = model.put("QuantizeLinear", x, scale, zero, name=f"{name}/codes")
        if narrower and bits == 8:
            ends = [
                model.integers(np.array(end), bits, f"{name}/{key}", signed=element.signed)
                for key, end in (("low", element.min), ("high", element.max))
            ]
            codes = model.put("Clip", codes, *ends, name=f"{name}/clipped")
        reals = model.put("DequantizeLinear", codes, scale, zero, name=name)
        return _bounded(model, reals, how, name) if narrower and bits != 8 else reals

    def weight(self, model: Model, codes: np.ndarray, how: Codes, axis: int, name: str) -> str:
        """Add integers and DequantizeLinear."""
        bits = 32 if how.element.width > WIDEST else self._bits(how.element)
        model.needs(bits)
        integers = model.integers(codes, bits, f"{name}/codes", signed=how.element.signed)
        if len(how.scale) == 1:
            scale = model.floats(float(how.scale[0]), f"{name}/scale")
            return model.put("DequantizeLinear", integers, scale, name=name)
        scale = model.floats(how.scale, f"{name}/scale")
        zeros = np.zeros(len(how.scale), np.int64)
        zero = model.integers(zeros, bits, f"{name}/zero", signed=how.element.signed)
        return model.put("DequantizeLinear", integers, scale, zero, name=name, axis=axis)

    def truncation(
        self,
        model: Model,  # noqa: ARG002
        x: str,  # noqa: ARG002
        source: Codes,  # noqa: ARG002
        how: Codes,  # noqa: ARG002
        name: str,  # noqa: ARG002
    ) -> str | None:
        """The standard has no word for it."""
        return None

    def _bits(self, element: IntType) -> int:
        """Return the width of the ONNX type that holds codes."""
        if element.width == 4 and not element.narrow and not self.clipped:
            return 4
        return 8 if element.width <= 8 else 16


def _ends(bits: int, *, signed: bool) -> tuple[int, int]:
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


def _rounded(model: Model, x: str, how: Codes, name: str) -> str:
    """Round and clip reals, in operators of the standard."""
    scale = model.floats(float(how.scale[0]), f"{name}/scale")
    whole = model.put("Round", model.put("Div", x, scale, name=f"{name}/steps"))
    return _bounded(model, model.put("Mul", whole, scale), how, name)


def _bounded(model: Model, x: str, how: Codes, name: str) -> str:
    ends = [
        model.floats(float(how.scale[0] * (end - how.zero)), f"{name}/{key}")
        for key, end in (("low", how.element.min), ("high", how.element.max))
    ]
    return model.put("Clip", x, *ends, name=f"{name}/clipped")


def _exporter(name: str, says: str, dialect: Linear) -> Exporter:
    def write(program: Program) -> Files:
        return {SUFFIX: write_model(program, dialect)[0]}

    def check(program: Program, files: Files) -> tuple[str, ...]:
        return compare(program, files[SUFFIX], write_model(program, dialect)[1])

    return Exporter(name, says, SUFFIX, write, check)


QDQ = _exporter("onnx-qdq", "ONNX with quantizers of 4, 8 and 16 bits; for runtimes", Linear(False))
QCDQ = _exporter("onnx-qcdq", "the same with Clip, for codes of any width", Linear(True))
