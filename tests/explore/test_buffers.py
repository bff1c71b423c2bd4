# SPDX-License-Identifier: Apache-2.0
"""Slack in row buffers: as much as the interval needs, and no row more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from intaglio.arch.dataflow import dataflow
from intaglio.arch.design import Design
from intaglio.devices import device
from intaglio.explore.buffers import settle_buffers
from intaglio.hw.unit import Fold
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.types import Quantization, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.requantize import Requantize

U4, S4 = IntType(4, signed=False), IntType(4, signed=True)


def two_equal_convolutions() -> Design:
    """Two layers of the same cycles, a pooling between: rows come in bursts, both would wait."""
    random = np.random.default_rng(0)
    constants = {
        "m": Constant.integers(np.array([1])),
        "a.w": Constant(random.integers(-8, 8, (8, 5, 5, 1)), S4),
        "b.w": Constant(random.integers(-8, 8, (2, 5, 5, 8)), S4),
        "a.b": Constant.integers(random.integers(-9, 9, 8)),
        "b.b": Constant.integers(random.integers(-9, 9, 2)),
    }
    op = Conv2d(padding=(2, 2, 2, 2))
    nodes = (
        Node("a", op, ("x", "a.w", "a.b")),
        Node("q", Requantize(8, 0, U4), ("a", "m")),
        Node("p", MaxPool((2, 2), (2, 2)), ("q",)),
        Node("b", op, ("p", "b.w", "b.b")),
    )
    graph = Graph("twins", (Value("x", TensorType((28, 28, 1), U4)),), nodes, ("b",), constants)
    program = Program(graph, {"x": Quantization((1.0,)), "b": Quantization((1.0,))})
    folds = {
        "a.padded": Fold(1, 1, 1),
        "a": Fold(1, 5, 4),
        "q": Fold(1, 1, 1),
        "p": Fold(1, 1, 1),
        "b.padded": Fold(1, 1, 1),
        "b": Fold(1, 5, 2),
    }
    return dataflow(program, device("ecp5-45f"), folds)


def test_slack_removes_stalls_between_units_of_equal_speed() -> None:
    design = two_equal_convolutions()
    assert design.cycles.interval > design.bottleneck.unit.interval
    settled = settle_buffers(design)
    assert settled.cycles.interval == settled.bottleneck.unit.interval
    assert settled.bottleneck.unit.interval == design.bottleneck.unit.interval


def test_nothing_holds_more_than_the_interval_needs() -> None:
    settled = settle_buffers(two_equal_convolutions())
    slacks = {node: fold.slack for node, fold in settled.folds.items() if fold.slack}
    assert slacks or settled.buffers
    for node, slack in slacks.items():
        folds = {**settled.folds, node: replace(settled.folds[node], slack=slack - 1)}
        tighter = dataflow(settled.program, settled.device, folds, settled.buffers)
        assert tighter.cycles.interval > settled.cycles.interval
    for place, depth in settled.buffers.items():
        less = {name: n for name, n in settled.buffers.items() if name != place}
        for buffers in (less, {**less, place: depth - 1}) if depth > 1 else (less,):
            tighter = dataflow(settled.program, settled.device, settled.folds, buffers)
            assert tighter.cycles.interval > settled.cycles.interval


def test_rows_are_added_where_beats_before_the_unit_do_not_help() -> None:
    design = two_equal_convolutions()
    rows = {"p.rows": design.room("p.rows") + 1, "b.rows": design.room("b.rows") + 1}
    assert not design.keeps(design.cycles.interval - 1, {})
    assert design.keeps(design.cycles.interval - 1, rows)


def test_a_design_that_does_not_stall_is_left_alone() -> None:
    design = two_equal_convolutions()
    slower = dataflow(design.program, design.device, {**design.folds, "b": Fold(1, 1, 1)})
    assert slower.cycles.interval == slower.bottleneck.unit.interval
    assert settle_buffers(slower) is slower
