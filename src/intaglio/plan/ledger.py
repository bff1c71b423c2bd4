# SPDX-License-Identifier: Apache-2.0
"""What an elastic run has done so far: a line of JSON an event, each on disk before it counts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from intaglio.errors import ArtifactError

#: Kinds of events: a slot that was paid for, and what happened to machines.
PAID, STARTED, STOPPED, TAKEN, DONE = "paid", "started", "stopped", "taken", "done"


@dataclass(frozen=True)
class Event:
    """One of them, in a slot: for `PAID` what it cost, in micro-dollars."""

    kind: str
    slot: int
    mode: str
    epochs: int
    cost: int = 0


@dataclass(frozen=True)
class Ledger:
    """A file of events."""

    path: Path

    def add(self, event: Event) -> None:
        """Write an event to disk."""
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(event)) + "\n")
            stream.flush()
            os.fsync(stream.fileno())

    def events(self) -> list[Event]:
        """Read all events; a last line that was cut short is left out.

        Raises:
            ArtifactError: another line is no event.
        """
        return list(self._read()) if self.path.exists() else []

    def _read(self) -> Iterator[Event]:
        lines = self.path.read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines[:-1], 1):
            try:
                yield Event(**json.loads(line))
            except (ValueError, TypeError):
                raise ArtifactError(
                    f"{self.path}: line {number} must be an event; it is damaged"
                ) from None

    def mend(self) -> None:
        """Take off a last line that was cut short, so that the next one is on a line of its own."""
        if self.path.exists():
            data = self.path.read_bytes()
            whole = data.rfind(b"\n") + 1
            if whole != len(data):
                os.truncate(self.path, whole)
