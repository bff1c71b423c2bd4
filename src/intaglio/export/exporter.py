# SPDX-License-Identifier: Apache-2.0
"""What a format is: how a program becomes files, how they are read, and that they say the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from intaglio.ir.graph import Program

#: Contents by name. A format of one or two files names them by their suffixes; one that is a folder
#: by their paths in it.
Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Exporter:
    """One format.

    `write` makes the files of a program and refuses, by node, what the format cannot say. `check`
    reads files back, raises `VerificationError` unless they say what the program does, and returns
    what a user must know of them. A format with a `suffix` is a file of it, one without a folder.
    """

    name: str
    says: str
    suffix: str
    write: Callable[[Program], Files]
    check: Callable[[Program, Files], tuple[str, ...]]


@dataclass(frozen=True)
class Exported:
    """What was written: the format, the files, and what their user must know."""

    format: str
    files: tuple[Path, ...]
    notes: tuple[str, ...]
