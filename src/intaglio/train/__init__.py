# SPDX-License-Identifier: Apache-2.0
"""Everything that needs torch or a data set: training, networks, export. Imported late."""

from __future__ import annotations

from importlib.util import find_spec

from intaglio.errors import MissingToolError


def require(module: str, package: str, purpose: str) -> None:
    """Stop with one clear line, before a late import would, where an optional package is missing.

    Raises:
        MissingToolError: it is not installed.
    """
    if find_spec(module) is None:
        raise MissingToolError(
            f"{purpose} needs {package}, which is not installed: pip install 'intaglio[train]'"
        )
