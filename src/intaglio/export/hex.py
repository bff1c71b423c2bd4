# SPDX-License-Identifier: Apache-2.0
"""`hex`: a folder with a `$readmemh` file for each constant, and `index.json`.

One word a line, two's complement, all digits of its type's width; the last axis runs fastest.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from intaglio.errors import ArtifactError
from intaglio.export.document import from_document, from_json, reads_back, to_document, to_json
from intaglio.export.exporter import Exporter, Files
from intaglio.export.names import file_names
from intaglio.export.place import INDEX, read_files
from intaglio.ir.graph import Program
from intaglio.numerics.packing import hex_lines, pack, unpack
from intaglio.numerics.types import IntType

NAME = "hex"
ORDER = "row-major: the last axis runs fastest"


def write(program: Program) -> Files:
    """Return a file for each constant, and the index."""
    constants = program.graph.constants
    names = file_names(constants, ".hex")
    document = to_document(program, NAME)
    document["order"] = ORDER
    for entry in document["constants"]:
        entry["file"] = names[entry["name"]]
    files = {names[n]: words(c.data, c.type.integer).encode() for n, c in constants.items()}
    return {INDEX: to_json(document), **files}


def words(data: np.ndarray, element: IntType) -> str:
    """Print integers of a type as words of its width."""
    return hex_lines(pack(data.reshape(-1, 1), element.width), element.width)


def integers(text: str, element: IntType) -> np.ndarray:
    """Return the integers of words: the inverse of `words`.

    Raises:
        ArtifactError: a line is no such word.
    """
    try:
        found = [int(line, 16) for line in text.split()]
    except ValueError as error:
        raise ArtifactError(f"every line must be a word in hexadecimal digits: {error}") from None
    if any(word >> element.width for word in found):
        raise ArtifactError(f"every word must have {element.width} bits")
    return unpack(found, element.width, 1, signed=element.signed)[:, 0]


def parse(files: Files) -> Program:
    """Return the program that files hold.

    Raises:
        ArtifactError: they hold none.
    """
    document = from_json(files[INDEX], NAME)
    return from_document(document, {e["name"]: _array(files, e) for e in document["constants"]})


def _array(files: Files, entry: Mapping[str, str]) -> np.ndarray:
    if entry["file"] not in files:
        raise ArtifactError(f"the folder must hold {entry['file']}, which its index names")
    return integers(files[entry["file"]].decode("ascii"), IntType.parse(entry["type"]))


def read(folder: str | Path) -> Program:
    """Read a program from a folder.

    Raises:
        ArtifactError: a file is missing, damaged, or of another export.
    """
    return parse(read_files(folder))


HEX = Exporter(
    NAME,
    "a $readmemh file for each constant, and index.json; for RTL",
    "",
    write,
    reads_back(parse),
)
