# SPDX-License-Identifier: Apache-2.0
"""The widths of an array that a program needs: of activations, weights, sums, and codes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from intaglio.arch.systolic.array import VALUE_BITS, Array, container
from intaglio.arch.systolic.constants import check_layer
from intaglio.arch.systolic.layers import Layer, Network
from intaglio.errors import ModelError

#: Least and most bits: of activations and weights, and of sums.
ELEMENT_BITS, SUM_BITS = (2, 8), (VALUE_BITS, 34)


def kinds(net: Network, beat_bits: int) -> tuple[Array, ...]:
    """Return arrays of one cell with the least widths that hold every number of a program.

    Where all layers have few enough distinct weights, a second one keeps them as codes that take
    less room in external memory.

    Raises:
        ModelError: a number fits no array; the layer is named.
    """
    terms = [term for layer in net.layers for term in layer.terms]
    act = max(term.element.width for term in terms)
    weights = [value for term in terms for value in (term.weight.min(), term.weight.max())]
    weight = max(_signed_bits(int(value)) for value in weights)
    sums = max(_sum_bits(layer) for layer in net.layers)
    act, weight = (max(ELEMENT_BITS[0], bits) for bits in (act, weight))
    for name, bits, most in (
        ("activations", act, ELEMENT_BITS[1]),
        ("weights", weight, ELEMENT_BITS[1]),
        ("sums", sums, SUM_BITS[1]),
    ):
        if bits > most:
            raise ModelError(f"{name} of an array must be at most {most} bits, not {bits}")
    plain = Array(
        1,
        1,
        act_bits=act,
        weight_bits=weight,
        sum_bits=max(SUM_BITS[0], sums),
        remainders=any(layer.scale.remainder.any() for layer in net.layers),
        beat_bits=beat_bits,
    )
    for layer in net.layers:
        try:
            check_layer(layer, plain)
        except ModelError as error:
            raise ModelError(f"layer {layer.name!r}: {error}") from None
    code = max(1, (max(map(_distinct, net.layers)) - 1).bit_length())
    if container(code) < plain.weight_container:
        return plain, replace(plain, code_bits=code)
    return (plain,)


def _signed_bits(value: int) -> int:
    return (value if value >= 0 else ~value).bit_length() + 1


def _sum_bits(layer: Layer) -> int:
    """Return the bits of the largest sum of a layer, as `check_layer` reckons it."""
    most = 0
    for term in layer.terms:
        largest = max(abs(term.element.min), abs(term.element.max), abs(term.pad_value))
        total = np.abs(term.weight).reshape(len(term.weight), -1).sum(axis=1) * largest
        most = max(most, int((total + np.abs(layer.bias)).max()))
    return most.bit_length() + 1


def _distinct(layer: Layer) -> int:
    """Return how many values a codebook of a layer has at most: zero lies between groups."""
    groups = any(term.groups > 1 for term in layer.terms)
    values = np.concatenate([term.weight.ravel() for term in layer.terms])
    return len(np.unique(np.append(values, 0) if groups else values))
