# SPDX-License-Identifier: Apache-2.0
"""The standard's own tests: models, inputs and outputs that come with the onnx package.

A test of the standard gives everything as input; here its first float tensor is what the network
reads, or its second, or all, and the others are constants. What cannot be read so is refused; what
is read has to compute the outputs that the standard states, and to agree with ONNX Runtime.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnx.backend.test
import pytest
from onnx import TensorProto, numpy_helper, version_converter

from intaglio.errors import ModelError
from intaglio.frontend.onnx.convert import convert
from intaglio.frontend.onnx.operators import OPERATORS
from intaglio.frontend.onnx.runtime import check_onnx
from intaglio.frontend.onnx.source import read_onnx
from intaglio.ir.execute import trace

DATA = Path(onnx.backend.test.__file__).parent / "data"
#: How many agree; those of onnx 1.23.
NODES = 175
EXPORTED = 76


def _agrees(
    path: Path,
    inputs: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    tolerance: float,
) -> bool:
    """Compare a file with stated outputs, or return False where it is refused."""
    try:
        source = read_onnx(path)
        converted = convert(source, {})
        if converted.imported is None:
            return False
        imported = converted.imported
        given = {
            value.name: imported.layouts[value.name].to_ours(array)
            for value, array in zip(imported.graph.inputs, inputs, strict=True)
        }
        found = trace(imported.graph, given)
        check_onnx(source, imported, converted.batch)
    except ModelError:
        return False
    for (_, value), expected in zip(imported.outputs, outputs, strict=False):
        ours = value.layout.to_source(found[value.name]).reshape(expected.shape)
        np.testing.assert_allclose(ours, expected, rtol=tolerance, atol=1e-5)
    return True


# --- nodes ---------------------------------------------------------------------------------------


def _cases() -> Iterator[onnx.backend.test.case.test_case.TestCase]:
    """Yield the tests of one model that is made of operators which are read."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # their numbers leave all bounds on purpose
        found = collect_testcases(None)
    for case in found:
        if case.model is not None and {
            (node.domain, node.op_type) for node in case.model.graph.node
        } <= set(OPERATORS):
            yield case


def _with_inputs(
    model: onnx.ModelProto, arrays: dict[str, np.ndarray], live: Sequence[str]
) -> onnx.ModelProto:
    """Make all inputs but the live ones constants."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    kept = [value for value in model.graph.input if value.name in live]
    del changed.graph.input[:]
    changed.graph.input.extend(kept)
    changed.graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in arrays.items() if name not in live
    )
    return changed


def test_nodes_compute_what_the_standard_states(tmp_path: Path) -> None:
    agreed: list[str] = []
    for case in _cases():
        inputs, outputs = case.data_sets[0]
        if not all(isinstance(array, np.ndarray) for array in (*inputs, *outputs)):
            continue
        names = [value.name for value in case.model.graph.input]
        arrays = dict(zip(names, inputs, strict=False))
        floats = [name for name, array in arrays.items() if array.dtype == np.float32]
        for live in [floats[:1], floats[1:2], floats] if len(floats) > 1 else [floats]:
            path = tmp_path / "m.onnx"
            path.write_bytes(_with_inputs(case.model, arrays, live).SerializeToString())
            if live and _agrees(path, [arrays[name] for name in live], outputs, case.rtol):
                agreed.append(case.name)
                break
    assert len(agreed) >= NODES, agreed


# --- exported models -----------------------------------------------------------------------------


def _tensor(path: Path) -> np.ndarray:
    return numpy_helper.to_array(TensorProto.FromString(path.read_bytes()))


@pytest.mark.parametrize("opset", [7, 9, 11, 13, 18, 21, 23])
def test_exported_modules_compute_what_torch_did(tmp_path: Path, opset: int) -> None:
    agreed = []
    for folder in sorted(DATA.glob("pytorch-*/*")):
        model = onnx.load(folder / "model.onnx")
        if model.opset_import[0].version < opset:
            model = version_converter.convert_version(model, opset)
        path = tmp_path / "m.onnx"
        path.write_bytes(model.SerializeToString())
        data = folder / "test_data_set_0"
        inputs = [_tensor(file) for file in sorted(data.glob("input_*.pb"))]
        if _agrees(path, inputs, [_tensor(data / "output_0.pb")], 1e-3):
            agreed.append(folder.name)
    assert len(agreed) >= EXPORTED, agreed


def test_a_whole_network_of_the_zoo() -> None:
    """The weights are constants that the file computes, its shapes those of the published one."""
    source = read_onnx(DATA / "light" / "light_squeezenet.onnx")
    converted = convert(source, {})
    assert converted.imported is not None
    (value,) = converted.imported.graph.inputs
    frame = np.ones((1, *value.type.shape), np.float32)
    found = trace(converted.imported.graph, {value.name: frame})
    assert converted.conversion.macs > 300_000_000
    assert np.isfinite(found[converted.imported.graph.outputs[0]]).all()
