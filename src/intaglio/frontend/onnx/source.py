# SPDX-License-Identifier: Apache-2.0
"""An ONNX file as plain data: every access to protobuf is here, checked and within limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from intaglio.errors import ModelError
from intaglio.frontend.formats import START, foreign
from intaglio.frontend.onnx.external import read_external
from intaglio.frontend.onnx.wire import SMALL, check_fields

OPSETS = range(7, 26)
MAX_NODES = 10_000
#: Of initializers, and of what stands beside an initializer in old files: inputs.
MAX_TENSORS = 2 * MAX_NODES
#: Of one node's operands and results, and of the graph's.
MAX_ENDS = 1000
MAX_ATTRIBUTES = 100
#: Characters of a name, numbers of a list.
MAX_LENGTH = 4096
MAX_AXES = 8
MAX_NESTING = 100
#: Of a file, and of all its tensors; protobuf itself ends at twice that.
MAX_BYTES = 1 << 30
#: What numpy has no type for is in bytes, with its own width noted.
NIBBLES = {
    21: np.dtype(np.uint8, metadata={"bits": 4}),
    22: np.dtype(np.int8, metadata={"bits": 4}),
}
#: The sizes that ONNX numbers its element types by.
DTYPES: Mapping[int, Any] = {
    **NIBBLES,
    1: np.float32, 2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32, 7: np.int64,
    9: np.bool_, 10: np.float16, 11: np.float64, 12: np.uint32, 13: np.uint64,
}  # fmt: skip
FLOAT = 1
_FIELDS = {
    1: "float_data",
    7: "int64_data",
    11: "double_data",
    12: "uint64_data",
    13: "uint64_data",
}
_EXTERNAL = 1
#: Types whose typed list is of unsigned numbers; the others' is signed.
_UNSIGNED = (12, 13)


@dataclass(frozen=True)
class SourceNode:
    """A node as the file has it; a subgraph attribute is None."""

    name: str
    op: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    proto: Any = field(repr=False, compare=False)


@dataclass(frozen=True)
class SourceInput:
    """An input: its element type by ONNX number, and its sizes: numbers, names or unknown."""

    name: str
    element: int
    dims: tuple[int | str | None, ...] | None


@dataclass(frozen=True)
class SourceModel:
    """A readable model whose tensors are all in memory.

    `constants` are the initializers; one of an element type we cannot read is missing there and
    named in `unreadable`.
    """

    path: Path
    opset: int
    inputs: tuple[SourceInput, ...]
    outputs: tuple[str, ...]
    nodes: tuple[SourceNode, ...]
    constants: Mapping[str, np.ndarray]
    unreadable: frozenset[str]
    proto: Any = field(repr=False, compare=False)


def read_onnx(path: Path) -> SourceModel:
    """Read a file.

    Raises:
        ModelError: it is missing, not an ONNX model, damaged, or outside the limits.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    if not path.is_file():
        raise ModelError(f"{path} must be an ONNX file; there is no such file")
    try:
        return _model(path, _parse(path))
    except (DecodeError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0] if str(error) else "no protobuf message"
        raise ModelError(f"{path} must be a whole ONNX model, it is damaged: {reason}") from None
    except OSError as error:
        raise ModelError(f"{path} must be readable: {error.strerror}") from None
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def _parse(path: Path) -> Any:
    import onnx

    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"an ONNX file must be under {MAX_BYTES} bytes")
    data = path.read_bytes()
    if format_ := foreign(data[:START]):
        raise ModelError(f"it must be an ONNX file, not {format_.name}: {format_.advice}")
    if len(data) > SMALL:
        check_fields(data, onnx.ModelProto.DESCRIPTOR)
    proto = onnx.ModelProto()
    proto.ParseFromString(data)
    if not proto.HasField("graph") or not proto.graph.output:
        raise ModelError("it must be an ONNX model with a graph and an output; it has none")
    return proto


def _model(path: Path, proto: Any) -> SourceModel:
    opset = _opset(proto)
    if proto.graph.sparse_initializer:
        raise ModelError("its weights must be dense, not sparse: save it with dense initializers")
    _check_counts(proto.graph)
    proto = _inlined(proto)
    _check_counts(proto.graph)
    _bring_in(path.parent, proto)
    arrays = {_text(t.name): to_array(t) for t in proto.graph.initializer}
    inputs = (read_input(value) for value in proto.graph.input)
    return SourceModel(
        path,
        opset,
        tuple(value for value in inputs if value.name not in arrays),
        tuple(_text(value.name) for value in proto.graph.output),
        tuple(_node(node) for node in proto.graph.node),
        {name: array for name, array in arrays.items() if array is not None},
        frozenset(name for name, array in arrays.items() if array is None),
        proto,
    )


def _check_counts(graph: Any) -> None:
    """Refuse a graph of more parts than a network has."""
    counts: list[tuple[str, int, int]] = [
        ("nodes", len(graph.node), MAX_NODES),
        ("tensors", len(graph.initializer), MAX_TENSORS),
        ("inputs", len(graph.input), MAX_ENDS + len(graph.initializer)),
        ("outputs", len(graph.output), MAX_ENDS),
    ]
    for node in graph.node:
        counts.append(("operands a node", len(node.input), MAX_ENDS))
        counts.append(("results a node", len(node.output), MAX_ENDS))
        counts.append(("attributes a node", len(node.attribute), MAX_ATTRIBUTES))
    for what, count, most in counts:
        if count > most:
            raise ModelError(f"it must have at most {most} {what}, not {count}")


def _opset(proto: Any) -> int:
    versions = {o.domain: o.version for o in proto.opset_import}
    version = int(versions.get("", versions.get("ai.onnx", 0)))
    if version not in OPSETS:
        raise ModelError(
            f"its opset must be {OPSETS[0]} to {OPSETS[-1]}, not {version}: "
            "export it again with opset_version=17"
        )
    return version


def _inlined(proto: Any) -> Any:
    """Put local functions in place of their calls, if there are any and few enough."""
    if not proto.functions:
        return proto
    from onnx.checker import ValidationError
    from onnx.inliner import inline_local_functions

    if _written_out(proto) > MAX_NODES:
        raise ModelError(f"it must have at most {MAX_NODES} nodes with its functions written out")
    try:
        return inline_local_functions(proto)
    except (ValidationError, RuntimeError, ValueError, TypeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(f"its local functions must be readable: {reason}") from None


def _written_out(proto: Any) -> int:
    """Count the nodes there would be without functions."""
    bodies = {(f.domain, f.name): f.node for f in proto.functions}
    sizes: dict[tuple[str, str], int] = {}

    def count(nodes: Iterable[Any], depth: int) -> int:
        if depth > MAX_NESTING:
            raise ModelError(f"local functions must not call themselves, or {MAX_NESTING} deep")
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type)
            if key in bodies and key not in sizes:
                sizes[key] = count(bodies[key], depth + 1)
            total += sizes.get(key, 1)
        return total

    return max(count(nodes, 0) for nodes in (*bodies.values(), proto.graph.node))


def _bring_in(folder: Path, proto: Any) -> None:
    """Replace every external tensor by its bytes, so that nothing else ever opens a file."""
    tensors = list(proto.graph.initializer)
    tensors += [a.t for n in proto.graph.node for a in n.attribute if a.HasField("t")]
    total = sum(len(t.raw_data) for t in tensors)
    for tensor in tensors:
        if tensor.data_location != _EXTERNAL:
            continue
        if tensor.data_type not in DTYPES:
            raise ModelError(
                f"tensor {tensor.name!r} must be of numbers, not type {tensor.data_type}"
            )
        size = _size(tensor) * np.dtype(DTYPES[tensor.data_type]).itemsize
        size = -(-size // 2) if tensor.data_type in NIBBLES else size
        total += size
        if total > MAX_BYTES:
            raise ModelError(f"its tensors must be under {MAX_BYTES} bytes in all")
        entries = {_text(e.key): _text(e.value) for e in tensor.external_data}
        tensor.raw_data = read_external(folder, tensor.name, entries, size)
        tensor.ClearField("external_data")
        tensor.ClearField("data_location")


def _size(tensor: Any) -> int:
    if len(tensor.dims) > MAX_AXES:
        raise ModelError(
            f"tensor {tensor.name!r} must have at most {MAX_AXES} axes, not {len(tensor.dims)}"
        )
    if any(n < 0 for n in tensor.dims):
        raise ModelError(f"tensor {tensor.name!r} must have sizes of at least 0, not {tensor.dims}")
    return math.prod(tensor.dims)


def to_array(tensor: Any) -> np.ndarray | None:
    """Return a tensor as an array, or None where its element type is not one of numbers.

    Raises:
        ModelError: it holds another number of elements than its sizes say.
    """
    size = _size(tensor)
    if tensor.data_type not in DTYPES:
        return None
    dtype = np.dtype(DTYPES[tensor.data_type])
    if tensor.data_type in NIBBLES:
        return _nibbles(tensor, size)
    if tensor.HasField("raw_data"):
        found, unit = len(tensor.raw_data), dtype.itemsize
    else:
        data = getattr(tensor, _FIELDS.get(tensor.data_type, "int32_data"))
        found, unit = len(data), 1
    if found != size * unit:
        raise ModelError(
            f"tensor {tensor.name!r} must hold {size} elements as its shape "
            f"{list(tensor.dims)} says, not {found // unit}"
        )
    if tensor.HasField("raw_data"):
        array = np.frombuffer(tensor.raw_data, dtype.newbyteorder("<")).astype(dtype, copy=False)
    elif dtype == np.float16:
        numbers = np.fromiter(data, np.int64, len(data))
        array = (numbers & 0xFFFF).astype(np.uint16).view(np.float16)
    else:
        wide = np.uint64 if tensor.data_type in _UNSIGNED else np.int64
        array = np.fromiter(data, dtype if dtype.kind == "f" else wide, len(data)).astype(dtype)
    return array.reshape(tuple(tensor.dims))


def _nibbles(tensor: Any, size: int) -> np.ndarray:
    """Return a tensor of numbers of 4 bits, of which two lie in a byte, the first in its low half.

    Raises:
        ModelError: it holds another number of bytes than its sizes say.
    """
    raw = tensor.HasField("raw_data")
    data = np.frombuffer(tensor.raw_data, np.uint8) if raw else np.array(tensor.int32_data)
    if len(data) != -(-size // 2):
        raise ModelError(
            f"tensor {tensor.name!r} must hold {-(-size // 2)} bytes as its shape "
            f"{list(tensor.dims)} says, not {len(data)}"
        )
    halves = np.stack([data & 15, data >> 4 & 15], axis=-1).reshape(-1)[:size].astype(np.int8)
    dtype = NIBBLES[tensor.data_type]
    signed = np.where(halves > 7, halves - 16, halves) if dtype.kind == "i" else halves
    return signed.astype(dtype).reshape(tuple(tensor.dims))


def read_input(value: Any) -> SourceInput:
    """Return what a file says of a value."""
    kind = value.type.tensor_type
    if not kind.HasField("shape"):
        return SourceInput(_text(value.name), kind.elem_type, None)
    dims = tuple(
        d.dim_value if d.HasField("dim_value") else (_text(d.dim_param) or None)
        for d in kind.shape.dim
    )
    return SourceInput(_text(value.name), kind.elem_type, dims)


def _node(node: Any) -> SourceNode:
    return SourceNode(
        _text(node.name),
        _text(node.op_type),
        "" if node.domain == "ai.onnx" else _text(node.domain),
        tuple(map(_text, node.input)),
        tuple(map(_text, node.output)),
        {_text(a.name): _attribute(a) for a in node.attribute},
        node,
    )


def _text(text: str | bytes) -> str:
    """Return a string field, which protobuf gives as bytes where it is no text.

    Raises:
        UnicodeDecodeError: it is none.
        ModelError: it is too long to be shown.
    """
    found = text.decode() if isinstance(text, bytes) else text
    if len(found) > MAX_LENGTH:
        raise ModelError(f"a name must have at most {MAX_LENGTH} characters, not {len(found)}")
    return found


def _attribute(attribute: Any) -> Any:
    readers: dict[int, Callable[[Any], Any]] = {
        1: lambda a: a.f,
        2: lambda a: a.i,
        3: lambda a: _text(a.s),
        4: lambda a: to_array(a.t),
        6: lambda a: tuple(a.floats),
        7: lambda a: tuple(a.ints),
        8: lambda a: tuple(map(_text, a.strings)),
    }
    most = max(len(attribute.floats), len(attribute.ints), len(attribute.strings))
    if most > MAX_LENGTH:
        raise ModelError(
            f"attribute {attribute.name!r} must be at most {MAX_LENGTH} numbers, not {most}"
        )
    reader = readers.get(attribute.type)
    return None if reader is None else reader(attribute)
