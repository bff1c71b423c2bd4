# SPDX-License-Identifier: Apache-2.0
"""`qonnx`: ONNX with Quant nodes of QONNX, any width, floats between; for FINN, hls4ml, Brevitas.

Weights are float initializers behind Quant, one scale for each channel, or behind BipolarQuant if
all are 1 and -1; biases are floats. Quant rounds half to even after it has added its zero point;
where low bits are left out, and no more, Trunc says so.

Source: QONNX 1.0.0, `qonnx.custom_op.general`, version 1, and 2 for Trunc.
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

NAME = "qonnx"
SUFFIX = ".onnx"
DOMAIN = "qonnx.custom_op.general"
#: The width from which on constants stay floats: Quant would have to round what float32 cannot.
WIDEST = 22


@dataclass(frozen=True)
class Arbitrary:
    """Quantizers of QONNX."""

    offset_first: bool = True

    def activation(self, model: Model, node: str, x: str, how: Codes, name: str) -> str:
        """Put Quant behind a tensor."""
        if how.element.signed and how.element.width == 1:
            raise ModelError(
                f"{node} must not have codes -1 and 0: of one signed bit Quant makes -1 and 1"
            )
        return _quant(model, x, how, name, how.scale[0])

    def weight(self, model: Model, codes: np.ndarray, how: Codes, axis: int, name: str) -> str:
        """Add floats, and Quant on them."""
        if np.all(np.abs(codes) == 1):
            return _bipolar(model, codes, how, axis, name)
        shape = [-1 if a == axis else 1 for a in range(codes.ndim)]
        scale = how.scale.reshape(shape if len(how.scale) > 1 else ())
        reals = model.floats(codes.astype(np.float32) * scale.astype(np.float32), f"{name}/reals")
        if how.element.width > WIDEST:
            return reals
        if how.element.signed and how.element.width == 1:
            how = Codes(IntType(2, signed=True), how.scale)
        return _quant(model, reals, how, name, scale)

    def truncation(self, model: Model, x: str, source: Codes, how: Codes, name: str) -> str | None:
        """Put Trunc behind a tensor, which came in with version 2 of the operators' set."""
        model.domains[DOMAIN] = 2
        numbers = (source.scale[0], 0, source.element.width, how.scale[0], how.element.width)
        keys = ("scale", "zero", "bits", "scale_out", "bits_out")
        names = [
            model.floats(np.asarray(n), f"{name}/{key}")
            for key, n in zip(keys, numbers, strict=True)
        ]
        signed, narrow = int(how.element.signed), int(how.element.narrow)
        return model.put(
            "Trunc",
            x,
            *names,
            name=name,
            domain=DOMAIN,
            signed=signed,
            narrow=narrow,
            rounding_mode="FLOOR",
        )


def _bipolar(model: Model, codes: np.ndarray, how: Codes, axis: int, name: str) -> str:
    """Add floats of 1 and -1 times a scale, and BipolarQuant on them."""
    model.domains.setdefault(DOMAIN, 1)
    shape = [-1 if a == axis else 1 for a in range(codes.ndim)]
    scale = how.scale.reshape(shape if len(how.scale) > 1 else ()).astype(np.float32)
    reals = model.floats(codes.astype(np.float32) * scale, f"{name}/reals")
    given = model.floats(scale, f"{name}/scale")
    return model.put("BipolarQuant", reals, given, name=name, domain=DOMAIN)


def _quant(model: Model, x: str, how: Codes, name: str, scale: np.ndarray) -> str:
    model.domains.setdefault(DOMAIN, 1)
    numbers = {"scale": scale, "zero": how.zero, "bits": how.element.width}
    names = [model.floats(np.asarray(n), f"{name}/{key}") for key, n in numbers.items()]
    return model.put(
        "Quant",
        x,
        *names,
        name=name,
        domain=DOMAIN,
        signed=int(how.element.signed),
        narrow=int(how.element.narrow),
        rounding_mode="ROUND",
    )


def write(program: Program) -> Files:
    """Return the file of a program."""
    return {SUFFIX: write_model(program, Arbitrary())[0]}


def check(program: Program, files: Files) -> tuple[str, ...]:
    """Run the file, its Quant nodes in operators of the standard."""
    inexact = write_model(program, Arbitrary())[1]
    return compare(program, standardized(files[SUFFIX]), inexact)


def standardized(data: bytes) -> bytes:
    """Return a model with its nodes of QONNX said in operators of the standard."""
    import onnx
    from onnx import numpy_helper

    from intaglio.frontend.onnx.standard import standard

    model = onnx.load_from_string(data)
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    nodes = [made for node in model.graph.node for made in standard(node, arrays, 0)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model.SerializeToString()


QONNX = Exporter(
    NAME, "ONNX with Quant nodes of any width; for QONNX's tools", SUFFIX, write, check
)
