# SPDX-License-Identifier: Apache-2.0
"""Designs as files: program, device, folds and buffers; the units are built again on reading.

The device is there with all its numbers: one from a user's own file is as good as ours.
"""

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
from intaglio.devices.description import Device, device_document, read_device
from intaglio.errors import ArtifactError, ModelError
from intaglio.hw.products import Products
from intaglio.hw.unit import Fold
from intaglio.ops.store import pack, require_program, unpack


def design_bytes(design: Design, **inputs: Any) -> bytes:
    """Return the contents of a design's file; `inputs` are recorded as its provenance."""
    document, arrays = pack(design.program)
    document["device"] = device_document(design.device)
    document["folds"] = {node: [*astuple(fold)] for node, fold in design.folds.items()}
    document["buffers"] = dict(design.buffers)
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
        target = _device(stored.document["device"], str(path))
        buffers = {str(name): int(depth) for name, depth in stored.document["buffers"].items()}
        return dataflow(program, target, folds, buffers)
    except (KeyError, TypeError, AttributeError, ValueError, ModelError) as error:
        raise ArtifactError(f"{path} must hold a design: {error}") from None


def _device(stored: Any, where: str) -> Device:
    """Read a device; files of version 0.1.0 have but its name."""
    return device(stored) if isinstance(stored, str) else read_device(stored, where)


def _fold(values: Sequence[Any]) -> Fold:
    """Read a fold; one from before products had kinds has five values."""
    return Fold(*values[:5], *map(Products, values[5:]))
