# SPDX-License-Identifier: Apache-2.0
"""`text`: a folder with a plain text file for each node, complete, and `index.json`.

A file has lines `key value ...` that say what the node is and what its result means, then each of
its constants: a line `NAME TYPE [SHAPE]`, and all its integers, a row of the last axis a line.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from intaglio.errors import ArtifactError
from intaglio.export.document import from_document, from_json, reads_back, to_document, to_json
from intaglio.export.exporter import Exporter, Files
from intaglio.export.names import file_names
from intaglio.export.place import INDEX, read_files
from intaglio.ir.graph import Node, Program

NAME = "text"


def write(program: Program) -> Files:
    """Return a file for each node, and the index."""
    graph = program.graph
    names = file_names((node.name for node in graph.nodes), ".txt")
    document = to_document(program, NAME)
    for entry in document["nodes"]:
        entry["file"] = names[entry["name"]]
    files = {names[node.name]: _layer(program, node).encode() for node in graph.nodes}
    return {INDEX: to_json(document), **files}


def _layer(program: Program, node: Node) -> str:
    graph = program.graph
    operands = list(zip(node.op.operands, node.inputs, strict=True))
    lines = [f"layer {node.name}", f"operator {node.op.name}"]
    lines += [f"{operand} {name} {graph.types[name]}" for operand, name in operands]
    lines += [f"{key} {_words(value)}" for key, value in node.op.attributes().items()]
    lines.append(f"result {graph.types[node.name]}")
    how = program.quantization.get(node.name)
    if how is not None:
        scales = " ".join(map(repr, how.scale))
        lines += [f"result_scale {scales}", f"result_zero_point {how.zero_point}"]
    for operand, name in operands:
        if name in graph.constants:
            constant = graph.constants[name]
            rows = constant.data.reshape(-1, constant.data.shape[-1])
            lines += ["", f"{operand} {constant.element} {list(constant.data.shape)}"]
            lines += [" ".join(map(str, row)) for row in rows.tolist()]
    return "\n".join(lines) + "\n"


def _words(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def parse(files: Files) -> Program:
    """Return the program that files hold: all integers from the text.

    Raises:
        ArtifactError: they hold none.
    """
    document = from_json(files[INDEX], NAME)
    arrays: dict[str, np.ndarray] = {}
    for entry in document["nodes"]:
        if entry["file"] not in files:
            raise ArtifactError(f"the folder must hold {entry['file']}, which its index names")
        _, *blocks = files[entry["file"]].decode().split("\n\n")
        for block in blocks:
            head, _, numbers = block.partition("\n")
            try:
                values = np.array([int(word) for word in numbers.split()], np.int64)
            except ValueError as error:
                raise ArtifactError(f"{entry['file']} must hold integers: {error}") from None
            arrays[entry["operands"][head.split()[0]]] = values
    return from_document(document, arrays)


def read(folder: str | Path) -> Program:
    """Read a program from a folder.

    Raises:
        ArtifactError: a file is missing, damaged, or of another export.
    """
    return parse(read_files(folder))


TEXT = Exporter(
    NAME, "a complete text file for each layer; for people", "", write, reads_back(parse)
)
