# SPDX-License-Identifier: Apache-2.0
"""What a network is trained to: bits, method, and which layers differ; a value, it does nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from intaglio.errors import QuantizationError
from intaglio.train.quantized.clipq import check_theta
from intaglio.train.quantized.fixed_range import ACTIVATION_RANGE, WEIGHT_RANGE
from intaglio.train.quantized.quantizer import MAX_BITS, check_bits

#: Method -> the least bits its weights may have.
METHODS: Mapping[str, int] = MappingProxyType(
    {
        "lsq": 2,
        "lsq+": 2,
        "fixed": 2,
        "binary": 1,
        "ternary": 2,
        "clipq": 2,
        "clipq-published": 2,
        "flownetq-published": 2,
    }
)
#: Methods whose weights have one number of bits only.
_ONLY = {"binary": 1, "ternary": 2}


@dataclass(frozen=True)
class Override:
    """What is different in one place; None stays as the scheme says.

    `weights`, `method` and `prune` are of a layer with weights, `activations` of a place where
    activations are quantized.
    """

    weights: int | None = None
    activations: int | None = None
    method: str | None = None
    prune: float | None = None


@dataclass(frozen=True)
class QatScheme:
    """Bits of weights and activations, and how they are found.

    `method` is one of `METHODS`; `first` and `last` are bits of the first and the last layer's
    weights where these differ; `overrides` names layers, or the places behind which activations
    are quantized. `per_channel` gives weights a scale for each output channel, `power_of_two` lets
    scales be powers of two only. `weight_range` and `activation_range` are for fixed ranges,
    `prune` for CLIP-Q. Images are in [0, 1], in `input_bits` bits.

    Raises:
        QuantizationError: a field is not one of its allowed values.
    """

    weights: int = 8
    activations: int = 8
    method: str = "lsq"
    first: int | None = None
    last: int | None = None
    overrides: Mapping[str, Override] = field(default_factory=dict)
    per_channel: bool = False
    power_of_two: bool = False
    weight_range: float = WEIGHT_RANGE
    activation_range: float = ACTIVATION_RANGE
    prune: float = 0.4
    input_bits: int = MAX_BITS

    def __post_init__(self) -> None:
        check_bits("activations", self.activations)
        check_bits("images", self.input_bits)
        check_theta(self.prune, 2)
        _check_weights("", self.weights, self.method)
        for name in ("weight_range", "activation_range"):
            range_ = getattr(self, name)
            if not 0 < range_ < math.inf:
                raise QuantizationError(f"{name} must be positive and finite, not {range_}")
            if self.power_of_two and self.method == "fixed" and math.frexp(range_)[0] != 0.5:
                raise QuantizationError(
                    f"{name} must be a power of two where scales are, not {range_}"
                )
        for name, bits in (("first", self.first), ("last", self.last)):
            if bits is not None:
                check_bits(f"weights of the {name} layer", bits)
        for name, override in self.overrides.items():
            if override.activations is not None:
                check_bits(f"activations of {name!r}", override.activations)
            if override.prune is not None:
                check_theta(override.prune, 2)
            if override.weights is not None or override.method is not None:
                bits = self.weights if override.weights is None else override.weights
                _check_weights(f" of {name!r}", bits, override.method or self.method)

    def __str__(self) -> str:
        plain = QatScheme()
        said = {"weights", "activations", "method", "overrides"}
        rest = [
            f"{one.name} {getattr(self, one.name)}"
            for one in fields(self)
            if one.name not in said and getattr(self, one.name) != getattr(plain, one.name)
        ]
        rest += [f"{len(self.overrides)} overrides"] if self.overrides else []
        return ", ".join([f"w{self.weights}a{self.activations} {self.method}", *rest])

    def of(self, layer: str, *, first: bool = False, last: bool = False) -> QatScheme:
        """Return the scheme as it is for one layer's weights.

        A layer of 1 bit is binary, and one of a binary or ternary scheme with more bits is LSQ's.
        """
        own = self.overrides.get(layer, Override())
        bits = own.weights
        if bits is None and (first or last):
            bits = self.first if first else self.last
        bits = self.weights if bits is None else bits
        method = own.method or self.method
        if bits == 1:
            method = "binary"
        elif own.method is None and _ONLY.get(method, bits) != bits:
            method = "lsq"
        prune = self.prune if own.prune is None else own.prune
        return replace(
            self, weights=bits, method=method, prune=prune, overrides={}, first=None, last=None
        )

    def activation_bits(self, place: str) -> int:
        """Return the bits of activations behind a place."""
        bits = self.overrides.get(place, Override()).activations
        return self.activations if bits is None else bits

    def to_json(self) -> dict[str, Any]:
        """Return the scheme as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> QatScheme:
        """Return the scheme that `to_json` described."""
        overrides = {name: Override(**one) for name, one in document["overrides"].items()}
        return cls(**{**document, "overrides": overrides})


def _check_weights(where: str, bits: int, method: str) -> None:
    if method not in METHODS:
        raise QuantizationError(
            f"the method{where} must be one of {', '.join(METHODS)}, not {method!r}"
        )
    only = _ONLY.get(method)
    if only is not None and bits != only:
        raise QuantizationError(f"{method} weights{where} must have {only} bits, not {bits}")
    if bits == 1 and method != "binary":
        raise QuantizationError(f"weights{where} of 1 bit must be of method binary, not {method!r}")
    check_bits(f"weights{where}", bits, METHODS[method])
