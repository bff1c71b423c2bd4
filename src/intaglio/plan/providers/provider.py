# SPDX-License-Identifier: Apache-2.0
"""What a provider is: it starts machines which go on with a training, and takes them away."""

from __future__ import annotations

from typing import Protocol

from intaglio.plan.market import Mode


class Machine(Protocol):
    """One that was started."""

    def runs(self) -> bool:
        """Return whether it is still at work."""
        ...

    def kill(self) -> None:
        """Take it away at once, with all it has not saved."""
        ...


class Provider(Protocol):
    """Starts machines for one training."""

    def start(self, mode: Mode) -> Machine:
        """Rent a machine that goes on from the last checkpoint."""
        ...
