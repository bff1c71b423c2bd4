# SPDX-License-Identifier: Apache-2.0
"""Designs as artifact files: program, device and folds; the units are built again on reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

from intaglio import artifact
from intaglio.arch.dataflow import dataflow
from intaglio.arch.design import Design
from intaglio.artifact import Artifact
from intaglio.devices import device
from intaglio.errors import ArtifactError
from intaglio.hw.products import Products
from intaglio.hw.unit import Fold
from intaglio.ops.store import pack, require_program, unpack


def design_bytes(design: Design, **inputs: Any) -> bytes:
    """Return the contents of a design's file; `inputs` are recorded as its provenance."""
    document, arrays = pack(design.program)
    document["device"] = design.device.name
    document["folds"] = {node: [*astuple(fold)] for node, fold in design.folds.items()}
    return artifact.to_bytes(Artifact("design", document, arrays, artifact.provenance(**inputs)))


def save_design(path: str | Path, design: Design, **inputs: Any) -> None:
    """Write a design."""
    artifact.write_atomic(Path(path), design_bytes(design, **inputs))


def read_design(path: str | Path) -> Design:
    """Read a design.

    Raises:
        ArtifactError: the file is not a design's.
    """
    stored = artifact.load(path, "design")
    program = require_program(unpack(stored.document, stored.arrays), str(path))
    try:
        folds = {node: _fold(values) for node, values in stored.document["folds"].items()}
        target = device(stored.document["device"])
        return dataflow(program, target, folds)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ArtifactError(f"{path} must hold a design: {error}") from None


def _fold(values: Sequence[Any]) -> Fold:
    """Read a fold; one from before products had kinds has five values."""
    return Fold(*values[:5], *map(Products, values[5:]))
