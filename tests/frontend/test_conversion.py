# SPDX-License-Identifier: Apache-2.0
"""The conversion report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from intaglio.frontend import inspect_onnx
from intaglio.frontend.conversion import Fate
from tests.frontend.models import Model, lenet_like


def test_the_table_is_aligned_and_adds_up(tmp_path: Path) -> None:
    path = lenet_like().save(tmp_path)
    assert str(inspect_onnx(path)) == (
        f"{path}\n"
        "node     op       supported  became    input  output   MACs  parameters\n"
        "-----------------------------------------------------------------------\n"
        "n0       Conv     yes        kept: n0  1x8x8  3x8x8   1,728          30\n"
        "n1       Relu     yes        kept: n1  3x8x8  3x8x8\n"
        "n2       MaxPool  yes        kept: n2  3x8x8  3x4x4\n"
        "n3       Flatten  yes        kept: n3  3x4x4  48\n"
        "n4       Gemm     yes        kept: n4  48     4         192         196\n"
        "5 nodes                                               1,920         226\n"
        "every node is supported"
    )


def test_every_node_after_an_unsupported_one_is_judged_too(tmp_path: Path) -> None:
    model = Model((2, 6, 6))
    model.node("Conv", "x", model.constant(model.draw(3, 2, 3, 3)))
    model.node("LRN", model.last, size=3)
    model.node("Fantasy")
    model.node("Flatten")
    model.node("MatMul", model.last, model.constant(model.draw(24, 2)))
    report = inspect_onnx(model.save(tmp_path))
    assert not report.supported
    assert [row.fate for row in report.rows] == [
        Fate.KEPT,
        Fate.UNSUPPORTED,
        Fate.UNSUPPORTED,
        Fate.UNJUDGED,
        Fate.UNJUDGED,
    ]
    norm = report.rows[1]
    assert (norm.why, norm.input_shape) == ("it has no counterpart here", (3, 4, 4))
    assert norm.rewrite.startswith("BatchNormalization")
    assert "Fantasy 'n2': it has no counterpart here" in str(report)
    assert str(report).endswith("unsupported nodes: 2")


def test_what_is_folded_or_unused_is_told(tmp_path: Path) -> None:
    model = lenet_like()
    last = model.last
    model.node("Softmax", last, axis=1)
    end = model.last
    model.node("Relu", last)
    model.node("Identity", "x", outputs=["copy"])
    model.nodes.insert(0, model.nodes.pop())
    model.nodes[1].input[0] = "copy"
    rows = {row.op: row for row in inspect_onnx(model.save(tmp_path, outputs=[end])).rows}
    assert (rows["Identity"].fate, rows["Identity"].became) == (Fate.FOLDED, "x")
    assert (rows["Softmax"].fate, rows["Softmax"].became) == (Fate.KEPT, "n5")
    assert rows["Relu"].fate is Fate.UNUSED or rows["Relu"].name == "n1"


def test_a_report_is_json(tmp_path: Path) -> None:
    model = Model((4,))
    model.node("MatMul", "x", model.constant(model.draw(4, 3)))
    model.node("Add", model.last, model.constant(model.draw(3)))
    model.node("Det")
    found = json.loads(json.dumps(inspect_onnx(model.save(tmp_path)).to_json()))
    assert (found["macs"], found["parameters"], found["supported"]) == (12, 15, False)
    add = found["nodes"][1]
    assert (add["fate"], add["became"], add["input_shape"]) == ("folded", "n0", [3])
    assert found["nodes"][2]["supported"] is False


def test_names_that_are_no_words_stay_on_their_line(tmp_path: Path) -> None:
    model = Model((4,))
    model.node("Re\nlu", "x")
    model.nodes[0].name = "a\nb"
    report = inspect_onnx(model.save(tmp_path))
    assert report.rows[0].op == "'Re\\nlu'"
    assert "\n" not in str(report.refusal())


def test_shape_arithmetic_is_folded(tmp_path: Path) -> None:
    model = Model((2, 3, 4))
    model.node("Shape", "x")
    model.node("Slice", model.last, model.constant(np.array([1])), model.constant(np.array([4])))
    model.node("ReduceProd", model.last, keepdims=1)
    size = model.last
    model.node("Concat", model.constant(np.array([-1])), size, axis=0)
    model.node("Reshape", "x", model.last)
    model.node("MatMul", model.last, model.constant(model.draw(24, 2)))
    report = inspect_onnx(model.save(tmp_path))
    assert [row.fate for row in report.rows] == [Fate.FOLDED] * 4 + [Fate.KEPT] * 2
