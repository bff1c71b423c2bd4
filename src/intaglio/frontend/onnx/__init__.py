# SPDX-License-Identifier: Apache-2.0
"""Float ONNX files, read by ourselves and checked against ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from intaglio.frontend.conversion import Conversion
from intaglio.frontend.onnx.convert import Converted, convert
from intaglio.frontend.onnx.runtime import check_onnx
from intaglio.frontend.onnx.source import SourceModel, read_onnx
from intaglio.ir.graph import Graph
from intaglio.passes import name_functions, name_quantizers, run_passes

__all__ = ["inspect_onnx", "load_onnx"]


def load_onnx(
    path: str | Path,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    check: bool = True,
) -> Graph:
    """Read a float ONNX model as a graph, channels last, and run both on random input.

    Args:
        path: the file.
        shapes: frame sizes, without the batch axis, of inputs whose sizes the file leaves open.
        check: compare every node with ONNX Runtime.

    Raises:
        ModelError: the file is unreadable, or a node cannot be converted exactly.
        VerificationError: graph and source differ on random input; the text names the first node.
    """
    model, converted = _read(path, shapes)
    imported = converted.imported
    if imported is None:
        raise converted.conversion.refusal()
    if check:
        check_onnx(model, imported, converted.batch)
    return run_passes(imported.graph, [name_functions, name_quantizers])


def inspect_onnx(path: str | Path, shapes: Mapping[str, Sequence[int]] | None = None) -> Conversion:
    """Report on every node of an ONNX model, whether or not it can be converted.

    Raises:
        ModelError: the file is unreadable, or its input sizes are not known.
    """
    return _read(path, shapes)[1].conversion


def _read(
    path: str | Path, shapes: Mapping[str, Sequence[int]] | None
) -> tuple[SourceModel, Converted]:
    model = read_onnx(Path(path))
    return model, convert(model, shapes or {})
