# SPDX-License-Identifier: Apache-2.0
"""The cells a design is said to take, against those Yosys finds in its bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from intaglio.arch.dataflow import dataflow
from intaglio.devices import device
from intaglio.explore.folding import best_throughput
from intaglio.ir.graph import Node, Program
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.lookup import Lookup
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.mul import Mul
from intaglio.ops.requantize import Requantize
from intaglio.rtl.bundle import emit
from intaglio.tools.yosys import synthesize_netlist
from tests.programs import S8, U8, codes, convolutional, program

#: What the estimate of LUTs may be off by, for designs this small.
LUT_ERROR = 0.25


def wide() -> Program:
    """Weights and rows that go to block RAM, and accumulators that take two multipliers."""
    return program(
        (9, 40, 8),
        [
            Node("conv", Conv2d((2, 2)), ("x", "w", "b")),
            Node("scaled", Requantize(20, 0, U8), ("conv", "m")),
            Node("pool", MaxPool((2, 2), (1, 1)), ("scaled",)),
        ],
        {
            "w": codes(S8, 16, 3, 3, 8),
            "b": codes(S8, 16),
            "m": codes(U8, 16),
        },
    )


def depthwise() -> Program:
    """A filter or two for every channel, wide and dilated, then one that mixes all channels."""
    return program(
        (9, 12, 6),
        [
            Node("each", Conv2d((1, 1), dilation=(1, 2), groups=6), ("x", "w", "b")),
            Node("scaled", Requantize(20, 0, U8), ("each", "m")),
            Node("mixed", Conv2d(groups=2), ("scaled", "v", "c")),
        ],
        {
            "w": codes(S8, 12, 3, 3, 1),
            "b": codes(S8, 12),
            "m": codes(U8, 12),
            "v": codes(S8, 8, 1, 1, 6),
            "c": codes(S8, 8),
        },
    )


def pointwise() -> Program:
    """Tables in LUTs and in block RAM, and products of two streams."""
    return program(
        (4, 4, 6),
        [
            Node("deep", Lookup(), ("x", "t")),
            Node("flat", Lookup(-32), ("deep", "s")),
            Node("product", Mul(), ("deep", "flat")),
            Node("scaled", Requantize(9, 0, U8), ("product", "m")),
        ],
        {
            "t": codes(IntType(6, signed=True), 1 << 11),
            "s": codes(S8, 64),
            "m": codes(U8, 1),
        },
        element=IntType(11, signed=False),
    )


@pytest.mark.parametrize(
    "made",
    [convolutional(), wide(), depthwise(), pointwise()],
    ids=["narrow", "wide", "depthwise", "pointwise"],
)
def test_a_netlist_has_the_cells_that_were_counted(made: Program, tmp_path: Path) -> None:
    target = device("ecp5-25f")
    design = dataflow(made, target, best_throughput(made, target, logic=0.25).folds)
    bundle = emit(design, tmp_path / "bundle")
    cells = synthesize_netlist(
        bundle.folder,
        bundle.sources,
        bundle.top,
        tmp_path / "netlist.json",
        log=tmp_path / "yosys.log",
    )
    assert cells.dsp == design.resources.dsp > 0
    assert cells.bram == design.resources.bram > 0
    assert abs(cells.lut - design.resources.lut) <= LUT_ERROR * cells.lut
