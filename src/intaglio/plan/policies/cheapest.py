# SPDX-License-Identifier: Apache-2.0
"""The cheapest work there is now, whatever it means for the deadline: the greedy yardstick."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intaglio.plan.state import IDLE, View


@dataclass(frozen=True)
class Cheapest:
    """Rent what costs least for its work, and leave the deadline to the safety rule.

    A machine is kept until another is cheaper by `margin`, a share.
    """

    name: str = "cheapest"
    margin: float = 0.1

    def choose(self, view: View) -> int:
        """Compare the prices of work."""
        price = np.where(view.there, view.quoted / view.rate, np.inf)
        best = int(price.argmin())
        if not np.isfinite(price[best]):
            return IDLE
        stays = view.running != IDLE and price[view.running] * (1 - self.margin) <= price[best]
        return view.running if stays else best
