# SPDX-License-Identifier: Apache-2.0
"""Files put in their place whole or not at all, and read back on the way."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from intaglio.artifact import write_atomic
from intaglio.errors import ArtifactError
from intaglio.export.exporter import Exported, Exporter, Files
from intaglio.ir.graph import Program

#: The JSON file that every folder has: it says which format it is of, and what is where.
INDEX = "index.json"


def place(exporter: Exporter, program: Program, where: Path) -> Exported:
    """Write a program's files and check what the disk gives back before they get their names.

    Raises:
        ArtifactError: a folder of that name holds something else, or a file is in its place.
        ModelError: the format cannot say a node.
        VerificationError: what was read back is not what was to be written.
    """
    target = where if not exporter.suffix else where.with_suffix(exporter.suffix)
    _require_free(exporter, target)
    files = exporter.write(program)
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        for name, data in files.items():
            write_atomic(staged / name, data)
        notes = exporter.check(program, {name: (staged / name).read_bytes() for name in files})
        if exporter.suffix:
            paths = tuple(target.with_suffix(suffix) for suffix in files)
            for path, suffix in zip(paths, files, strict=True):
                (staged / suffix).replace(path)
        else:
            if target.is_dir():
                shutil.rmtree(target)
            staged.chmod(0o755)
            staged.replace(target)
            paths = tuple(target / name for name in files)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return Exported(exporter.name, paths, notes)


def read_files(where: str | Path, *names: str) -> Files:
    """Return files of a folder, all of them by default; or those beside a path, by suffix.

    Raises:
        ArtifactError: one is missing.
    """
    where = Path(where)
    if where.is_dir() and not names:
        paths = {str(p.relative_to(where)): p for p in where.rglob("*") if p.is_file()}
    else:
        paths = {n: where / n if where.is_dir() else where.with_suffix(n) for n in names}
    for path in paths.values():
        if not path.is_file():
            raise ArtifactError(f"{path} must be a file of an export; there is no such file")
    return {name: path.read_bytes() for name, path in paths.items()}


def _require_free(exporter: Exporter, target: Path) -> None:
    """Refuse to replace anything but an older export."""
    if exporter.suffix:
        if target.is_dir():
            raise ArtifactError(f"{target} must be a file for {exporter.name}, not a folder")
        return
    if target.exists() and not target.is_dir():
        raise ArtifactError(f"{target} must be a folder for {exporter.name}, not a file")
    if target.is_dir() and any(target.iterdir()) and not (target / INDEX).is_file():
        raise ArtifactError(f"{target} must be empty or hold an export; it holds other files")
