# SPDX-License-Identifier: Apache-2.0
"""`qonnx`: ONNX with Quant nodes of QONNX, any width, floats between; for FINN, hls4ml, Brevitas.

Weights are float initializers behind Quant, one scale for each channel; biases are floats. Quant
rounds half to even after it has added its zero point.

Source: QONNX 1.0.0, `qonnx.custom_op.general`, version 1.
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
        shape = [-1 if a == axis else 1 for a in range(codes.ndim)]
        scale = how.scale.reshape(shape if len(how.scale) > 1 else ())
        reals = model.floats(codes.astype(np.float32) * scale.astype(np.float32), f"{name}/reals")
        if how.element.width > WIDEST:
            return reals
        if how.element.signed and how.element.width == 1:
            how = Codes(IntType(2, signed=True), how.scale)
        return _quant(model, reals, how, name, scale)


def _quant(model: Model, x: str, how: Codes, name: str, scale: np.ndarray) -> str:
    model.domains[DOMAIN] = 1
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
