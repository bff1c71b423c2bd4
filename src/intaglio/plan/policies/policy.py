# SPDX-License-Identifier: Apache-2.0
"""What a policy is: from what is known at a slot, what to rent for it."""

from __future__ import annotations

from typing import Protocol

from intaglio.plan.state import View


class Policy(Protocol):
    """Decides slot by slot; all it remembers is in the view, so it can be asked again and again."""

    @property
    def name(self) -> str:
        """The word it is asked for by."""
        ...

    def choose(self, view: View) -> int:
        """Return the index of a mode that is there, or `IDLE`; the safety rule may overrule it."""
        ...
