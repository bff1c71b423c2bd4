# SPDX-License-Identifier: Apache-2.0
"""A plan carried out: what was found with all prices known, or expected."""

from __future__ import annotations

from dataclasses import dataclass

from intaglio.plan.schedule import Stint
from intaglio.plan.state import IDLE, View


@dataclass(frozen=True)
class Planned:
    """Rent what the stints say, and the last of them until the job is done.

    Stints count seconds from the job's start.
    """

    stints: tuple[Stint, ...]
    name: str = "plan"

    def choose(self, view: View) -> int:
        """Look up the slot."""
        second = (view.at - view.first) * view.slot
        wanted = IDLE
        for stint in self.stints:
            if stint.begin <= second and (second < stint.end or stint is self.stints[-1]):
                wanted = stint.mode
        return wanted if wanted != IDLE and view.there[wanted] else IDLE
