# SPDX-License-Identifier: Apache-2.0
"""The tools of each family: one file each, which says all that differs between them."""

from __future__ import annotations

from intaglio.errors import ToolError
from intaglio.tools.families import ecp5, gowin, ice40, xilinx
from intaglio.tools.toolchain import Placer, Toolchain

_TOOLCHAINS = {
    made.family: made
    for made in (ecp5.TOOLCHAIN, gowin.TOOLCHAIN, ice40.TOOLCHAIN, xilinx.SERIES_7, xilinx.ULTRA)
}


def toolchain(family: str) -> Toolchain:
    """Return the tools of a family.

    Raises:
        ToolError: none are known; the text lists the families with some.
    """
    if family not in _TOOLCHAINS:
        names = ", ".join(sorted(_TOOLCHAINS))
        raise ToolError(f"the family of a device must be one of {names}, not {family!r}")
    return _TOOLCHAINS[family]


def placer(family: str) -> Placer:
    """Return what places and routes for a family.

    Raises:
        ToolError: no open tool does; the text says what there is instead.
    """
    found = toolchain(family).placer
    if found is None:
        raise ToolError(
            f"a device must be of a family that open tools place and route, not {family}: "
            "synthesize writes a project for its vendor's tool instead"
        )
    return found
