# SPDX-License-Identifier: Apache-2.0
"""Shapes that the onnx package infers, asked only about nodes with which that ends well.

Its rules are C++ that believes attributes: where one lies, they read behind the end of a list, make
one of any length, or never end, and take the process with them. So it sees operators of a list,
none with a graph inside, and the few attributes that are believed are looked at before.

Source: onnx 1.23.2, every operator of the list tried with random attributes, operands and versions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from intaglio.frontend.builder import UnsupportedError
from intaglio.frontend.onnx.operators import OPERATORS
from intaglio.frontend.onnx.source import MAX_AXES, SourceModel, SourceNode, read_input
from intaglio.frontend.onnx.unsupported import REWRITES

if TYPE_CHECKING:
    import onnx

#: Tensors up to this size are shown with their numbers: sizes, axes, targets.
SHOWN = 64
_LISTED = frozenset(op for domain, op in OPERATORS if not domain).union(REWRITES)


def check_inferable(node: SourceNode) -> None:
    """Refuse a node that onnx must not be asked about.

    Raises:
        UnsupportedError: an attribute is outside what its operator can have.
    """
    key, allowed = _BELIEVED.get(node.op, ("", None))
    found = node.attributes.get(key)
    if allowed is None or key not in node.attributes:
        return
    numbers = allowed(node)
    if not isinstance(found, int) or found not in numbers:
        ends = f"{numbers[0]}..{numbers[-1]}" if len(numbers) > 1 else numbers[0]
        raise UnsupportedError(f"attribute {key} must be {ends}, not {found!r}")


def inferred_frames(model: SourceModel) -> dict[str, tuple[int, ...]]:
    """Return the shape of every float value without its batch axis, as far as ONNX infers it."""
    from onnx.shape_inference import InferenceError, infer_shapes

    try:
        graph = infer_shapes(_outline(model)).graph
    except (InferenceError, MemoryError, RuntimeError, ValueError, TypeError):
        return {}
    frames: dict[str, tuple[int, ...]] = {}
    for value in [*graph.value_info, *graph.output]:
        dims = (read_input(value).dims or ())[1:]
        sizes = tuple(n for n in dims if isinstance(n, int) and n > 0)
        if dims and len(sizes) == len(dims):
            frames[value.name] = sizes
    return frames


def _outline(model: SourceModel) -> onnx.ModelProto:
    """Return the nodes that can be asked about, with the shapes of large tensors alone."""
    import onnx
    from onnx import helper

    graph = model.proto.graph
    outline = onnx.ModelProto(ir_version=model.proto.ir_version)
    outline.opset_import.extend(model.proto.opset_import)
    outline.graph.node.extend(node.proto for node in model.nodes if _inferable(node))
    outline.graph.input.extend(graph.input)
    outline.graph.output.extend(graph.output)
    outline.graph.value_info.extend(graph.value_info)
    known = {value.name for value in graph.input}
    for tensor in graph.initializer:
        if math.prod(tensor.dims) <= SHOWN:
            outline.graph.initializer.append(tensor)
        elif tensor.name not in known:
            type_ = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            outline.graph.input.append(type_)
    return outline


def _inferable(node: SourceNode) -> bool:
    if (
        node.domain
        or node.op not in _LISTED
        or any(found is None for found in node.attributes.values())
    ):
        return False
    try:
        check_inferable(node)
    except UnsupportedError:
        return False
    return True


def _axes(_: SourceNode) -> range:
    return range(-MAX_AXES, MAX_AXES)


#: Which attribute of an operator is believed, and what it can be.
_BELIEVED: Mapping[str, tuple[str, Callable[[SourceNode], range]]] = {
    "GatherND": ("batch_dims", lambda _: range(MAX_AXES)),
    "LayerNormalization": ("axis", _axes),
    "Split": ("num_outputs", lambda node: range(len(node.outputs), len(node.outputs) + 1)),
}
