# SPDX-License-Identifier: Apache-2.0
"""The C++ compiler: simulations are compiled by it, and the kernels that run programs."""

from __future__ import annotations

import os
import shutil

from intaglio.errors import MissingToolError


def compiler_path() -> str:
    """Return the C++ compiler.

    Raises:
        MissingToolError: there is none.
    """
    for name in (os.environ.get("CXX", ""), "g++", "clang++", "c++"):
        if name and (found := shutil.which(name)):
            return found
    raise MissingToolError("a C++ compiler must be installed for simulation: apt-get install g++")
