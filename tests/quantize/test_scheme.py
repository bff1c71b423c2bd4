# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import QuantizationError
from intaglio.numerics.types import IntType
from intaglio.quantize.scheme import NAMED, Override, Scheme


def test_the_named_schemes() -> None:
    int8, pow2 = Scheme.named("int8"), Scheme.named("pow2")
    assert int8 == Scheme("s8n", "u8", "s16", "per_channel", "affine")
    assert pow2 == Scheme("s8n", "u8", "s16", "per_tensor", "pow2")
    assert str(pow2) == "weights s8n per_tensor, activations u8, output s16, pow2 scales"
    assert all(isinstance(Scheme.named(name), Scheme) for name in NAMED)


@given(st.integers(1, 8), st.integers(1, 16))
def test_a_scheme_is_named_by_its_bits(weights: int, activations: int) -> None:
    scheme = Scheme.named(f"w{weights}a{activations}")
    assert scheme.weight_type == IntType(weights, signed=True)
    assert scheme.activation_type == IntType(activations, signed=False)


def test_the_text_tells_what_is_not_usual() -> None:
    scheme = Scheme(
        estimator="mse", equalize=True, layers=(Override("c*", weights="s4", rounding="gptq"),)
    )
    assert str(scheme) == (
        "weights s8n per_channel, activations u8, output s16, affine scales, estimator mse, "
        "equalize; c*: weights s4, rounding gptq"
    )


def test_types_are_parsed() -> None:
    scheme = Scheme(weights="s4", activations="u4", output="s12", biases="s8")
    assert scheme.weight_type == IntType(4, signed=True)
    assert scheme.activation_type == IntType(4, signed=False)
    assert scheme.output_type == IntType(12, signed=True)
    assert scheme.bias_type == IntType(8, signed=True)


def test_of_two_exceptions_that_match_the_later_counts() -> None:
    layers = (
        Override("c*", weights="s4", activations="u4"),
        Override("c3", weights="s2n"),
        Override("r3", scale_rule="pow2"),
    )
    scheme = Scheme(layers=layers)
    assert scheme.at("c1") == Scheme("s4", "u4")
    assert scheme.at("c3", "r3") == Scheme("s2n", "u4", scale_rule="pow2")
    assert scheme.at("f6") == Scheme()


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"weights": "u8"},
            "weights must be a signed integer type of 1 to 16 bits, like s8n, not 'u8'",
        ),
        (
            {"weights": "s17"},
            "weights must be a signed integer type of 1 to 16 bits, like s8n, not",
        ),
        (
            {"weights": "s8n", "weight_rule": "affine"},
            "weights must be an unsigned type of 1 to 16 bits, like u8 under the affine rule, not",
        ),
        (
            {"weights": "s9", "weight_rule": "codebook"},
            "weights must be a signed integer type of 1 to 8 bits, like s8n under the codebook ",
        ),
        ({"weight_rule": "log"}, "weight_rule must be symmetric or affine or codebook, not 'log'"),
        (
            {"activations": "f8"},
            "activations must be an integer type of 1 to 16 bits, like u8, not 'f8'",
        ),
        (
            {"activations": "u17"},
            "activations must be an integer type of 1 to 16 bits, like u8, not",
        ),
        ({"output": "u16"}, "output must be a signed integer type of 2 to 32 bits, like s16, not"),
        ({"biases": "s1"}, "biases must be a signed integer type of 2 to 32 bits, like s32, not"),
        ({"granularity": "row"}, "granularity must be per_channel or per_tensor, not 'row'"),
        ({"scale_rule": "log"}, "scale_rule must be affine or pow2 or vitis, not 'log'"),
        ({"estimator": "mean"}, "estimator must be min_max or percentile or mse or .*, not 'mean'"),
        ({"weight_estimator": "mean"}, "weight_estimator must be min_max or .*, not 'mean'"),
        ({"depthwise_estimator": "mean"}, "depthwise_estimator must be min_max or .*, not 'mean'"),
        (
            {"rounding": "up"},
            "rounding must be nearest or half_away or adaround or gptq, not 'up'",
        ),
        (
            {"layers": (Override("c1", weights="x"),)},
            "layer 'c1': weights must be a signed integer type of 1 to 16 bits, like s8n, not 'x'",
        ),
    ],
)
def test_a_wrong_field_says_what_it_must_be(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(QuantizationError, match=f"^{text}"):
        Scheme(**fields)


@pytest.mark.parametrize("name", ["int9", "w9a4", "w0a4", "w4a17", "w4"])
def test_an_unknown_name_lists_the_known(name: str) -> None:
    text = rf"^a scheme must be int8, pow2, .*, vitis or like w4a4, not '{name}'$"
    with pytest.raises(QuantizationError, match=text):
        Scheme.named(name)
