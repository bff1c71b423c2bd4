# SPDX-License-Identifier: Apache-2.0
"""Availability traces: at every tick, how many machines of a kind could be had.

The form is that of the SkyPilot project's spot traces (NSDI 2024): JSON with `metadata.gap_seconds`
and a list `data` of counts. A trace has no dates: it begins where the history of prices begins.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from intaglio.errors import IntaglioError
from intaglio.plan.text_file import read_text


@dataclass(frozen=True, eq=False)
class Availability:
    """Whether a machine can be had, a tick of `gap` seconds after the other. `name` is its file."""

    name: str
    gap: int
    there: np.ndarray

    @property
    def seconds(self) -> int:
        """How long the trace is."""
        return self.gap * len(self.there)

    def between(self, edges: np.ndarray) -> np.ndarray:
        """Return whether a machine is there all the time between each edge and the next.

        Units: seconds from the trace's beginning. Nothing is known after its end: not there.
        """
        missing = np.concatenate([[0], np.cumsum(~self.there)])
        first = edges[:-1] // self.gap
        last = -(-edges[1:] // self.gap)
        inside = last <= len(self.there)
        clipped = np.minimum(last, len(self.there)), np.minimum(first, len(self.there))
        return inside & (missing[clipped[0]] == missing[clipped[1]])


def read_availability(path: Path, machines: int = 1) -> Availability:
    """Read a trace; a machine is there at ticks that have at least so many.

    Raises:
        IntaglioError: the file is missing or no trace; the text names the tick, counted from 1.
    """
    text = read_text(path, "an availability trace")
    try:
        document = json.loads(text)
        gap, data = document["metadata"]["gap_seconds"], document["data"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise IntaglioError(
            f"{path} must be JSON with metadata.gap_seconds and data; it is not"
        ) from None
    if not isinstance(gap, int) or isinstance(gap, bool) or not 1 <= gap <= 86_400:
        raise IntaglioError(f"{path}: gap_seconds must be from 1 to 86400 seconds, not {gap!r}")
    if not isinstance(data, list) or not data:
        raise IntaglioError(f"{path}: data must be a list of counts, one a tick; it is empty")
    for tick, count in enumerate(data, 1):
        if not isinstance(count, int) or count < 0:
            raise IntaglioError(f"{path}: tick {tick} must be a count of 0 or more, not {count!r}")
    return Availability(path.name, gap, np.array(data, dtype=np.int64) >= machines)
