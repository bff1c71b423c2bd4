# SPDX-License-Identifier: Apache-2.0
"""The cells a unit is said to take on a device, against those Yosys makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from intaglio.arch.dataflow import dataflow, hardware_graph
from intaglio.devices.description import Device
from intaglio.hw.cost import Resources
from intaglio.hw.unit import Fold, StreamOperator
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.operator import Operator
from intaglio.ir.types import Quantization, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.argmax import Argmax
from intaglio.ops.clip import Clip
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.pad import Pad
from intaglio.ops.requantize import Requantize
from intaglio.rtl.bundle import emit
from intaglio.tools.netlist import Cells
from intaglio.tools.yosys import synthesize_netlist

_U8, _S8, _S20 = IntType(8, signed=False), IntType(8, signed=True), IntType(20, signed=True)


@dataclass(frozen=True)
class Case:
    """One operator with one of its folds, counted from the cheapest, 0, to the dearest, 1."""

    name: str
    program: Program
    fold: float

    def folds(self) -> dict[str, Fold]:
        """Return the fold of every node of the program in hardware."""
        graph = hardware_graph(self.program)
        chosen = {}
        for node in graph.nodes:
            if not isinstance(node.op, StreamOperator):
                raise AssertionError(f"{node} must have hardware")
            legal = sorted(node.op.folds(graph.operand_types(node)), key=_work)
            chosen[node.name] = legal[round(self.fold * (len(legal) - 1))]
        return chosen


@dataclass(frozen=True)
class Measured:
    """What a case is made of, the cells it was said to take and those it took."""

    case: Case
    device: Device
    parts: Resources
    estimated: Resources
    found: Cells

    def errors(self) -> dict[str, float | None]:
        """Return how far each kind is off as a share of what was found; None of nothing."""
        errors: dict[str, float | None] = {}
        for kind, wanted in self.estimated.counts.items():
            real = getattr(self.found, kind)
            errors[kind] = wanted / real - 1 if real else None
        return errors


def measure(case: Case, device: Device, folder: Path) -> Measured:
    """Synthesize a case for a device in a folder of its own.

    Raises:
        MissingToolError: Yosys is not installed.
        ToolError: it failed.
    """
    design = dataflow(case.program, device, case.folds())
    bundle = emit(design, folder / "bundle")
    found = synthesize_netlist(
        bundle.folder,
        bundle.sources,
        bundle.top,
        folder / "netlist.json",
        log=folder / "yosys.log",
        family=device.family,
    )
    parts = sum((i.unit.resources for i in design.instances), Resources())
    return Measured(case, device, parts, design.resources, found)


def cases() -> tuple[Case, ...]:
    """Return the grid: units with and without block RAM, narrow and wide."""
    narrow = _program((6, 8, 2), Conv2d(), w=_codes(_S8, 4, 3, 3, 2), b=_codes(_S8, 4))
    wide = _program((9, 40, 8), Conv2d((2, 2)), w=_codes(_S8, 8, 3, 3, 8), b=_codes(_S8, 8))
    factors = _codes(_U8, 8)
    return (
        Case("conv narrow", narrow, 0.0),
        Case("conv narrow, some lanes", narrow, 0.5),
        Case("conv narrow, all lanes", narrow, 1.0),
        Case("conv wide", wide, 0.0),
        Case("conv wide, some lanes", wide, 0.5),
        Case("dense", _program((64,), Matmul(), w=_codes(_S8, 10, 64), b=_codes(_S8, 10)), 0.0),
        Case(
            "dense, lanes", _program((64,), Matmul(), w=_codes(_S8, 10, 64), b=_codes(_S8, 10)), 0.6
        ),
        Case(
            "requantize s20",
            _program((4, 4, 8), Requantize(12, 0, _U8), element=_S20, m=factors),
            0.0,
        ),
        Case(
            "requantize s20, lanes",
            _program((4, 4, 8), Requantize(12, 0, _U8), element=_S20, m=factors),
            1.0,
        ),
        Case(
            "requantize s8",
            _program((4, 4, 8), Requantize(12, 0, _U8), element=_S8, m=factors),
            0.6,
        ),
        Case("pool", _program((8, 8, 4), MaxPool((2, 2), (2, 2))), 0.0),
        Case("pool, lanes, long rows", _program((4, 60, 4), MaxPool((2, 2), (2, 2))), 1.0),
        Case("pad", _program((8, 8, 4), Pad((1, 1, 1, 1), 0)), 1.0),
        Case("clip", _program((8, 8, 4), Clip(3, 200)), 1.0),
        Case("argmax", _program((10,), Argmax(), element=_S20), 0.0),
        Case("add", _program((4, 4, 4), Add(), ("x", "x")), 1.0),
    )


def _program(
    shape: Sequence[int],
    op: Operator,
    operands: Sequence[str] = ("x",),
    *,
    element: IntType = _U8,
    **constants: Constant,
) -> Program:
    value = Value("x", TensorType(tuple(shape), element))
    node = Node("y", op, (*operands, *constants))
    graph = Graph("unit", (value,), (node,), ("y",), constants)
    return Program(graph, dict.fromkeys(("x", "y"), Quantization((1.0,))))


def _codes(element: IntType, *shape: int) -> Constant:
    random = np.random.default_rng(0)
    return Constant(random.integers(element.min, element.max, shape, endpoint=True), element)


def _work(fold: Fold) -> tuple[int, Fold]:
    return fold.lanes_in * fold.columns * fold.lanes_out * (2 if fold.whole else 1), fold
