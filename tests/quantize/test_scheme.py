# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from intaglio.errors import QuantizationError
from intaglio.numerics.types import IntType
from intaglio.quantize.scheme import Scheme


def test_the_named_schemes() -> None:
    int8, pow2 = Scheme.named("int8"), Scheme.named("pow2")
    assert int8 == Scheme("s8n", "u8", "s16", "per_channel", "affine")
    assert pow2 == Scheme("s8n", "u8", "s16", "per_tensor", "pow2")
    assert str(pow2) == "weights s8n per_tensor, activations u8, output s16, pow2 scales"


def test_types_are_parsed() -> None:
    scheme = Scheme(weights="s4", activations="u4", output="s12")
    assert scheme.weight_type == IntType(4, signed=True)
    assert scheme.activation_type == IntType(4, signed=False)
    assert scheme.output_type == IntType(12, signed=True)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"weights": "u8"},
            "weights must be a signed integer type of 2 to 16 bits, like s8n, not 'u8'",
        ),
        (
            {"weights": "s17"},
            "weights must be a signed integer type of 2 to 16 bits, like s8n, not",
        ),
        (
            {"activations": "f8"},
            "activations must be an integer type of 2 to 16 bits, like u8, not 'f8'",
        ),
        (
            {"activations": "u1"},
            "activations must be an integer type of 2 to 16 bits, like u8, not",
        ),
        ({"output": "u16"}, "output must be a signed integer type of 2 to 32 bits, like s16, not"),
        ({"granularity": "row"}, "granularity must be per_channel or per_tensor, not 'row'"),
        ({"scale_rule": "log"}, "scale_rule must be affine or pow2, not 'log'"),
    ],
)
def test_a_wrong_field_says_what_it_must_be(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(QuantizationError, match=f"^{text}"):
        Scheme(**fields)


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(QuantizationError, match=r"^a scheme must be int8 or pow2, not 'int9'$"):
        Scheme.named("int9")
