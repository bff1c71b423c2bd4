# SPDX-License-Identifier: Apache-2.0
"""The reals of a program's values while they are written, and what all rules ask for."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from intaglio.errors import ModelError
from intaglio.export.layers import turn
from intaglio.export.reals.model import Model
from intaglio.ir.graph import Node, Program
from intaglio.numerics.types import IntType

#: The bits of float32: reals that stand for wider integers would not tell them apart.
FLOAT_BITS = 24
#: Half a step more is added for rounding half up.
SUM_BITS = FLOAT_BITS - 1
#: The key of what values mean, in the model's metadata.
SCALES = "intaglio.scales"


@dataclass(frozen=True, eq=False)
class Real:
    """A tensor of the model that stands for integers: real = scale * (code - zero).

    An image is (C, H, W) in the model. A vector that was an image (H, W, C) is `turned`: its
    elements are in the order of the model's image. `owed` is what a bias lost when it became
    float32; whoever reads the tensor adds it.

    Shapes: scale and owed [1], or [C] of the program's last axis.
    """

    tensor: str
    scale: np.ndarray
    zero: int
    turned: tuple[int, ...] | None = None
    owed: np.ndarray = field(default_factory=lambda: np.zeros(1))


class Dialect(Protocol):
    """How a format says quantizers."""

    @property
    def offset_first(self) -> bool:
        """Whether quantizers add the zero point before they round."""
        ...

    def activation(self, model: Model, node: str, x: str, how: Codes, name: str) -> str:
        """Put a quantizer behind a tensor and return the reals of its codes."""
        ...

    def weight(self, model: Model, codes: np.ndarray, how: Codes, axis: int, name: str) -> str:
        """Add the reals of constant codes; `how.scale` has one for each place of the axis."""
        ...

    def truncation(self, model: Model, x: str, source: Codes, how: Codes, name: str) -> str | None:
        """Leave out low bits of codes and saturate, if the format has a word for that."""
        ...


@dataclass(frozen=True)
class Codes:
    """Codes of a type and the reals they stand for."""

    element: IntType
    scale: np.ndarray
    zero: int = 0


@dataclass
class Writer:
    """What is written so far."""

    program: Program
    dialect: Dialect
    model: Model = field(default_factory=Model)
    reals: dict[str, Real] = field(default_factory=dict)
    inexact: list[str] = field(default_factory=list)

    def type(self, name: str) -> IntType:
        """Return the element type of a value."""
        return self.program.graph.types[name].integer

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a value's frame, channels last."""
        return self.program.graph.types[name].shape

    def sole_reader(self, name: str) -> Node | None:
        """Return the node that alone reads a value, unless that is a result as well."""
        readers = self.program.graph.consumers.get(name, ())
        if len(readers) != 1 or name in self.program.graph.outputs:
            return None
        return readers[0]

    # --- meaning ---------------------------------------------------------------------------------

    @property
    def unit(self) -> float:
        """The scale of the input, which all others are powers of two of."""
        first = self.program.graph.inputs[0].name
        return float(np.float32(self.program.quantization[first].scale[0]))

    def scale(self, name: str) -> float:
        """Return the scale that a quantized value has in the model."""
        how = self.program.quantization.get(name)
        if how is None or len(how.scale) > 1:
            return self.unit
        return self.unit * 2.0 ** round(math.log2(how.scale[0] / self.unit))

    def zero(self, name: str, otherwise: int) -> int:
        """Return the zero point of a quantized value: the true one, if it is a code."""
        how = self.program.quantization.get(name)
        element = self.type(name)
        if how is None or not element.min <= how.zero_point <= element.max:
            return otherwise
        return how.zero_point

    # --- arithmetic ------------------------------------------------------------------------------

    def constant(self, real: Real, numbers: np.ndarray, name: str, shape: tuple[int, ...]) -> str:
        """Add numbers of the program's last axis, to be broadcast against a tensor.

        Shapes: numbers [1] or [C]; shape that of the tensor's frame, channels last.
        """
        if np.all(numbers == numbers[0]):
            return self.model.floats(float(numbers[0]), name)
        if real.turned:
            numbers = turn(numbers, real.turned)
        return self.model.floats(numbers.reshape(-1, 1, 1) if len(shape) == 3 else numbers, name)

    def affine(
        self, where: str, x: Real, factor: np.ndarray, offset: np.ndarray, shape: tuple[int, ...]
    ) -> str:
        """Multiply and add where that changes anything; return the tensor."""
        tensor = x.tensor
        if np.any(factor != 1):
            name = self.constant(x, factor, f"{where}/factor", shape)
            tensor = self.model.put("Mul", tensor, name, name=f"{where}/scaled")
        if np.any(offset != 0):
            name = self.constant(x, offset, f"{where}/offset", shape)
            tensor = self.model.put("Add", tensor, name, name=f"{where}/moved")
        return tensor

    def brought(self, where: str, name: str, scale: np.ndarray, zero: int | None = None) -> Real:
        """Return a value's real at a scale, and at a zero point if one is named."""
        x = self.reals[name]
        zero = x.zero if zero is None else zero
        factor = scale / x.scale
        tensor = self.affine(where, x, factor, scale * (x.zero - zero), self.shape(name))
        return replace(x, tensor=tensor, scale=scale, zero=zero)

    def uniform(self, where: str, name: str) -> Real:
        """Return a value's real with one scale for all channels."""
        x = self.reals[name]
        return x if len(x.scale) == 1 else self.brought(where, name, np.array([self.unit]))

    def straight(self, name: str) -> Real:
        """Return a value's real with the elements of a vector in the program's order."""
        x = self.reals[name]
        if x.turned is None:
            return x
        rows, columns, channels = x.turned
        image = self.reshaped(x.tensor, (channels, rows, columns))
        turned = self.model.put("Transpose", image, perm=[0, 2, 3, 1])
        return replace(x, tensor=self.reshaped(turned, self.shape(name)), turned=None)

    def reshaped(self, tensor: str, shape: tuple[int, ...]) -> str:
        """Reshape the frames of a tensor."""
        sizes = self.model.whole([0, *shape], f"{tensor}/shape")
        return self.model.put("Reshape", tensor, sizes)

    def channels_last(self, name: str) -> Real:
        """Return a value's real in the program's own order of elements."""
        x = self.straight(name)
        if len(self.shape(name)) != 3:
            return x
        return replace(x, tensor=self.model.put("Transpose", x.tensor, perm=[0, 2, 3, 1]))

    def channels_first(self, tensor: str, shape: tuple[int, ...]) -> str:
        """Bring a tensor in the program's own order to that of the model."""
        if len(shape) != 3:
            return tensor
        return self.model.put("Transpose", tensor, perm=[0, 3, 1, 2])

    # --- quantizers ------------------------------------------------------------------------------

    def quantized(self, node: Node, tensor: str, scale: float, zero: int) -> str:
        """Put a node's quantizer behind a tensor."""
        if self.type(node.name).width > FLOAT_BITS:
            raise ModelError(
                f"{node} must have codes of {FLOAT_BITS} bits at most, which float32 tells apart, "
                f"not {self.type(node.name)}"
            )
        how = Codes(self.type(node.name), np.array([scale]), zero)
        return self.dialect.activation(self.model, str(node), tensor, how, node.name)

    def about(self) -> dict[str, str]:
        """Return the metadata: what every tensor that stands for a value of the program means."""
        scales: Mapping[str, object] = {
            real.tensor: {
                "value": name,
                "type": str(self.program.graph.types[name]),
                "scale": real.scale.tolist(),
                "zero_point": real.zero,
                **_true(self.program, name),
            }
            for name, real in self.reals.items()
        }
        return {SCALES: json.dumps(scales), "intaglio.notes": json.dumps(self.program.notes)}


def _true(program: Program, name: str) -> dict[str, object]:
    how = program.quantization.get(name)
    if how is None:
        return {}
    return {"true_scale": list(how.scale), "true_zero_point": how.zero_point}
