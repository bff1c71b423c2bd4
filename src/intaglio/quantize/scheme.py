# SPDX-License-Identifier: Apache-2.0
"""What is quantised how: a value that says everything and does nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from typing import Any, Literal, Self, get_args

from intaglio.errors import ModelError, QuantizationError
from intaglio.numerics.types import IntType
from intaglio.quantize import estimators, quantizers

Granularity = Literal["per_channel", "per_tensor"]
WeightRule = Literal["symmetric", "affine", "codebook"]
Rounding = Literal["nearest", "half_away", "adaround", "gptq"]

_LIKE = {"weights": "s8n", "activations": "u8", "output": "s16", "biases": "s32"}
#: The widest index of a codebook: its entries have 8 bits.
CODEBOOK_BITS = 8


@dataclass(frozen=True)
class Override:
    """What is otherwise for the values and layers whose name matches a pattern, as of a shell.

    None leaves a field as it is.
    """

    pattern: str
    weights: str | None = None
    activations: str | None = None
    granularity: Granularity | None = None
    scale_rule: str | None = None
    weight_rule: WeightRule | None = None
    estimator: str | None = None
    weight_estimator: str | None = None
    rounding: Rounding | None = None

    def __str__(self) -> str:
        return f"{self.pattern}: " + ", ".join(f"{k} {v}" for k, v in self.given.items())

    @property
    def given(self) -> dict[str, Any]:
        """The fields that are not left as they are."""
        found = {f.name: getattr(self, f.name) for f in fields(self)[1:]}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True)
class Scheme:
    """The integer types of a program, the rules for its scales, and how its weights are found.

    `weights` is the type of the weights' codes: signed and around zero under the rule `symmetric`,
    where s1 means -1 and +1; unsigned with a zero point of their own under `affine`; indices of
    2^bits numbers of 8 bits, the best ones, under `codebook`. `output` is the type of the last
    layer's result, wide and symmetric so that close scores keep their order. `granularity` is that
    of the weights' scales; activations have one scale a tensor. `scale_rule` names a quantizer,
    `estimator` and `weight_estimator` what finds the ranges; `depthwise_estimator`, where given,
    those of depthwise weights. `biases` of less than 32 bits have a scale of their own.

    `rounding` says how weights become codes. `nearest` needs no data; `adaround` takes of the two
    next codes those that change the layer's results least, `gptq` rounds one weight after the other
    and mends the rest. `equalize` evens out the channels of layers that follow each other.
    `correct_bias` takes the mean error of each channel out. `layers` are exceptions by name; of two
    that match, the later counts.

    Raises:
        QuantizationError: a field is not one of its allowed values.
    """

    weights: str = "s8n"
    activations: str = "u8"
    output: str = "s16"
    granularity: Granularity = "per_channel"
    scale_rule: str = "affine"
    weight_rule: WeightRule = "symmetric"
    estimator: str = "min_max"
    weight_estimator: str = "min_max"
    depthwise_estimator: str = ""
    rounding: Rounding = "nearest"
    biases: str = "s32"
    equalize: bool = False
    correct_bias: bool = False
    layers: tuple[Override, ...] = ()

    def __post_init__(self) -> None:
        _check_weights(self.weights, self.weight_rule)
        _check("activations", self.activations, widths=(1, 16))
        _check("output", self.output, widths=(2, 32), signed=True)
        _check("biases", self.biases, widths=(2, 32), signed=True)
        _check_word("granularity", self.granularity, get_args(Granularity))
        _check_word("scale_rule", self.scale_rule, quantizers())
        _check_word("estimator", self.estimator, estimators())
        _check_word("weight_estimator", self.weight_estimator, estimators())
        _check_word("depthwise_estimator", self.depthwise_estimator, ("", *estimators()))
        _check_word("rounding", self.rounding, get_args(Rounding))
        for override in self.layers:
            try:
                replace(self, layers=(), **override.given)
            except QuantizationError as error:
                raise QuantizationError(f"layer {override.pattern!r}: {error}") from None

    def __str__(self) -> str:
        parts = [
            f"weights {self.weights} {self.granularity}",
            f"activations {self.activations}",
            f"output {self.output}",
            f"{self.scale_rule} scales",
        ]
        for field in fields(self)[5:-1]:
            value = getattr(self, field.name)
            if value != field.default:
                words = field.name.replace("_", " ")
                parts.append(words if value is True else f"{words} {value}")
        return "; ".join([", ".join(parts), *map(str, self.layers)])

    @classmethod
    def named(cls, name: str) -> Self:
        """Return a ready-made scheme.

        `int8` is for accuracy and `pow2` for the least hardware: it has one weight scale a layer,
        so that every multiplier is 1. `affine8` has weights with a zero point, `codebook4` weights
        of 16 numbers a layer, `vitis` the integers of Vitis AI. `w4a4` and its like, weights of 1
        to 8 bits and activations of 1 to 16, spend data and time on few bits.

        Raises:
            QuantizationError: there is no scheme of that name.
        """
        if name in NAMED:
            return cls(**NAMED[name])
        match = re.fullmatch(r"w([1-8])a([1-9]|1[0-6])", name)
        if match is None:
            known = ", ".join(NAMED)
            raise QuantizationError(f"a scheme must be {known} or like w4a4, not {name!r}")
        return cls(weights=f"s{match[1]}", activations=f"u{match[2]}", **FEW_BITS)

    def at(self, *names: str) -> Self:
        """Return the scheme of a value or layer, by any of its names."""
        changes: dict[str, Any] = {}
        for override in self.layers:
            if any(fnmatchcase(name, override.pattern) for name in names):
                changes |= override.given
        return replace(self, layers=(), **changes) if self.layers else self

    @property
    def weight_type(self) -> IntType:
        """The type of the weights' codes."""
        return IntType.parse(self.weights)

    @property
    def activation_type(self) -> IntType:
        """The type of activations."""
        return IntType.parse(self.activations)

    @property
    def output_type(self) -> IntType:
        """The type of the last layer's result."""
        return IntType.parse(self.output)

    @property
    def bias_type(self) -> IntType:
        """The type of biases."""
        return IntType.parse(self.biases)


#: What schemes of few bits have in common. Of the two ways to round by data this one was as good or
#: better for LeNet-5 on MNIST at 2 to 4 bits and ResNet-8 on CIFAR-10 at 2 and 4.
FEW_BITS: dict[str, Any] = {
    "estimator": "mse",
    "weight_estimator": "mse",
    "rounding": "adaround",
    "correct_bias": True,
}
NAMED: dict[str, dict[str, Any]] = {
    "int8": {},
    "pow2": {"granularity": "per_tensor", "scale_rule": "pow2"},
    "affine8": {"weights": "u8", "weight_rule": "affine", "granularity": "per_tensor"},
    "codebook4": {"weights": "s4", "weight_rule": "codebook"},
    "vitis": {
        "weights": "s8",
        "activations": "s8",
        "output": "s8",
        "granularity": "per_tensor",
        "scale_rule": "vitis",
        "estimator": "min_diffs",
        "weight_estimator": "min_diffs",
        "rounding": "half_away",
        "biases": "s8",
    },
}


def _check_weights(text: str, rule: str) -> None:
    _check_word("weight_rule", rule, get_args(WeightRule))
    match rule:
        case "affine":
            _check("weights", text, widths=(1, 16), signed=False, where=" under the affine rule")
        case "codebook":
            widths = (1, CODEBOOK_BITS)
            _check("weights", text, widths=widths, signed=True, where=" under the codebook rule")
        case _:
            _check("weights", text, widths=(1, 16), signed=True)


def _check(
    field: str, text: str, widths: tuple[int, int], signed: bool | None = None, where: str = ""
) -> None:
    low, high = widths
    kinds = {None: "an integer type", True: "a signed integer type", False: "an unsigned type"}
    like = "u8" if signed is False else _LIKE[field]
    rule = f"{field} must be {kinds[signed]} of {low} to {high} bits, like {like}{where}"
    try:
        element = IntType.parse(text)
    except ModelError:
        raise QuantizationError(f"{rule}, not {text!r}") from None
    if not low <= element.width <= high or signed not in (None, element.signed):
        raise QuantizationError(f"{rule}, not {text!r}")


def _check_word(field: str, word: str, known: Iterable[str]) -> None:
    allowed = list(known)
    if word not in allowed:
        listed = " or ".join(name for name in allowed if name)
        raise QuantizationError(f"{field} must be {listed}, not {word!r}")
