# SPDX-License-Identifier: Apache-2.0
"""Front ends: a model file or a torch module becomes a graph that is proven equal to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from intaglio.errors import ModelError
from intaglio.frontend.conversion import Conversion
from intaglio.frontend.onnx import inspect_onnx, load_onnx
from intaglio.ir.graph import Graph

__all__ = ["Conversion", "inspect_onnx", "load", "load_onnx"]


def load(
    source: str | Path | Graph | Any,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    example: Any = None,
) -> Graph:
    """Read a float network as a graph, checked against its source.

    Args:
        source: an ONNX file, a torch.nn.Module, or a graph, which is returned as it is.
        shapes: frame sizes of ONNX inputs that the file leaves open, without the batch axis.
        example: for a torch module, a tensor [N, *frame] it can be called with.

    Raises:
        ModelError: the source cannot be converted exactly.
        VerificationError: graph and source differ on random input.
    """
    if isinstance(source, Graph):
        return source
    if isinstance(source, str | Path):
        return load_onnx(source, shapes=shapes)
    if example is None:
        raise ModelError(
            f"a {type(source).__name__} must come with an example input: load(module, example=x)"
        )
    from intaglio.frontend.torch_export import load_torch

    return load_torch(source, example)
