# SPDX-License-Identifier: Apache-2.0
"""Graphs and programs as artifact files: the text form, with constants as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from intaglio import artifact
from intaglio.artifact import Artifact
from intaglio.errors import ArtifactError, ModelError
from intaglio.ir.graph import Graph, Program
from intaglio.ir.text import from_text, to_text
from intaglio.ops import operators


def pack(item: Graph | Program) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return a graph or program as a JSON document and arrays."""
    graph = item.graph if isinstance(item, Program) else item
    arrays = {name: constant.data for name, constant in graph.constants.items()}
    return {"text": to_text(item, constants=False)}, arrays


def unpack(document: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Graph | Program:
    """Return what `pack` packed.

    Raises:
        ArtifactError: the document does not describe a graph or program.
    """
    try:
        return from_text(document["text"], operators(), arrays)
    except (KeyError, ModelError) as error:
        raise ArtifactError(f"a saved graph must be readable: {error}") from None


def save_program(path: str | Path, program: Program, **inputs: Any) -> None:
    """Write a program; `inputs` are recorded as its provenance."""
    artifact.save(path, Artifact("program", *pack(program), artifact.provenance(**inputs)))


def load_program(path: str | Path) -> Program:
    """Read a program.

    Raises:
        ArtifactError: the file is not a program's.
    """
    stored = artifact.load(path, "program")
    return require_program(unpack(stored.document, stored.arrays), str(path))


def require_program(item: Graph | Program, where: str) -> Program:
    """Return a program.

    Raises:
        ArtifactError: it is a graph.
    """
    if isinstance(item, Program):
        return item
    raise ArtifactError(f"{where} must hold a program, not a graph")
