# SPDX-License-Identifier: Apache-2.0
"""Uniform progress: never fall behind an even pace.

Source: Z. Wu et al., "Can't Be Late: Optimizing Spot Instance Savings under Deadlines", NSDI 2024.
The policy is about one size; here that is the fastest. Other sizes it does not use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intaglio.plan.market import LIST
from intaglio.plan.state import IDLE, View


@dataclass(frozen=True)
class Uniform:
    """Take spot when it is there; behind the even pace, list price; ahead of it, wait for spot."""

    name: str = "uniform"

    def choose(self, view: View) -> int:
        """Compare progress with the even pace."""
        fastest = view.rate == view.rate.max()
        spot = np.array([mode.kind != LIST for mode in view.modes])
        listed = view.running != IDLE and not spot[view.running]
        if listed and not self._ahead(view, 2 * int(view.market.begin[view.running])):
            return view.running
        if view.running != IDLE and spot[view.running]:
            return view.running
        there = view.there & fastest & spot
        if there.any():
            return int(np.where(there, view.quoted, np.iinfo(np.int64).max).argmin())
        if view.safe is not None and not self._ahead(view, 0):
            return view.safe
        return IDLE

    def _ahead(self, view: View, later: int) -> bool:
        """Return whether the work done is what is due so many seconds later."""
        whole = (view.last - view.first) * view.slot
        passed = (view.at - view.first) * view.slot + later
        return (view.saved + view.unsaved) * whole >= view.work * min(passed, whole)
