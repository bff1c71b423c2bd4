# SPDX-License-Identifier: Apache-2.0
"""Slots, multipliers and weights of depthwise units; their RTL is proven in designs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intaglio.hw.unit import Fold, Unit
from intaglio.hw.window_depthwise import window_depthwise
from intaglio.ir.constant import Constant
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d


@dataclass(frozen=True)
class Case:
    weight: np.ndarray
    fold: Fold
    channels: int
    unit: Unit
    y: TensorType


@st.composite
def cases(draw: st.DrawFn) -> Case:
    channels, outputs = draw(st.integers(2, 6)), draw(st.integers(1, 4))
    r, s = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    shape = channels * outputs, r, s, 1
    x = TensorType((r + 3, s + 4, channels), IntType(5, signed=False))
    weight = Constant(np.arange(np.prod(shape)).reshape(shape), IntType(9, signed=False))
    bias = Constant.integers(np.arange(channels * outputs))
    op = Conv2d(groups=channels)
    types = [x, weight.type, bias.type]
    fold = draw(st.sampled_from(list(op.folds(types))))
    y = op.infer(*types)
    unit = window_depthwise(x, weight, bias, y, op.stride, fold)
    return Case(weight.data, fold, channels, unit, y)


@given(cases())
def test_every_slot_multiplies_and_every_weight_is_read_once_a_window(case: Case) -> None:
    (p, q, k), fold = case.y.shape, case.fold
    _, r, s, _ = case.weight.shape
    side_by_side = fold.columns * (r if fold.whole else 1)
    slots = p * q * (k // fold.lanes_out) * (r * s // side_by_side)
    assert case.unit.processes[1].slots == slots
    assert case.unit.multipliers == fold.lanes_out * side_by_side
    assert case.unit.macs == slots * case.unit.multipliers
    assert case.unit.parameters["WeightWords"] * p * q == slots
    assert case.unit.parameters["Passes"] * fold.lanes_out * case.channels == k * fold.lanes_in


@given(cases())
def test_weights_lie_in_the_order_of_outputs_and_then_of_places(case: Case) -> None:
    fold = case.fold
    k, r, s, _ = case.weight.shape
    rows = r if fold.whole else 1
    expected = [
        [
            case.weight[first + lane, down + row, across + column, 0]
            for lane in range(fold.lanes_out)
            for row in range(rows)
            for column in range(fold.columns)
        ]
        for first in range(0, k, fold.lanes_out)
        for down in range(0, r, rows)
        for across in range(0, s, fold.columns)
    ]
    assert case.unit.images[0].fields.tolist() == expected
