# SPDX-License-Identifier: Apache-2.0
"""One size throughout: what people do who do not plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intaglio.plan.state import IDLE, View


@dataclass(frozen=True)
class Fixed:
    """Rent the slowest size that is in time, wherever it is cheapest, until the job is done.

    `spare` is the share of the time that is kept for restarts when the size is chosen.
    """

    name: str = "fixed"
    spare: float = 0.1

    def choose(self, view: View) -> int:
        """Stay, or rent the same size again where it is cheapest now."""
        if view.running != IDLE and view.running != view.safe:
            return view.running
        rate = self._rate(view)
        fits = view.there & (view.rate == rate)
        if not fits.any():
            return IDLE
        best = int(np.where(fits, view.quoted, np.iinfo(np.int64).max).argmin())
        stays = view.running != IDLE and view.quoted[view.running] <= view.quoted[best]
        return view.running if stays else best

    def _rate(self, view: View) -> int:
        """Return the speed of the slowest size that does the whole job in the whole time."""
        whole = (view.last - view.first) * view.slot * (1 - self.spare)
        enough = [int(rate) for rate in view.rate if rate * whole >= view.work]
        return min(enough, default=int(view.rate.max()))
