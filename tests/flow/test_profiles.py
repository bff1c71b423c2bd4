# SPDX-License-Identifier: Apache-2.0
"""SCALE-Sim's cycles and the array's, side by side: the reasons add up to the difference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.design import ArrayDesign
from intaglio.arch.systolic.plain import plain_layer
from intaglio.arch.systolic.predict import predict
from intaglio.arch.systolic.schedule import schedule
from intaglio.devices import device
from intaglio.errors import ModelError
from intaglio.flow.profiles import profiles
from intaglio.ir.constant import Constant
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.requantize import Requantize
from intaglio.scalesim.config import Config
from intaglio.scalesim.layer_run import run_layer
from intaglio.scalesim.topology import Layer
from tests.strategies import Sketch

U8 = IntType(8, signed=False)
MACHINE = Config(
    *("run", 4, 4, 4096, 4096, 4096, 0, 10**7, 2 * 10**7, "os", False, 10, 10, 10, False, "dense")
)

layers = st.builds(
    lambda rows, columns, kernel, channels, filters, strides: Layer(
        *("layer", rows + kernel[0], columns + kernel[1], *kernel, channels, filters, *strides)
    ),
    st.integers(1, 9),
    st.integers(1, 9),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.integers(1, 9),
    st.integers(1, 20),
    st.tuples(st.integers(1, 2), st.integers(1, 2)),
)
flows = st.sampled_from(list(Dataflow))
sizes = st.integers(1, 9)


@settings(max_examples=60)
@given(layer=layers, flow=flows, rows=sizes, columns=sizes)
def test_the_reasons_add_up(layer: Layer, flow: Dataflow, rows: int, columns: int) -> None:
    config = replace(MACHINE, rows=rows, columns=columns, dataflow=flow.short)
    row = run_layer(layer, config)
    found = profiles(layer, row, config)
    assert found.scalesim == row.total_cycles + 1
    assert found.difference == found.edges + found.words + found.loads + found.other
    assert found.edges <= 0 < found.rtl


@settings(max_examples=60)
@given(layer=layers, flow=flows, rows=sizes, columns=sizes)
def test_a_layer_known_by_its_sizes_takes_what_a_programs_layer_takes(
    layer: Layer, flow: Dataflow, rows: int, columns: int
) -> None:
    image, kernel = (layer.height, layer.width, layer.channels), layer.filter_height
    stride = (layer.stride, layer.stride_width)
    sketch = Sketch(TensorType(image, U8))
    weight = np.arange(layer.filters * layer.taps) % 251 - 125
    shape = (layer.filters, kernel, layer.filter_width, layer.channels)
    sketch.put(
        Conv2d(stride),
        weight=Constant(weight.reshape(shape), IntType(8, signed=True)),
        bias=Constant.integers(np.zeros(layer.filters, np.int64)),
    )
    sketch.put(Requantize(6, 0, U8), multiplier=Constant.integers(np.array([5])))
    array = Array(rows, columns, frozenset({flow}))
    design = ArrayDesign.of(sketch.program(), device("ecp5-85f"), array)
    net = plain_layer("layer", image, (kernel, layer.filter_width), layer.filters, stride)
    plain = predict(schedule(net, array, {"layer": flow}))
    assert plain.total == design.prediction.total > 0


def test_sparse_layers_are_refused() -> None:
    layer = Layer("layer", 3, 3, 1, 1, 2, 2, 1, 1, kept=1, block=2)
    config = replace(MACHINE, sparse=True)
    row = run_layer(layer, config)
    with pytest.raises(ModelError, match="layer 'layer': the rtl profile has no sparsity"):
        profiles(layer, row, config)
