# SPDX-License-Identifier: Apache-2.0
"""Markets: prices and availability on slots, list prices beside them, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from intaglio.errors import IntaglioError
from intaglio.plan.availability import Availability
from intaglio.plan.catalog import family
from intaglio.plan.job import Job, job
from intaglio.plan.market import CAP, LIST, SPOT, market
from intaglio.plan.prices import PriceHistory, Record, history

T0 = 1_600_000_000
F1 = family("aws-f1")


def made() -> Job:
    times = {"f1.2xlarge": 1200, "f1.16xlarge": 600}
    return job("j", 10, times, checkpoint=30, boot=60, restore=30, source="s")


def prices() -> PriceHistory:
    """One zone whose large size is dearer than list price from the second slot on, for a slot."""
    rows = [("a", "f1.2xlarge", 0, 500_000), ("a", "f1.16xlarge", 0, 4_000_000)]
    rows += [("a", "f1.16xlarge", 900, 20_000_000), ("a", "f1.16xlarge", 1200, 6_000_000)]
    rows += [("b", "f1.2xlarge", 600, 450_000)]
    return history([Record(T0 + t, f"us-east-1{z}", s, p) for z, s, t, p in rows], "here")


def test_spot_modes_of_every_zone_and_list_modes_of_every_region() -> None:
    found = market(made(), F1, slots=4, history=prices(), start=T0)
    assert [str(mode) for mode in found.modes] == [
        "f1.16xlarge spot us-east-1a",
        "f1.2xlarge spot us-east-1a",
        "f1.2xlarge spot us-east-1b",
        "f1.2xlarge list us-east-1",
        "f1.16xlarge list us-east-1",
    ]
    assert found.paid[:, 0].tolist() == [4_000_000, 12_000_000, 6_000_000, 6_000_000]
    assert found.quoted[:, 0].tolist() == [4_000_000, 4_000_000, 6_000_000, 6_000_000]
    assert found.there[:, 2].tolist() == [False, True, True, True]
    assert found.there[:, 3:].all()
    assert found.safe == 4
    assert found.rate.tolist() == [2, 1, 1, 1, 2]


def test_above_list_price_a_machine_is_taken_away_or_goes_on_at_list_price() -> None:
    dear = history([Record(T0, "us-east-1a", "f1.2xlarge", 2_000_000)], "here")
    part = made().only(("f1.2xlarge",))
    taken = market(part, F1, slots=2, history=dear, start=T0, kinds=[SPOT])
    assert not taken.there.any()
    assert taken.reclaimed.all()
    capped = market(part, F1, slots=2, history=dear, start=T0, kinds=[SPOT], above_list=CAP)
    assert (capped.paid == 1_650_000).all()
    assert capped.safe is None


def test_availability_counts_from_the_first_moment_with_all_prices() -> None:
    trace = Availability("t", 600, np.array([True, False, True, True]))
    found = market(
        made(), F1, slots=3, history=prices(), start=T0 + 600, availability={"f1.2xlarge": trace}
    )
    assert found.there[:, 1].tolist() == [True, False, True]
    assert found.there[:, 0].all()


def test_list_prices_need_no_history() -> None:
    found = market(made(), F1, slots=2, regions=["us-east-1"])
    assert [mode.kind for mode in found.modes] == [LIST, LIST]
    assert found.origin == "list prices alone"


def test_preemptions_slow_spot_machines_in_the_mean() -> None:
    found = market(made(), F1, slots=4, history=prices(), start=T0)
    assert found.slowed(0) is found
    slow = found.slowed(0.06)
    every = 1897.4
    lost = 30 / every + 0.06 / 3600 * (every / 2 + 90)
    spot = [mode.kind == SPOT for mode in found.modes]
    seconds = found.job.work / found.rate, slow.job.work / slow.rate
    assert seconds[1][spot] / seconds[0][spot] == pytest.approx(1 + lost, rel=1e-5)
    assert (seconds[1] == seconds[0])[~np.array(spot)].all()


def test_a_window_is_a_market_that_begins_later() -> None:
    found = market(made(), F1, slots=4, history=prices(), start=T0).window(1, 2)
    assert (found.start, found.slots) == (T0 + 600, 2)
    assert found.paid[:, 0].tolist() == [12_000_000, 6_000_000]
    with pytest.raises(
        IntaglioError, match="prices must last 3 slots from slot 1 on, not end at 2"
    ):
        found.window(1, 3)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"slot": 30}, "a slot must last from 60 s, which are billed at least, to a day, not 30 s"),
        ({"slot": 0}, "a slot must last from 60 s"),
        ({"slots": 0}, "there must be 1 to 30,000 slots, not 0"),
        ({"start": T0 - 1}, "must begin between .* where the history has prices, not at 2020"),
        ({"start": T0 + 10**6}, "must begin between 2020-09-13 12:36:40Z and 2020-09-13 12:46:40Z"),
        ({"kinds": []}, "something must be for rent"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(changed: dict[str, Any], said: str) -> None:
    settings: dict[str, Any] = {"slots": 4, "history": prices(), "start": T0}
    with pytest.raises(IntaglioError, match=said):
        market(made(), F1, **(settings | changed))


def test_a_checkpoint_must_fit_in_a_slot() -> None:
    slow = job("j", 10, {"f1.2xlarge": 1200}, checkpoint=60, boot=60, restore=30, source="s")
    with pytest.raises(IntaglioError, match="a slot must last longer than a checkpoint, 60 s"):
        market(slow, F1, slots=4, slot=60, regions=["us-east-1"])


def test_unknown_sizes_and_zones_are_named() -> None:
    with pytest.raises(IntaglioError, match=r"here must hold prices of f9, not only of f1\.16"):
        prices().only(None, ["f9"])
    with pytest.raises(
        IntaglioError, match="a zone must be one of us-east-1a, us-east-1b, not 'x'"
    ):
        prices().only(["x"], ["f1.2xlarge"])
