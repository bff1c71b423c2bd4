# SPDX-License-Identifier: Apache-2.0
"""Reactive: of the sizes that are in time by themselves, the cheapest work now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intaglio.plan.state import IDLE, View


@dataclass(frozen=True)
class Reactive:
    """Rent the cheapest work among the modes that would be done in time if nothing changed.

    A machine is kept until another is cheaper by `margin`, a share.
    """

    name: str = "reactive"
    margin: float = 0.1

    def choose(self, view: View) -> int:
        """Leave out what is too slow, then compare the prices of work."""
        price = np.where(view.there, view.quoted / view.rate, np.inf)
        in_time = view.to_go() <= view.unhurried
        if not (in_time & view.there).any():
            in_time = view.rate == view.rate.max()
        price = np.where(in_time, price, np.inf)
        best = int(price.argmin())
        if not np.isfinite(price[best]):
            return IDLE
        stays = view.running != IDLE and price[view.running] * (1 - self.margin) <= price[best]
        return view.running if stays else best
