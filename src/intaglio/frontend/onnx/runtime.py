# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime as the second opinion on an import."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from intaglio.errors import ModelError
from intaglio.frontend.builder import Imported
from intaglio.frontend.check import (
    Arrays,
    Range,
    check_import,
    frames_to_check,
    random_inputs,
)
from intaglio.frontend.onnx.convert import live_nodes
from intaglio.frontend.onnx.source import SourceModel
from intaglio.frontend.onnx.standard import standard

#: A version every ONNX Runtime of the last years takes; what later ones add cannot occur here.
_IR_VERSION = 8
_QUIET = 4


def check_onnx(model: SourceModel, imported: Imported, batch: int | None) -> None:
    """Run a model and the graph read from it on the same random input.

    Args:
        model: the source.
        imported: what was read from it.
        batch: the size of the batch axis the model insists on, or None for any.

    Raises:
        VerificationError: they differ; the text names the first differing node.
        ModelError: ONNX Runtime does not run the model.
    """
    nibbles = {name for name, codes in imported.codes.items() if codes.nibbles}
    nodes = imported.graph.nodes
    origins = [node.origin for node in nodes if node.origin and node.name not in nibbles]
    wanted = dict.fromkeys([*origins, *(origin for origin, _ in imported.outputs)])
    for name in imported.inputs:
        wanted.pop(name, None)
    ranks = {n.origin: len(imported.layouts[n.name].shape) + 1 for n in imported.graph.nodes}
    session = _session(model, wanted, ranks)
    frames = frames_to_check(imported)
    # Some exporters leave the batch open, but a reshape inside only works for one frame.
    sizes = (frames, 1) if batch is None else (batch,)

    def run(range_: Range) -> tuple[Arrays, Arrays]:
        for size in sizes:
            inputs = random_inputs(imported, size, range_)
            try:
                values = _run(session, imported, inputs, wanted)
            except _errors() as error:
                reason = _line(error)
                continue
            if all(array.shape[:1] == (size,) for array in values.values()):
                break
            reason = "it must keep the batch axis"
        else:
            raise ModelError(f"{model.path}: ONNX Runtime must be able to run it: {reason}")
        first = {name: array[:frames] for name, array in inputs.items()}
        return first, {name: array[:frames] for name, array in values.items()}

    check_import(str(model.path), imported, run)


def _run(
    session: Any,
    imported: Imported,
    inputs: Mapping[str, np.ndarray],
    wanted: Iterable[str],
) -> dict[str, np.ndarray]:
    feeds = {
        origin: imported.layouts[value.name].to_source(inputs[value.name])
        for origin, value in zip(imported.inputs, imported.graph.inputs, strict=True)
    }
    names = list(wanted)
    return dict(zip(names, session.run(names, feeds), strict=True)) | feeds


def _session(model: SourceModel, wanted: Iterable[str], ranks: Mapping[str, int]) -> Any:
    """Open a session that returns every wanted tensor, on one thread, silent."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    data = _probe(model, wanted, ranks).SerializeToString()
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except _errors() as error:
        reason = _line(error)
        raise ModelError(f"{model.path}: ONNX Runtime must be able to run it: {reason}") from None


def _probe(model: SourceModel, wanted: Iterable[str], ranks: Mapping[str, int]) -> Any:
    """Copy what was read of a model, and nothing else, with every wanted tensor as an output.

    Operators of QONNX become those of the standard; `ranks` says how many axes results have.
    """
    import onnx

    live = {output for node in live_nodes(model) for output in node.outputs if output}
    graph = model.proto.graph
    nodes = [node for node in graph.node if live.intersection(node.output)]
    read = {name for node in nodes for name in node.input}
    names = {value.name for value in model.inputs}
    probe = onnx.ModelProto(ir_version=min(model.proto.ir_version, _IR_VERSION))
    probe.opset_import.extend(model.proto.opset_import)
    probe.graph.name = "probe"
    for node in nodes:
        probe.graph.node.extend(standard(node, model.constants, ranks.get(node.output[0], 2)))
    probe.graph.initializer.extend(t for t in graph.initializer if t.name in read)
    constant = {t.name for t in probe.graph.initializer}
    kept = names | (constant if probe.ir_version < 4 else set())
    probe.graph.input.extend(value for value in graph.input if value.name in kept)
    probe.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted)
    return probe


def _errors() -> tuple[type[Exception], ...]:
    """Return the exceptions of ONNX Runtime, which share no base of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    found = [kind for kind in vars(state).values() if isinstance(kind, type)]
    return (*(kind for kind in found if issubclass(kind, Exception)), ValueError, RuntimeError)


def _line(error: Exception) -> str:
    """Return the first line of a message, without ONNX Runtime's own error number."""
    first = next((line for line in str(error).splitlines() if line), type(error).__name__)
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", first)
