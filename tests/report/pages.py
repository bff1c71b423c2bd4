# SPDX-License-Identifier: Apache-2.0
"""A network with everything known about it, small enough to make a page of in a moment."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from typing import Any

import numpy as np

from intaglio.arch.dataflow import dataflow, hardware_graph
from intaglio.arch.design import Design
from intaglio.devices import device
from intaglio.explore.folding import Folding, pareto
from intaglio.hw.unit import Fold, StreamOperator
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.relu import Relu
from intaglio.quantize.accuracy import Evaluation, evaluate
from intaglio.quantize.program import quantize
from intaglio.report.html import VOID
from intaglio.tools.floor import Tile
from intaglio.tools.netlist import Cells
from intaglio.tools.nextpnr import Placed
from intaglio.tools.simulation import Run
from intaglio.tools.synthesis import Synthesis

IMAGES = np.random.default_rng(1).random((40, 8, 8, 2), dtype=np.float32)
LABELS = np.random.default_rng(2).integers(0, 4, len(IMAGES))
DEVICE = device("ecp5-85f")
COMMANDS = ("intaglio quantize net.onnx --calibration images.npz", "intaglio emit a && echo <b>")


def graph(mark: str = "") -> Graph:
    """Return conv2d, relu, pool and matmul; `mark` ends every name."""
    random = np.random.default_rng(0)
    arrays = {
        "w1": random.standard_normal((6, 3, 3, 2)),
        "b1": random.standard_normal(6),
        "w2": random.standard_normal((4, 54)) / 4,
        "b2": random.standard_normal(4),
    }
    layers = (
        ("conv", Conv2d(), "in", "w1", "b1"),
        ("act", Relu(), "conv"),
        ("pool", AveragePool((2, 2), (2, 2)), "act"),
        ("flat", Flatten(), "pool"),
        ("fc", Matmul(), "flat", "w2", "b2"),
    )
    return Graph(
        f"net{mark}",
        (Value(f"in{mark}", TensorType((8, 8, 2), FLOAT32)),),
        tuple(
            Node(f"{name}{mark}", op, tuple(f"{operand}{mark}" for operand in operands))
            for name, op, *operands in layers
        ),
        (f"fc{mark}",),
        {f"{name}{mark}": Constant(data, FLOAT32) for name, data in arrays.items()},
    )


@cache
def program(mark: str = "") -> Program:
    return quantize(graph(mark), IMAGES[:8])


@cache
def design(mark: str = "") -> Design:
    """Return a design whose bottleneck multiplies, and that needs a width converter."""
    lowered = hardware_graph(program(mark))
    folds = {}
    for node in lowered.nodes:
        assert isinstance(node.op, StreamOperator)
        folds[node.name] = next(iter(node.op.folds(lowered.operand_types(node))))
    folds[f"conv{mark}.acc"] = Fold(2, 3, 2)
    folds[f"fc{mark}.acc"] = Fold(3, 1, 2)
    return dataflow(program(mark), DEVICE, folds)


@cache
def front() -> tuple[Folding, ...]:
    return tuple(pareto(program(), DEVICE, points=6))


@cache
def evaluation(mark: str = "") -> Evaluation:
    return evaluate(graph(mark), program(mark), IMAGES, LABELS)


def run(**other: Any) -> Run:
    """Return the simulation of the design, in which nothing differs."""
    cycles = design().cycles
    figures: dict[str, Any] = {
        "images": 16,
        "bit_mismatches": 0,
        "cycle_mismatches": 0,
        "stalled": False,
        "latency_predicted": cycles.latency,
        "latency_simulated": cycles.latency,
        "interval_predicted": cycles.interval,
        "interval_simulated": cycles.interval,
        "cycles": 12345,
        "build_seconds": 7.25,
        "run_seconds": 0.125,
    }
    return Run(**(figures | other))


def synthesis(mark: str = "", target: str = "ecp5-85f") -> Synthesis:
    """Return a placed design that needs a little more than was estimated."""
    cells = design().resources
    return Synthesis(
        key="5" * 64,
        top="net",
        device=target,
        seed=7,
        cells=Cells(cells.lut + 10, cells.ff, cells.dsp, cells.bram, {}),
        placed=Placed(
            cells.lut + 20, cells.ff, cells.dsp, cells.bram, 40, 123.45, f"a{mark} to b{mark}"
        ),
        bitstream="design.bit",
        bitstream_sha256="6" * 64,
        seconds={"place": 98.5},
        tools={"yosys": "0.70", "nextpnr": "0.11"},
        floor=(Tile(0, 0, "pins", 40), Tile(3, 2, "lut", 5), Tile(4, 2, "dsp", 1)),
    )


def everything(mark: str = "") -> dict[str, Any]:
    """Return all that `report` takes beside graph and program."""
    return {
        "evaluation": evaluation(mark),
        "images": IMAGES,
        "labels": LABELS,
        "design": design(mark),
        "run": run(),
        "synthesis": synthesis(mark),
        "front": front(),
        "commands": (*COMMANDS, f"echo {mark}"),
        "provenance": {"bundle sha256": "9" * 64, "seeds": {"training": 3}, f"key{mark}": mark},
    }


class Page(HTMLParser):
    """A page taken apart: elements with their attributes, and text by the element it stands in.

    Every start tag must have its end tag, in order.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.rows: list[list[str]] = []
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> ends nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def row(self, beginning: str) -> list[str]:
        """Return the cells of the first row with that heading."""
        return next(row for row in self.rows if row[0] == beginning)
