# SPDX-License-Identifier: Apache-2.0
"""Simulated jobs: never late, never cheaper than the optimum, and what is lost is counted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from intaglio.errors import InfeasibleError, IntaglioError
from intaglio.plan.market import LIST, SPOT, Market
from intaglio.plan.optimum import plan
from intaglio.plan.policies import BUILT_IN, chosen, policies
from intaglio.plan.policies.policy import Policy
from intaglio.plan.schedule import schedule, stint_work
from intaglio.plan.simulate import simulate
from intaglio.plan.state import IDLE, View
from intaglio.plan.study import harsh, study
from tests.plan.markets import flat

PRICES = [300_000, 1_000_000, 3_000_000, 1_000_000, 10_000_000]
RATES = [10, 25, 60, 10, 60]
KINDS = [SPOT, SPOT, SPOT, LIST, LIST]


def spotty(seed: int, *, slots: int = 40, work: int = 60 * 600 * 12) -> Market:
    """Return three sizes on spot, which come and go at moving prices, and two at list price."""
    random = np.random.default_rng(seed)
    made = flat(
        PRICES, RATES, work, slots=slots, save=30, begin=int(random.integers(0, 900)), kinds=KINDS
    )
    paid, there = made.paid.copy(), made.there.copy()
    moves = np.exp(np.cumsum(random.normal(0, 0.1, (slots, 3)), axis=0))
    paid[:, :3] = np.minimum(paid[:, :3] * moves, paid[0, [3, 3, 4]]).astype(np.int64)
    there[:, :3] = random.random((slots, 3)) < random.uniform(0.3, 1)
    return replace(made, paid=paid, quoted=paid, there=there, reclaimed=~there)


@dataclass(frozen=True)
class Careless:
    """Rents at random what is there, or nothing."""

    name: str = "careless"

    def choose(self, view: View) -> int:
        random = np.random.default_rng(view.at * 7919 + view.saved % 1009)
        return int(random.choice([IDLE, *np.flatnonzero(view.there).tolist()]))


@pytest.mark.parametrize("policy", [*BUILT_IN, Careless()], ids=lambda policy: policy.name)
def test_no_deadline_is_missed_whatever_is_taken_away_and_no_policy_beats_the_optimum(
    policy: Policy,
) -> None:
    rescued = 0
    for seed in range(120):
        market = harsh(spotty(seed), [0.0, 0.3, 1.0][seed % 3], seed)
        slots = 18 + seed % 23
        ride = simulate(market, policy, first=0, slots=slots, save_every=900)
        assert ride.finish is not None
        assert ride.finish <= slots * market.slot
        best = plan(market.window(0, slots))
        assert best.floor <= ride.cost
        assert best.schedule.cost <= ride.cost * (1 + best.gap)
        rescued += ride.rescued
    assert rescued > 0


def test_the_books_agree_with_the_schedule() -> None:
    for seed in range(40):
        market = spotty(seed)
        for policy in BUILT_IN:
            ride = simulate(market, policy, first=0, slots=40, save_every=900)
            reckoned = schedule(market, ride.stints)
            assert reckoned.cost == ride.cost
            assert reckoned.finish == ride.finish
            assert reckoned.work >= market.job.work  # without checkpoints on the way, or losses


def test_what_was_not_saved_is_lost() -> None:
    market = flat(
        [1_000_000, 10_000_000], [10, 10], 10 * 600 * 6, slots=60, save=60, kinds=[SPOT, LIST]
    )
    taken = market.reclaimed.copy()
    taken[4, 0] = True
    broken = replace(market, reclaimed=taken)
    policy = policies()["cheapest"]
    careful = simulate(broken, policy, first=0, slots=60, save_every=600)
    assert (careful.preemptions, careful.lost) == (1, 0)
    careless = simulate(broken, policy, first=0, slots=60, save_every=1e9)
    assert (careless.preemptions, careless.lost) == (1, 10 * 600 * 4)
    assert careless.finish == 10 * 600 + 60
    assert careful.finish == 6 * 600 + 7 * 60
    assert [stint_work(broken, s) for s in careless.stints] == [10 * 2340, 10 * 3600]


def test_a_job_without_list_prices_is_a_best_effort() -> None:
    market = flat([1_000_000], [10], 10 * 600 * 6, slots=20, kinds=[SPOT])
    gone = replace(market, there=np.zeros_like(market.there))
    ride = simulate(gone, policies()["mpc"], first=0, slots=20, save_every=900)
    assert (ride.finish, ride.cost, ride.rescued) == (None, 0, 0)


def test_what_the_safe_mode_cannot_do_is_refused() -> None:
    market = flat([1_000_000], [10], 10 * 600 * 6, slots=20)
    with pytest.raises(InfeasibleError, match="must be done within 50m, and x0 list here takes 1h"):
        simulate(market, policies()["fixed"], first=0, slots=5, save_every=900)
    with pytest.raises(
        IntaglioError, match="prices must last 30 slots from slot 0 on, not end at 20"
    ):
        simulate(market, policies()["fixed"], first=0, slots=30, save_every=900)


def test_a_policy_must_choose_what_is_there() -> None:
    @dataclass(frozen=True)
    class Wishful:
        name: str = "wishful"

        def choose(self, view: View) -> int:
            return view.first

    market = flat([1_000_000, 2_000_000], [10, 10], 600, slots=20, kinds=[SPOT, LIST])
    gone = replace(market, there=market.there & [False, True])
    with pytest.raises(IntaglioError, match="wishful must choose what is there, not x0 spot here"):
        simulate(gone, Wishful(), first=0, slots=20, save_every=900)


def test_policies_are_found_by_name() -> None:
    assert list(policies()) == ["fixed", "cheapest", "uniform", "reactive", "mpc"]
    with pytest.raises(
        IntaglioError, match=r"a policy must be one of fixed, cheapest, .* not 'luck'"
    ):
        chosen(["mpc", "luck"])


def test_at_flat_prices_the_predictive_policy_is_close_to_the_optimum() -> None:
    kinds = [SPOT, SPOT, LIST]
    market = flat(
        [900_000, 3_600_000, 12_000_000], [30, 60, 60], 60 * 600 * 100, slots=160, save=20,
        begin=300, kinds=kinds,
    )  # fmt: skip
    for slots in (110, 116, 130, 160):
        ride = simulate(market, policies()["mpc"], first=0, slots=slots, save_every=3600)
        assert ride.rescued == 0
        best = plan(market.window(0, max(slots - 5, 102))).schedule.cost
        assert ride.cost <= best * 1.02


def test_the_predictive_policy_keeps_a_machine_that_nothing_is_better_than() -> None:
    kinds = [SPOT, LIST]
    market = flat(
        [65_000, 650_000], [7, 7], 7 * 600 * 97, slots=170, save=30, begin=600, kinds=kinds
    )
    for save_every in (700.0, 2000.0, 1e9):
        ride = simulate(market, policies()["mpc"], first=20, slots=120, save_every=save_every)
        assert len(ride.stints) == 1
        assert ride.rescued == 0


def test_a_study_is_the_same_in_one_process_and_in_two() -> None:
    market = spotty(1, slots=60)
    settings = {"slots": 30, "starts": 3, "save_every": 900.0, "progress": False}
    one = study(market, ["fixed", "mpc"], **settings)  # type: ignore[arg-type]
    two = study(market, ["fixed", "mpc"], processes=2, **settings)  # type: ignore[arg-type]
    assert one.samples == two.samples
    assert [sample.first for sample in one.samples] == [30] or len(one.samples) == 3
    assert (one.ratios("mpc") >= 1).all()
    with pytest.raises(IntaglioError, match="prices must last 16h40m at least, not 10h"):
        study(market, ["fixed"], slots=100, starts=1, save_every=900)
