# SPDX-License-Identifier: Apache-2.0
"""Schemes: what a layer gets, what is refused, to JSON and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from intaglio.errors import QuantizationError
from intaglio.train.quantized.scheme import Override, QatScheme


def test_overrides_win_over_first_and_last_and_these_over_the_rest() -> None:
    overrides = {"b": Override(weights=3), "c": Override(method="ternary", weights=2)}
    scheme = QatScheme(weights=4, first=8, last=6, overrides=overrides)
    assert scheme.of("a", first=True).weights == 8
    assert scheme.of("b", first=True).weights == 3
    assert scheme.of("z", last=True).weights == 6
    assert scheme.of("m").weights == 4
    assert scheme.of("c").method == "ternary"


def test_layers_of_other_bits_than_a_method_has_are_lsq_or_binary() -> None:
    scheme = QatScheme(weights=1, method="binary", first=8)
    assert scheme.of("a", first=True).method == "lsq"
    assert scheme.of("b").method == "binary"
    assert QatScheme(weights=2, last=1).of("z", last=True).method == "binary"


def test_activations_are_overridden_by_their_place() -> None:
    scheme = QatScheme(activations=2, overrides={"relu": Override(activations=4)})
    assert (scheme.activation_bits("relu"), scheme.activation_bits("other")) == (4, 2)


def test_it_goes_to_json_and_back() -> None:
    scheme = QatScheme(
        weights=3, method="clipq", prune=0.25, overrides={"a": Override(prune=0.5, weights=4)}
    )
    assert QatScheme.from_json(json.loads(json.dumps(scheme.to_json()))) == scheme
    assert str(scheme) == "w3a8 clipq, prune 0.25, 1 overrides"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"weights": 9}, "weights must have 2..8 bits, not 9"),
        ({"activations": 0}, "activations must have 1..8 bits, not 0"),
        ({"weights": 1}, "weights of 1 bit must be of method binary, not 'lsq'"),
        ({"weights": 2, "method": "binary"}, "binary weights must have 1 bits, not 2"),
        ({"first": 0}, "weights of the first layer must have 1..8 bits, not 0"),
        ({"input_bits": 12}, "images must have 1..8 bits, not 12"),
        ({"weight_range": 0.0}, "weight_range must be positive and finite, not 0.0"),
        (
            {"method": "fixed", "power_of_two": True, "activation_range": 3.0},
            "activation_range must be a power of two where scales are, not 3.0",
        ),
        ({"prune": 1.5}, "the share of pruned weights must be in 0..1, not 1.5"),
        (
            {"overrides": {"a": Override(activations=9)}},
            "activations of 'a' must have 1..8 bits, not 9",
        ),
        (
            {"overrides": {"a": Override(weights=3, method="ternary")}},
            "ternary weights of 'a' must have 2 bits, not 3",
        ),
        (
            {"method": "qat"},
            "the method must be one of lsq, lsq\\+, fixed, binary, ternary, clipq, "
            "clipq-published, flownetq-published, not 'qat'",
        ),
    ],
)
def test_what_is_out_of_range_is_refused(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(QuantizationError, match=f"^{text}$"):
        QatScheme(**fields)
