# SPDX-License-Identifier: Apache-2.0
"""Schedules: reckoned by the second, and refused where machines are not there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from intaglio.errors import IntaglioError
from intaglio.plan.schedule import Schedule, Stint, schedule, stint_cost, stint_work
from tests.plan.markets import flat


def test_a_stint_costs_each_slot_at_its_price_and_works_but_for_start_and_checkpoint() -> None:
    market = flat([3_600_000], [5], 10**6, slots=4, save=20, begin=100)
    paid = market.paid * np.array([[1], [2], [3], [4]])
    rising = replace(market, paid=paid)
    stint = Stint(0, 300, 1300)
    assert stint_cost(rising, stint) == 1000 * (300 * 1 + 600 * 2 + 100 * 3)
    assert stint_work(rising, stint) == 5 * (1000 - 120)
    assert stint_cost(rising, Stint(0, 0, 5)) == 60_000
    assert stint_work(rising, Stint(0, 0, 5)) == 0
    both = schedule(rising, [Stint(0, 0, 60), stint])
    assert both == Schedule((Stint(0, 0, 60), stint), 60_000 + 1_800_000, 4400)
    assert (both.finish, both.rented) == (1300, 1060)


def test_what_cannot_be_rented_is_refused() -> None:
    market = flat([1_000_000], [5], 10**6, slots=4)
    with pytest.raises(IntaglioError, match="must begin after the one before it, not at 500 s"):
        schedule(market, [Stint(0, 0, 600), Stint(0, 500, 700)])
    there = market.there.copy()
    there[1] = False
    gone = replace(market, there=there)
    with pytest.raises(IntaglioError, match="x0 list here must be there from slot 0 to 2"):
        schedule(gone, [Stint(0, 0, 700)])
    taken = replace(market, reclaimed=np.array([[False], [False], [True], [False]]))
    with pytest.raises(IntaglioError, match="x0 list here must stay from slot 1 to 3"):
        schedule(taken, [Stint(0, 600, 1800)])
    assert schedule(taken, [Stint(0, 600, 1200), Stint(0, 1200, 1800)]).rented == 1200
