# SPDX-License-Identifier: Apache-2.0
"""What is quantised how: a value that says everything and does nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self, get_args

from intaglio.errors import ModelError, QuantizationError
from intaglio.numerics.types import IntType
from intaglio.quantize import quantizers

Granularity = Literal["per_channel", "per_tensor"]

_LIKE = {"weights": "s8n", "activations": "u8", "output": "s16"}


@dataclass(frozen=True)
class Scheme:
    """The integer types of a program and the rule for its scales.

    `weights` are symmetric around zero; `output` is the type of the last layer's result, wide and
    symmetric so that close scores keep their order. `granularity` is that of the weights' scales;
    activations have one scale a tensor. `scale_rule` names a quantizer.

    Raises:
        QuantizationError: a field is not one of its allowed values.
    """

    weights: str = "s8n"
    activations: str = "u8"
    output: str = "s16"
    granularity: Granularity = "per_channel"
    scale_rule: str = "affine"

    def __post_init__(self) -> None:
        _check("weights", self.weights, widths=(2, 16), signed=True)
        _check("activations", self.activations, widths=(2, 16), signed=False)
        _check("output", self.output, widths=(2, 32), signed=True)
        if self.granularity not in get_args(Granularity):
            allowed = " or ".join(get_args(Granularity))
            raise QuantizationError(f"granularity must be {allowed}, not {self.granularity!r}")
        if self.scale_rule not in quantizers():
            allowed = " or ".join(quantizers())
            raise QuantizationError(f"scale_rule must be {allowed}, not {self.scale_rule!r}")

    def __str__(self) -> str:
        return (
            f"weights {self.weights} {self.granularity}, activations {self.activations}, "
            f"output {self.output}, {self.scale_rule} scales"
        )

    @classmethod
    def named(cls, name: str) -> Self:
        """Return a ready-made scheme: `int8` for accuracy, `pow2` for the least hardware.

        `pow2` has one weight scale a layer, so that every multiplier is 1.

        Raises:
            QuantizationError: there is no scheme of that name.
        """
        default = cls()
        found = {
            "int8": default,
            "pow2": replace(default, granularity="per_tensor", scale_rule="pow2"),
        }
        if name not in found:
            raise QuantizationError(f"a scheme must be {' or '.join(found)}, not {name!r}")
        return found[name]

    @property
    def weight_type(self) -> IntType:
        """The type of weights."""
        return IntType.parse(self.weights)

    @property
    def activation_type(self) -> IntType:
        """The type of activations."""
        return IntType.parse(self.activations)

    @property
    def output_type(self) -> IntType:
        """The type of the last layer's result."""
        return IntType.parse(self.output)


def _check(field: str, text: str, widths: tuple[int, int], signed: bool) -> None:
    low, high = widths
    kind = "a signed integer type" if signed else "an integer type"
    rule = f"{field} must be {kind} of {low} to {high} bits, like {_LIKE[field]}"
    try:
        element = IntType.parse(text)
    except ModelError:
        raise QuantizationError(f"{rule}, not {text!r}") from None
    if not low <= element.width <= high or signed > element.signed:
        raise QuantizationError(f"{rule}, not {text!r}")
