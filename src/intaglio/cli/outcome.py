# SPDX-License-Identifier: Apache-2.0
"""What a command has to say: to a person, to a program, to the shell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """Text for a person, a JSON document for a program, and the exit status."""

    text: str
    document: Any
    status: int = 0
