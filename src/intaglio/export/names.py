# SPDX-License-Identifier: Apache-2.0
"""Names of values as names of files: safe on every system, and each different."""

from __future__ import annotations

import re
from collections.abc import Iterable


def file_names(values: Iterable[str], suffix: str) -> dict[str, str]:
    """Return a file name for each value; letters, digits, points, dashes and underscores stay."""
    taken: set[str] = set()
    found = {}
    for value in values:
        plain = re.sub(r"[^A-Za-z0-9_.-]", "_", value).strip(".")[:100] or "_"
        name, number = f"{plain}{suffix}", 1
        while name.lower() in taken:  # some systems do not tell cases apart
            number += 1
            name = f"{plain}~{number}{suffix}"
        taken.add(name.lower())
        found[value] = name
    return found
