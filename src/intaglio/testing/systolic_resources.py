# SPDX-License-Identifier: Apache-2.0
"""The cells an array is said to take on a device, against those Yosys makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.cost import cost, list_sizes
from intaglio.arch.systolic.layers import network
from intaglio.arch.systolic.schedule import Schedule, schedule
from intaglio.devices.description import Device
from intaglio.hw import library
from intaglio.hw.cost import Resources
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.types import Quantization, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.requantize import Requantize
from intaglio.rtl.array_top import BLOCKS, array_top, list_files
from intaglio.tools.netlist import Cells
from intaglio.tools.yosys import synthesize_netlist

_WS, _IS, _OS = Dataflow
#: Engines from a single cell on, with all dataflows, operands, sums and memories of all kinds.
CASES: Mapping[str, Array] = MappingProxyType(
    {
        "1 x 1 ws": Array(1, 1, sum_bits=24),
        "2 x 2 ws": Array(2, 2, sum_bits=24, act_rows=256),
        "4 x 4 os": Array(4, 4, frozenset({_OS})),
        "3 x 5 is": Array(3, 5, frozenset({_IS}), sum_bits=24),
        "4 x 8 ws is": Array(4, 8, frozenset({_WS, _IS}), sum_bits=28),
        "6 x 4 all": Array(6, 4, frozenset(Dataflow), act_rows=4096),
        "8 x 4 ws 4 bits": Array(
            8, 4, act_bits=4, weight_bits=4, sum_bits=20, weight_words=512, act_rows=1024
        ),
        "5 x 3 os codes": Array(
            5, 3, frozenset({_OS}), weight_bits=6, code_bits=4, sum_bits=24, beat_bits=128
        ),
        "8 x 8 ws": Array(8, 8),
        "8 x 8 os": Array(8, 8, frozenset({_OS}), sum_bits=24, sum_rows=1024),
        "12 x 12 ws": Array(12, 12, sum_bits=24),
    }
)


@dataclass(frozen=True)
class MeasuredEngine:
    """What an array is made of, the cells it was said to take and those it took."""

    name: str
    parts: Resources
    estimated: Resources
    found: Cells

    def errors(self) -> dict[str, float]:
        """Return how far each kind is off as a share of what was found."""
        return {
            kind: wanted / getattr(self.found, kind) - 1
            for kind, wanted in self.estimated.counts.items()
        }


def measure_engine(name: str, device: Device, folder: Path) -> MeasuredEngine:
    """Synthesize one of `CASES`, with a small network's lists, in a folder of its own.

    Raises:
        MissingToolError: Yosys is not installed.
        ToolError: it failed.
    """
    array = CASES[name]
    work = small_schedule(array)
    (folder / "mem").mkdir(parents=True)
    for path, text in list_files(work).items():
        (folder / path).write_text(text)
    (folder / "top.sv").write_text(array_top(work, "top"))
    found = synthesize_netlist(
        folder,
        [*(str(library.source(block, device.family)) for block in BLOCKS), "top.sv"],
        "top",
        folder / "netlist.json",
        log=folder / "yosys.log",
        family=device.family,
    )
    parts = cost(array, list_sizes(work))
    return MeasuredEngine(name, parts, parts.on(device), found)


def small_schedule(array: Array) -> Schedule:
    """Return the lists of a network of a few layers on an array, its dataflows in turn."""
    act, weight = IntType(array.act_bits, signed=False), IntType(array.weight_bits, signed=True)
    most = 1 << array.code_bits if array.code_bits else 0
    factors, biases = IntType(8, signed=False), IntType(8, signed=True)
    constants = {
        "w1": _codes(weight, 12, 3, 3, 5, most=most),
        "w2": _codes(weight, 12, 3, 3, 12, most=most),
        "w3": _codes(weight, 20, 2, 2, 12, most=most),
        "w4": _codes(weight, 10, 120, most=most),
    }
    for number, outputs in enumerate((12, 12, 20, 10), 1):
        constants[f"b{number}"] = _codes(biases, outputs)
        constants[f"m{number}"] = _codes(factors, outputs)
    constants["m"] = _codes(factors, 1)
    nodes = (
        Node("c1", Conv2d((2, 2), (1, 1, 1, 1)), ("x", "w1", "b1")),
        Node("r1", Requantize(12, 0, act), ("c1", "m1")),
        Node("c2", Conv2d((1, 1), (1, 1, 1, 1)), ("r1", "w2", "b2")),
        Node("r2", Requantize(11, 0, act), ("c2", "m2")),
        Node("s", Add(), ("r1", "r2")),
        Node("r", Requantize(8, 1, act), ("s", "m")),
        Node("c3", Conv2d(), ("r", "w3", "b3")),
        Node("r3", Requantize(10, 0, act), ("c3", "m3")),
        Node("p", MaxPool((2, 2), (2, 2)), ("r3",)),
        Node("f", Flatten(), ("p",)),
        Node("d", Matmul(), ("f", "w4", "b4")),
        Node("y", Requantize(9, 3, act), ("d", "m4")),
    )
    graph = Graph("small", (Value("x", TensorType((14, 12, 5), act)),), nodes, ("y",), constants)
    scales = dict.fromkeys(("x", *(node.name for node in nodes)), Quantization((1.0,)))
    net = network(Program(graph, scales))
    flows = sorted(array.dataflows, key=lambda flow: flow.value)
    chosen = {layer.name: flows[i % len(flows)] for i, layer in enumerate(net.layers)}
    return schedule(net, array, chosen)


def _codes(element: IntType, *shape: int, most: int = 0) -> Constant:
    """Draw codes of a type, of at most so many different values."""
    random = np.random.default_rng(0)
    low, high = element.min, element.max
    if most:
        low, high = -(most // 2), most // 2 - 1
    return Constant(random.integers(low, high, shape, endpoint=True), element)
