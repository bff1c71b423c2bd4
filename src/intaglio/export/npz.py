# SPDX-License-Identifier: Apache-2.0
"""`npz`: every constant in one numpy archive, and everything else in JSON beside it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

from intaglio.errors import ArtifactError
from intaglio.export.document import from_document, from_json, reads_back, to_document, to_json
from intaglio.export.exporter import Exporter, Files
from intaglio.export.place import read_files
from intaglio.ir.graph import Program

NAME = "npz"


def write(program: Program) -> Files:
    """Return the archive and the document.

    An array in the archive is called by its place among the constants, `c0` and so on, as names of
    models hold characters that names of archived files may not.
    """
    stream = io.BytesIO()
    arrays = {f"c{n}": c.data for n, c in enumerate(program.graph.constants.values())}
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    document = to_document(program, NAME)
    for n, entry in enumerate(document["constants"]):
        entry["array"] = f"c{n}"
    return {".npz": stream.getvalue(), ".json": to_json(document)}


def parse(files: Files) -> Program:
    """Return the program that files hold.

    Raises:
        ArtifactError: they hold none.
    """
    document = from_json(files[".json"], NAME)
    try:
        with np.load(io.BytesIO(files[".npz"]), allow_pickle=False) as archive:
            arrays = {entry["name"]: archive[entry["array"]] for entry in document["constants"]}
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise ArtifactError(f"the .npz must hold the constants its .json names: {error}") from None
    return from_document(document, arrays)


def read(path: str | Path) -> Program:
    """Read a program from FILE.npz and FILE.json.

    Raises:
        ArtifactError: a file is missing, damaged, or of another export.
    """
    return parse(read_files(path, ".npz", ".json"))


NPZ = Exporter(
    NAME, "integers in one .npz, the graph in .json; for Python", ".npz", write, reads_back(parse)
)
