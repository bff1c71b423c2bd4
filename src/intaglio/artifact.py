# SPDX-License-Identifier: Apache-2.0
"""Artifacts on disk: one safetensors file holding a JSON document and arrays; nothing executes.

The header's metadata carries `kind`, `schema`, `document` (canonical JSON), `provenance` and
`sha256`, the hash of the document and of every array. A file is written beside its place, flushed,
and renamed over it, so a reader sees the old one or the new one, never half of one.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as encode

from intaglio.errors import ArtifactError

SCHEMA = 1


@dataclass(frozen=True)
class Artifact:
    """What a file holds: a document (JSON types only) and named arrays."""

    kind: str
    document: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    provenance: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """Hash of kind, document and arrays; provenance is left out, equal content hashes equal."""
        return content_hash(self.kind, self.document, self.arrays)


def canonical(document: Any) -> str:
    """Print JSON types in the one way that is hashed."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_hash(kind: str, document: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    """Hash content, independent of the order of keys and of array memory layout."""
    digest = hashlib.sha256(f"{kind}\n{canonical(document)}\n".encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}:{array.dtype.str}:{array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def version() -> str:
    """Return this package's version."""
    return metadata.version("intaglio")


def provenance(**inputs: Any) -> dict[str, Any]:
    """Describe what made an artifact: our version and the inputs named by the caller."""
    return {"intaglio": version(), **inputs}


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, document: Any) -> None:
    """Write a readable JSON file whole or not at all."""
    text = json.dumps(document, indent=2, allow_nan=False)
    write_atomic(path, (text + "\n").encode())


def to_bytes(artifact: Artifact) -> bytes:
    """Return the contents of an artifact's file."""
    header = {
        "kind": artifact.kind,
        "schema": str(SCHEMA),
        "document": canonical(artifact.document),
        "provenance": canonical(artifact.provenance),
        "sha256": artifact.sha256,
    }
    arrays = {name: np.ascontiguousarray(array) for name, array in artifact.arrays.items()}
    return _ordered(bytes(encode(arrays, metadata=header)))


def _ordered(data: bytes) -> bytes:
    """Sort the header, whose order is left to chance: equal content then has equal bytes."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(dict(sorted(header.items())), separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[end:]


def save(path: str | Path, artifact: Artifact) -> None:
    """Write an artifact file, replacing what was there."""
    write_atomic(Path(path), to_bytes(artifact))


def load(path: str | Path, kind: str) -> Artifact:
    """Read and check an artifact file.

    Raises:
        ArtifactError: it is missing, not an artifact, of another kind or schema, or damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise ArtifactError(f"{path} must be an Intaglio {kind} file; there is no such file")
    try:
        with safe_open(str(path), framework="numpy") as stream:
            header = stream.metadata() or {}
            arrays = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise ArtifactError(f"{path} must be an Intaglio {kind} file: {error}") from None
    if header.get("kind") != kind:
        found = header.get("kind", "some other file")
        raise ArtifactError(f"{path} must be an Intaglio {kind} file, not {found}")
    if header.get("schema") != str(SCHEMA):
        raise ArtifactError(
            f"{path} must have schema {SCHEMA}, not {header.get('schema')}: "
            f"make it again with intaglio {version()}"
        )
    try:
        document, made_by = json.loads(header["document"]), json.loads(header["provenance"])
    except (KeyError, ValueError) as error:
        raise ArtifactError(f"{path} must hold a readable document: {error}") from None
    artifact = Artifact(kind, document, arrays, made_by)
    if artifact.sha256 != header.get("sha256"):
        raise ArtifactError(f"{path} must match its own checksum; it is damaged, make it again")
    return artifact


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
