# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.ops.add import Add
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.relu import Relu
from intaglio.quantize.program import quantize
from intaglio.report import network
from intaglio.report.facts import Facts
from intaglio.report.fates import fates
from intaglio.report.layers import unit_rows
from intaglio.report.network import cards, network_section
from tests.report.pages import Page, design, graph, program
from tests.report.test_facts import NOTHING


@cache
def residual() -> tuple[Graph, Program]:
    """Return x + norm(conv(x)), rectified, and its integers."""
    random = np.random.default_rng(3)
    arrays = {
        "w": random.standard_normal((2, 1, 1, 2)),
        "b": random.standard_normal(2),
        "scale": random.random(2) + 0.5,
        "offset": random.standard_normal(2),
    }
    found = Graph(
        "residual",
        (Value("x", TensorType((4, 4, 2), FLOAT32)),),
        (
            Node("conv", Conv2d(), ("x", "w", "b")),
            Node("norm", BatchNorm(), ("conv", "scale", "offset")),
            Node("sum", Add(), ("norm", "x")),
            Node("relu", Relu(), ("sum",)),
        ),
        ("relu",),
        {name: Constant(data.astype(np.float32), FLOAT32) for name, data in arrays.items()},
    )
    return found, quantize(found, random.random((5, 4, 4, 2), dtype=np.float32))


def page(facts: Facts) -> Page:
    return Page(network_section(facts).body)


def test_what_was_folded_says_into_what_and_the_other_way_round() -> None:
    floats, integers = residual()
    found = fates(floats, integers, None)
    assert found["conv"].nodes == ()
    assert found["conv"].into == "norm"
    assert [node.name for node in found["norm"].nodes] == ["norm.acc", "norm"]
    drawn = cards(floats, found, None)
    assert drawn["conv"].lines == ("folded into norm",)
    assert drawn["norm"].lines[0] == "does conv too"
    assert (drawn["conv"].kind, drawn["norm"].kind, drawn["x"].kind) == ("quiet", "fill", "quiet")
    assert (drawn["x"].operator, drawn["x"].type) == ("input", "f32 → u8")


def test_what_nothing_stands_for_is_left_out() -> None:
    floats, integers = residual()
    longer = replace(
        floats, nodes=(*floats.nodes, Node("end", Relu(), ("relu",))), outputs=("end",)
    )
    found = fates(longer, integers, None)
    assert (found["end"].into, found["end"].type) == ("", None)
    assert cards(longer, found, None)["end"].lines == ("left out",)


def test_every_unit_belongs_to_a_node() -> None:
    found = fates(graph(), program(), design())
    units = [unit for fate in found.values() for unit in (*fate.units, *fate.plumbing)]
    assert sorted(unit.name for unit in units) == sorted(i.name for i in design().instances)
    assert [unit.name for unit in found["conv"].units] == ["conv.acc"]
    assert [unit.name for unit in found["fc"].plumbing] == ["fc.acc.width"]


def test_a_card_says_what_does_a_node_and_how_fast() -> None:
    drawn = cards(graph(), fates(graph(), program(), design()), design())
    slow = design().bottleneck
    assert drawn["conv"].kind == "alarm"
    assert drawn["conv"].lines == (f"window_mac 2×3×2, {slow.unit.interval:,} cycles",)
    assert drawn["flat"].lines == ("no unit: the stream passes as it is",)
    assert drawn["flat"].kind == "quiet"
    assert drawn["fc"].lines[-1] == "+ stream_width"
    rows = {row.name: row for row in unit_rows(design())}
    assert drawn["act"].type == f"f32 → {rows['act'].type.element}"


def test_the_picture_holds_every_node_and_its_words() -> None:
    found = page(replace(NOTHING, design=design()))
    boxes = [b for b in found.named("rect") if b["class"] == "box"]
    assert len(boxes) == 1 + len(graph().nodes)
    text = found.texts["text"]
    assert text[:4] == ["input", "in", "8×8×2", "f32 → u8"]
    assert [node.name in text and node.op.name in text for node in graph().nodes] == [True] * 5
    assert len([p for p in found.named("path") if p["class"] == "head"]) == len(graph().nodes)
    floats, integers = residual()
    branched = page(replace(NOTHING, graph=floats, program=integers))
    lefts = {b["x"] for b in branched.named("rect") if b["class"] == "box"}
    assert lefts == {"1"}
    assert len([p for p in branched.named("path") if p["class"] == "head"]) == 5


def test_of_a_large_network_the_first_nodes_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "MOST", 3)
    found = page(NOTHING)
    assert found.texts["p"][0].endswith("The first 3 of 6 nodes are shown.")
    assert len([b for b in found.named("rect") if b["class"] == "box"]) == 3
