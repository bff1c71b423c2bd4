# SPDX-License-Identifier: Apache-2.0
"""Shape inference of the onnx package never sees what would end the process."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import defs, helper

from intaglio.cli import main
from intaglio.errors import ModelError
from intaglio.frontend import inspect_onnx, load_onnx
from intaglio.frontend.onnx.inference import inferred_frames
from intaglio.frontend.onnx.source import OPSETS, read_onnx
from tests.frontend.models import Model

#: What no axis, number of parts or kind is, and what may be one of another operator.
NUMBERS = (-(1 << 31), -1, 1, 1 << 31)


def _hostile() -> Iterator[tuple[onnx.NodeProto, int]]:
    """Return nodes of all operators and versions, one attribute of which is any number."""
    for schema in defs.get_all_schemas_with_history():
        if schema.domain or schema.deprecated or schema.since_version not in OPSETS:
            continue
        operands = [f"i{i}" for i in range(min(schema.max_input, max(schema.min_input, 3)))]
        results = [f"o{i}" for i in range(min(schema.max_output, 2))]
        whole = [k for k, a in schema.attributes.items() if a.type == defs.OpSchema.AttrType.INT]
        for key, number in product(whole, NUMBERS):
            yield (
                helper.make_node(schema.name, operands, results, **{key: number}),
                (schema.since_version),
            )


def _model(node: onnx.NodeProto, opset: int, shape: tuple[int, ...], *, known: bool) -> Any:
    """Write a model of one node, whose operands the network computes or the file holds."""
    model = Model(shape[1:], opset, shape[0])
    made = [
        model.constant(model.draw(*shape)) if known else model.node("Relu", "x") for _ in node.input
    ]
    model.nodes.append(node)
    del node.input[:]
    node.input.extend(made)
    return model.proto(node.output)


def _read_all(folder: Path) -> None:
    """Infer the shapes of hostile models, and look at them, which computes constants."""
    path = folder / "x.onnx"
    for node, opset in _hostile():
        path.write_bytes(_model(node, opset, (2, 3, 4), known=False).SerializeToString())
        inferred_frames(read_onnx(path))
        path.write_bytes(_model(node, opset, (2, 3, 4), known=True).SerializeToString())
        inspect_onnx(path)


def test_hostile_nodes_do_not_end_the_process(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_read_all, args=(tmp_path,))
    process.start()
    process.join(300)
    process.kill()
    assert process.exitcode == 0


@pytest.mark.parametrize("parts", [1, 1 << 31])
@pytest.mark.parametrize("constant", [False, True])
def test_a_split_must_tell_the_truth_about_its_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], parts: int, constant: bool
) -> None:
    model = Model((4,), opset=18)
    operand = model.constant(model.draw(4, 4)) if constant else "x"
    model.node("Split", operand, outputs=["a", "b"], axis=1, num_outputs=parts)
    model.node("Add", "a", "b")
    path = model.save(tmp_path)
    text = f"Split 'n0': attribute num_outputs must be 2, not {parts}"
    with pytest.raises(ModelError) as caught:
        load_onnx(path)
    assert str(caught.value) == f"{path}: {text}"
    assert main(["inspect", str(path)]) == 1
    assert text in capsys.readouterr().out


def test_what_follows_a_refused_node_is_judged_by_its_shape(tmp_path: Path) -> None:
    model = Model((4, 6, 6))
    weight = model.constant(model.draw(8, 4, 3, 3))  # too large to be shown with its numbers
    model.node("Conv", "x", weight)
    model.node("LRN", model.last, size=3)
    model.node("Flatten")
    model.node("Gemm", model.last, model.constant(model.draw(128, 3)))
    rows = inspect_onnx(model.save(tmp_path)).rows
    assert [row.output_shape for row in rows] == [(8, 4, 4), (8, 4, 4), (128,), (3,)]
    assert [row.op for row in rows if not row.supported] == ["LRN"]
