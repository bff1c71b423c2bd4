# SPDX-License-Identifier: Apache-2.0
"""Processes on this computer: a size has as many cores as its machine has boards."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from intaglio.errors import ToolError
from intaglio.plan.market import Mode


@dataclass(frozen=True)
class LocalMachine:
    """A process."""

    process: subprocess.Popen[bytes]
    log: Path

    def runs(self) -> bool:
        """Return whether it is still at work.

        Raises:
            ToolError: it has ended with an error of its own.
        """
        status = self.process.poll()
        if status is not None and status > 0:
            raise ToolError(
                f"the training must not fail, but it did with status {status}: {self.log}"
            )
        return status is None

    def kill(self) -> None:
        """End it at once, as a machine that is taken away."""
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class Local:
    """Trains in processes; `boards` are those of each size."""

    training: Path
    checkpoint: Path
    boards: Mapping[str, int]
    log: Path

    def start(self, mode: Mode) -> LocalMachine:
        """Start a process."""
        command = [sys.executable, "-m", "intaglio.plan.worker", str(self.training)]
        command += [str(self.checkpoint), str(self.boards[mode.size])]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        return LocalMachine(process, self.log)
