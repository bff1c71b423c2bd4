# SPDX-License-Identifier: Apache-2.0
"""A program as JSON and arrays that another program can read without this package.

The document names inputs, nodes, constants and outputs in order, with shapes, types, attributes
and, where a value stands for reals, `scale` and `zero_point`: real = scale * (q - zero_point).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from intaglio.artifact import version
from intaglio.errors import ArtifactError, ModelError, VerificationError
from intaglio.export.exporter import Files
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.text import to_text
from intaglio.ir.types import Quantization, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops import operators


def to_document(program: Program, format_: str) -> dict[str, Any]:
    """Return everything of a program but the integers of its constants."""
    graph = program.graph
    return {
        "format": format_,
        "intaglio": version(),
        "name": graph.name,
        "channels_first": graph.channels_first,
        "inputs": [{"name": v.name, **_value(program, v.name)} for v in graph.inputs],
        "constants": [
            {"name": name, **_type(constant.type), "sha256": digest(constant.data)}
            for name, constant in graph.constants.items()
        ],
        "nodes": [
            {
                "name": node.name,
                "op": node.op.name,
                "operands": dict(zip(node.op.operands, node.inputs, strict=True)),
                "attributes": node.op.attributes(),
                **_value(program, node.name),
                "origin": node.origin,
            }
            for node in graph.nodes
        ],
        "outputs": list(graph.outputs),
        "notes": list(program.notes),
    }


def from_document(document: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Program:
    """Return the program of a document.

    Raises:
        ArtifactError: the document describes none, or an array is not the one that was written.
    """
    try:
        return _program(document, arrays)
    except (KeyError, TypeError, ValueError, ModelError) as error:
        raise ArtifactError(f"an exported program must be readable: {error!r}") from None


def to_json(document: Mapping[str, Any]) -> bytes:
    """Print a document for people as well: a line for each of its members' members."""
    return (json.dumps(document, indent=1, allow_nan=False) + "\n").encode()


def from_json(data: bytes, format_: str) -> dict[str, Any]:
    """Read a document of a format.

    Raises:
        ArtifactError: it is none, or of another format.
    """
    try:
        document = json.loads(data)
        found = document["format"]
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(
            f"an export must have a document that says its format: {error!r}"
        ) from (None)
    if found != format_:
        raise ArtifactError(f"the export must be of format {format_}, not {found}")
    return dict(document)


def digest(data: np.ndarray) -> str:
    """Hash integers, whatever machine type holds them: as int64, little-endian."""
    return hashlib.sha256(np.ascontiguousarray(data, dtype="<i8").tobytes()).hexdigest()


def reads_back(parse: Callable[[Files], Program]) -> Callable[[Program, Files], tuple[str, ...]]:
    """Return the check of a format that says the whole program: what is read of it is the same."""

    def check(program: Program, files: Files) -> tuple[str, ...]:
        same(program, parse(files))
        return ()

    return check


def same(program: Program, found: Program) -> None:
    """Compare two programs wholly.

    Raises:
        VerificationError: they differ; the text names the first line of their text that does.
    """
    wanted, got = (to_text(p, constants=False).splitlines() for p in (program, found))
    for line, other in zip(wanted, got, strict=False):
        if line != other:
            raise VerificationError(f"read back must be {line!r}, not {other!r}")
    if len(wanted) != len(got):
        raise VerificationError(f"read back must be {len(wanted)} lines, not {len(got)}")
    for name, constant in program.graph.constants.items():
        if not np.array_equal(constant.data, found.graph.constants[name].data):
            raise VerificationError(f"constant {name!r} must be read back as it was written")


def _program(document: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Program:
    constants = {}
    for entry in document["constants"]:
        name, type_ = entry["name"], _read_type(entry)
        data = arrays[name].reshape(type_.shape)
        if digest(data) != entry["sha256"]:
            raise ArtifactError(f"constant {name!r} must match its checksum; it was changed")
        constants[name] = Constant(data, type_.element)
    known = operators()
    nodes = [
        Node(
            entry["name"],
            known[entry["op"]].from_attributes(entry["attributes"]),
            tuple(entry["operands"].values()),
            entry["origin"],
        )
        for entry in document["nodes"]
    ]
    values = [*document["inputs"], *document["nodes"]]
    graph = Graph(
        document["name"],
        tuple(Value(entry["name"], _read_type(entry)) for entry in document["inputs"]),
        tuple(nodes),
        tuple(document["outputs"]),
        constants,
        document["channels_first"],
    )
    meaning = {
        entry["name"]: Quantization(tuple(entry["scale"]), entry["zero_point"])
        for entry in values
        if "scale" in entry
    }
    return Program(graph, meaning, tuple(document["notes"]))


def _value(program: Program, name: str) -> dict[str, Any]:
    entry = _type(program.graph.types[name])
    how = program.quantization.get(name)
    if how is None:
        return entry
    return {**entry, "scale": list(how.scale), "zero_point": how.zero_point}


def _type(type_: TensorType) -> dict[str, Any]:
    return {"shape": list(type_.shape), "type": str(type_.element)}


def _read_type(entry: Mapping[str, Any]) -> TensorType:
    return TensorType(tuple(entry["shape"]), IntType.parse(entry["type"]))
