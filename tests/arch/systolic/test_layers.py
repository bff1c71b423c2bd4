# SPDX-License-Identifier: Apache-2.0
"""What an array cannot run is refused by name; what it can is summed up as the program says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.blocks import blocks
from intaglio.arch.systolic.design import ArrayDesign
from intaglio.arch.systolic.layers import network
from intaglio.devices import device
from intaglio.errors import ModelError
from intaglio.ir.constant import Constant
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.requantize import Requantize
from intaglio.ops.upsample import Upsample
from tests.strategies import Sketch

U8 = IntType(8, signed=False)


def scaled(sketch: Sketch) -> Sketch:
    sketch.put(Requantize(4, 0, U8), multiplier=Constant.integers(np.array([3])))
    return sketch


def small() -> Sketch:
    """A convolution and a dense layer."""
    sketch = Sketch(TensorType((4, 4, 2), U8))
    weight = np.arange(-18, 18).reshape(2, 3, 3, 2)
    bias = Constant.integers(np.array([1, -1]))
    sketch.put(Conv2d(), weight=Constant(weight, IntType(8, signed=True)), bias=bias)
    scaled(sketch)
    sketch.put(Flatten())
    dense = Constant(np.ones((3, 8), np.int64), IntType(2, signed=True))
    sketch.put(Matmul(), weight=dense, bias=Constant.integers(np.zeros(3, np.int64)))
    return scaled(sketch)


def design(array: Array) -> ArrayDesign:
    return ArrayDesign.of(small().program(), device("ecp5-85f"), array)


def test_a_dense_layer_is_a_window_as_large_as_what_was_flattened() -> None:
    layers = network(small().program()).layers
    assert [layer.shape for layer in layers] == [(2, 2, 2), (1, 1, 3)]
    assert layers[1].terms[0].weight.shape == (3, 2, 2, 2)
    assert layers[1].terms[0].value == layers[0].name


def test_an_operator_without_a_rule_is_named() -> None:
    sketch = small()
    sketch = Sketch(sketch.input)
    sketch.put(Upsample((2, 2)))
    with pytest.raises(ModelError, match=r"upsample 'n0' has no place on an array"):
        network(scaled(sketch).program())


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"act_bits": 4}, r"layer 'n1': act_bits must be at least 8"),
        ({"weight_bits": 4}, r"layer 'n1': weights must fit s4, not -18..17"),
        ({"sum_bits": 20, "act_bits": 8, "code_bits": 2}, r"at most 4 different values for codes"),
        ({"weight_words": 2}, r"weight_words must be at least 4, not 2"),
        ({"act_rows": 2}, r"act_rows must be at least \d+ for a row of it, not 2"),
        ({"parameter_words": 2, "columns": 1}, r"parameter_words must be at least 4, not 2"),
    ],
)
def test_what_is_too_small_is_named(sizes: dict[str, int], said: str) -> None:
    array = replace(Array(2, 4), **sizes)
    with pytest.raises(ModelError, match=said):
        design(array)


def test_a_maximum_sees_one_element_at_a_time_also_of_one_channel() -> None:
    sketch = Sketch(TensorType((4, 4, 1), U8))
    sketch.put(MaxPool((2, 2), (2, 2)))
    made = ArrayDesign.of(scaled(sketch).program(), device("ecp5-85f"), Array(4, 4))
    (layer, *_) = made.network.layers
    (block,) = blocks(made.network, layer, made.array, Dataflow.WEIGHT_STATIONARY)
    assert [(piece.steps, piece.run) for piece in block.pieces] == [(4, 1)]


def test_every_layer_needs_a_dataflow_that_the_array_has() -> None:
    with pytest.raises(ModelError, match="every layer must have one dataflow: look at 'n1'"):
        ArrayDesign(small().program(), device("ecp5-85f"), Array(2, 2), {})
    with pytest.raises(ModelError, match="layer 'n1': the array must have dataflow os"):
        ArrayDesign.of(
            small().program(), device("ecp5-85f"), Array(2, 2), Dataflow.OUTPUT_STATIONARY
        )


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"rows": 0}, "rows must be 1..256, not 0"),
        ({"act_bits": 9}, "act_bits must be 2..8, not 9"),
        ({"sum_rows": 48}, "sum_rows must be a power of two, not 48"),
        ({"dataflows": frozenset()}, "an array must have at least one dataflow, not none"),
    ],
)
def test_sizes_are_checked(sizes: dict[str, object], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        replace(Array(2, 2), **sizes)  # type: ignore[arg-type]


def test_dataflows_have_the_names_everybody_uses() -> None:
    assert [flow.short for flow in Dataflow] == ["ws", "is", "os"]
    assert [Dataflow.parse(flow.short) for flow in Dataflow] == list(Dataflow)
    with pytest.raises(ModelError, match="a dataflow must be ws, is or os, not 'rs'"):
        Dataflow.parse("rs")
