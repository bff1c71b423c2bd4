# SPDX-License-Identifier: Apache-2.0
"""The optimum: equal to trying everything, above its bounds, and what closed forms say."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import InfeasibleError, IntaglioError
from intaglio.plan.bound import lower_bound
from intaglio.plan.job import amdahl, job
from intaglio.plan.optimum import optimum, plan, plan_within
from intaglio.plan.schedule import schedule, stint_work
from intaglio.plan.sweep import INFINITE
from tests.plan.markets import NEVER, flat, small, tried_one_by_one

HOUR = 3600


def test_it_is_what_trying_everything_finds_for_every_deadline_in_500_random_cases() -> None:
    possible = 0
    for seed in range(500):
        market = small(seed)
        found = optimum(market)
        assert found.grid.exact
        tried = list(accumulate(tried_one_by_one(market), min))
        assert [n if n < INFINITE else NEVER for n in found.least.tolist()] == tried, seed
        possible += tried[-1] < NEVER
    assert possible > 250


def test_its_schedule_costs_what_it_says_and_finishes_and_no_bound_is_above_it() -> None:
    for seed in range(500, 700):
        market = small(seed, slots=12, modes=4)
        found = optimum(market)
        for last in np.flatnonzero(found.possible).tolist():
            chosen = found.schedule(last)
            assert chosen.cost == found.least[last]
            assert chosen.work >= market.job.work
            assert chosen.finish <= (last + 1) * market.slot
            assert schedule(market, chosen.stints) == chosen
            assert lower_bound(market, last + 1) <= chosen.cost


@given(st.integers(0, 10**6), st.integers(3, 40))
def test_rounded_work_gives_a_schedule_above_and_a_floor_below(seed: int, cells: int) -> None:
    market = small(seed)
    exact = [n for n in tried_one_by_one(market) if n < NEVER]
    try:
        rounded = plan(market, cells=cells)
    except InfeasibleError:
        return  # rounded up, the work may no longer fit
    assert rounded.bound <= rounded.floor <= min(exact) <= rounded.schedule.cost
    assert rounded.schedule.work >= market.job.work
    assert rounded.gap >= rounded.schedule.cost / min(exact) - 1


@given(st.integers(1, 20), st.integers(1, 9), st.integers(0, 40), st.integers(0, 30))
def test_at_flat_prices_one_size_costs_its_time(
    price: int, rate: int, begin: int, save: int
) -> None:
    work = 3 * HOUR * rate
    market = flat([price * 3_600_000], [rate], work, slots=24, begin=begin, save=save)
    chosen = plan(market).schedule
    assert chosen.finish == 3 * HOUR + begin + save
    assert chosen.cost / 10**6 == pytest.approx(3.6 * price * (3 + (begin + save) / HOUR), rel=1e-9)


@given(st.integers(0, 20), st.integers(11, 39))
def test_at_flat_prices_two_sizes_mix_as_the_closed_form_says(twentieth: int, tenths: int) -> None:
    """List price is linear in boards, 2 and 8 of them; r = t2/t8, a share x of the work on 2.

    Extra time x (r - 1), saving x (1 - r/4): the optimum at a deadline of 1 + x (r - 1).
    """
    share, r = Fraction(twentieth, 20), Fraction(tenths, 10)
    slots = 200 + 200 * share * (r - 1)
    market = flat([3_600_000, 14_400_000], [10, tenths], 200 * 600 * tenths, slots=int(slots))
    found = plan(market)
    closed = (1 - share * (1 - r / 4)) * 200 * 2_400_000
    assert found.schedule.cost == pytest.approx(float(closed), rel=1e-9)
    assert found.bound == pytest.approx(float(closed), rel=1e-5)


def saving(t2: Fraction, extra: Fraction, slots8: int) -> Fraction:
    """Return the exact saving against 8 boards throughout, at list price, by the optimum."""
    times = {"x2": t2, "x8": Fraction(1)}
    made = job(
        "j",
        slots8,
        {s: 600 * t for s, t in times.items()},
        checkpoint=0,
        boot=0,
        restore=0,
        source="s",
    )
    slots = int(slots8 * (1 + extra))
    rates = [made.pace(size).rate for size in times]
    market = flat([3_600_000, 14_400_000], rates, made.work, slots=slots)
    return 1 - Fraction(plan(market).schedule.cost, 2_400_000 * slots8)


def test_the_published_point_needs_whole_jobs_that_differ_by_a_fifth() -> None:
    """x = 0.8 and r = 1.2: 16 % more time and 56 % less money, exactly."""
    assert float(saving(Fraction(6, 5), Fraction(16, 100), 100)) == pytest.approx(0.56, rel=1e-9)


@pytest.mark.parametrize(
    ("fraction", "low", "high"), [("0.48", 0.437, 0.4405), ("1", 0.0215, 0.0245)]
)
def test_published_speeds_save_44_percent_as_a_whole_job_and_2_as_layers(
    fraction: str, low: float, high: float
) -> None:
    times = amdahl(1, fraction, {"x2": "2.09", "x8": "6.00"})
    ratio = times["x2"] / times["x8"]
    assert low < saving(ratio.limit_denominator(1000), Fraction(16, 100), 100) < high


def test_a_deadline_that_cannot_be_met_says_by_how_much_and_what_would_help() -> None:
    market = flat([1_000_000], [10], 10 * 7000, slots=20, begin=100, save=20)
    with pytest.raises(InfeasibleError) as caught:
        plan(market, 6000)
    assert str(caught.value) == (
        "the job must be done within 1h40m, and nothing is that fast: the least is 1h58m40s, "
        "18m40s more, for $1.98; give it more time, larger sizes or more zones"
    )
    with pytest.raises(
        InfeasibleError, match="takes 1h58m40s without a pause, 18m40s more, so give it"
    ):
        plan(flat([1_000_000], [10], 10 * 7000, slots=10, begin=100, save=20))


def test_the_first_schedule_within_a_budget() -> None:
    market = flat([1_200_000, 3_600_000], [1, 2], 12 * 600, slots=30)
    assert plan_within(market, 3_600_000).schedule.finish == 6 * 600
    cheap = plan_within(market, 2_400_000)
    assert (cheap.schedule.cost, cheap.schedule.finish) == (2_400_000, 12 * 600)
    between = plan_within(market, 3_000_000)
    assert cheap.schedule.finish > between.schedule.finish > 6 * 600
    with pytest.raises(InfeasibleError) as caught:
        plan_within(market, 2_300_000)
    assert str(caught.value) == (
        "the job must cost $2.30 at most, and nothing is that cheap: the least within 5h is $2.40, "
        "$0.1000 more; raise the budget, or look further ahead"
    )


def test_more_time_never_costs_more_and_points_are_where_it_costs_less() -> None:
    found = optimum(small(3, slots=12))
    assert (np.diff(found.least) <= 0).all()
    points = found.points()
    assert all(a < c and b > d for (a, b), (c, d) in pairwise(points))


def test_it_pauses_when_machines_are_dear_and_saves_before_one_is_taken_away() -> None:
    market = flat([1_000_000], [1], 4 * 600 - 60, slots=8, save=30)
    paid = market.paid.copy()
    paid[2:4] = 9_000_000
    dear = replace(market, paid=paid, quoted=paid)
    assert [(s.begin, s.end) for s in plan(dear, 3600).schedule.stints] == [(0, 1200), (2400, 3600)]
    taken = market.reclaimed.copy()
    taken[2] = True
    broken = replace(market, reclaimed=taken)
    first, second = plan(broken, 2400).schedule.stints
    assert first.end == second.begin == 1200
    assert stint_work(broken, first) == 1200 - 30


def test_what_is_billed_is_60_seconds_at_least() -> None:
    assert plan(flat([3_600_000], [100], 100, slots=2)).schedule.cost == 60_000


def test_a_deadline_outside_the_market_is_refused() -> None:
    with pytest.raises(IntaglioError, match="deadline must lie from 10m to 50m after the start"):
        plan(flat([1], [1], 1, slots=5), 3600)


def test_prices_beyond_counting_are_refused() -> None:
    with pytest.raises(IntaglioError, match="a schedule must cost less than"):
        plan(flat([10**9], [1], 1, slots=20_000))
