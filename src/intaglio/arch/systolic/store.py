# SPDX-License-Identifier: Apache-2.0
"""Designs with an array as files: program, device, sizes; lists are made again on reading."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from intaglio import artifact
from intaglio.arch.design import Design
from intaglio.arch.store import read_design
from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.design import ArrayDesign
from intaglio.arch.systolic.predict import Memory
from intaglio.artifact import Artifact
from intaglio.devices.description import device_document, read_device
from intaglio.errors import ArtifactError, ModelError
from intaglio.ops.store import pack, require_program, unpack

#: What the document of a design with an array says of itself; others say nothing.
ARCHITECTURE = "systolic"


def array_design_bytes(design: ArrayDesign, **inputs: Any) -> bytes:
    """Return the contents of a design's file; `inputs` are recorded as its provenance."""
    document, arrays = pack(design.program)
    array = asdict(design.array)
    array["dataflows"] = sorted(flow.short for flow in design.array.dataflows)
    document["architecture"] = ARCHITECTURE
    document["device"] = device_document(design.device)
    document["array"] = array
    document["flows"] = {name: flow.short for name, flow in design.flows.items()}
    document["memory"] = asdict(design.memory)
    return artifact.to_bytes(Artifact("design", document, arrays, artifact.provenance(**inputs)))


def save_array_design(path: str | Path, design: ArrayDesign, **inputs: Any) -> None:
    """Write a design."""
    artifact.write_atomic(Path(path), array_design_bytes(design, **inputs))


def read_any_design(path: str | Path) -> Design | ArrayDesign:
    """Read a design of either architecture.

    Raises:
        ArtifactError: the file is not a design's.
    """
    stored = artifact.load(path, "design")
    document = stored.document
    if document.get("architecture") != ARCHITECTURE:
        return read_design(path)
    program = require_program(unpack(document, stored.arrays), str(path))
    try:
        sizes = dict(document["array"])
        sizes["dataflows"] = frozenset(map(Dataflow.parse, sizes["dataflows"]))
        return ArrayDesign(
            program,
            read_device(document["device"], str(path)),
            Array(**sizes),
            {str(name): Dataflow.parse(flow) for name, flow in document["flows"].items()},
            Memory(**document["memory"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError, ModelError) as error:
        raise ArtifactError(f"{path} must hold a design: {error}") from None
