# SPDX-License-Identifier: Apache-2.0
"""A folder that is written whole or not at all, and takes the place of an older one."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from intaglio.errors import ArtifactError


def require_room(folder: Path, record: str, kind: str) -> None:
    """Refuse a folder that may not be replaced: one that is neither empty nor has the record.

    Raises:
        ArtifactError: it is a file, or holds something else.
    """
    restore(folder)
    if folder.exists() and not folder.is_dir():
        raise ArtifactError(f"{folder} must be a folder, not a file")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / record).is_file():
        raise ArtifactError(f"{folder} must be empty or hold a {kind}; it holds other files")


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """Give an empty folder to fill, which then takes the other's place; if that fails, it is gone.

    At any moment the old or the new one is in place, or else the old one is where `restore` finds
    it, however this process ends.
    """
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        yield fresh
        fresh.chmod(0o755)
        with _locked(folder.parent):
            try:
                _settle(folder)
                if folder.exists():
                    folder.replace(_aside(folder))
                fresh.replace(folder)
            finally:
                _settle(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def restore(folder: Path) -> None:
    """Bring back a folder that a run which was killed has put aside and not replaced."""
    folder = folder.resolve()
    if _aside(folder).is_dir():
        with _locked(folder.parent):
            _settle(folder)


def _aside(folder: Path) -> Path:
    """Return where a folder is while another takes its place."""
    return folder.parent / f".{folder.name}.old"


def _settle(folder: Path) -> None:
    """Undo or finish a replacement that was broken off."""
    old = _aside(folder)
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
    elif old.is_dir():
        old.replace(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time replace what is in a folder; the lock ends with its process."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems lock no folders
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
