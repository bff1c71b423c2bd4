# SPDX-License-Identifier: Apache-2.0
"""A program as files of other people's formats: one format, one file.

To add a format: its file, its test, one import and one line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from intaglio.errors import ModelError
from intaglio.export.clipq import CLIPQ
from intaglio.export.exporter import Exported, Exporter
from intaglio.export.fpgai import FPGAI
from intaglio.export.hex import HEX
from intaglio.export.npz import NPZ
from intaglio.export.place import place
from intaglio.export.qdq import QCDQ, QDQ
from intaglio.export.qonnx import QONNX
from intaglio.export.text import TEXT
from intaglio.ir.graph import Program
from intaglio.plugins import registered

BUILT_IN: tuple[Exporter, ...] = (NPZ, HEX, TEXT, QDQ, QCDQ, QONNX, FPGAI, CLIPQ)


@cache
def exporters() -> Mapping[str, Exporter]:
    """Return every format by name: ours, then those of entry points `intaglio.exporters`.

    Raises:
        ModelError: an outside package takes a name that is in use.
    """
    ours = {exporter.name: exporter for exporter in BUILT_IN}
    return registered("intaglio.exporters", ours, ModelError)


def export(program: Program, where: str | Path, format: str) -> Exported:  # noqa: A002
    """Write a program in a format, read the files back, and compare before they get their names.

    Args:
        program: what to write.
        where: a file, whose suffix is set to the format's; or a folder that is absent, empty or
            holds an older export.
        format: one of `exporters()`.

    Raises:
        ArtifactError: something else is in the place.
        ModelError: there is no such format, or it cannot say a node of the program.
        VerificationError: what was read back is not what was to be written.
    """
    known = exporters()
    if format not in known:
        raise ModelError(f"a format must be one of {', '.join(known)}, not {format!r}")
    return place(known[format], program, Path(where))
