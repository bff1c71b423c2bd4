# SPDX-License-Identifier: Apache-2.0
"""A job under a policy, slot by slot, on a market whose future the policy does not know.

The rules are those of `optimum`, so no policy costs less than it: machines are rented from the
beginning of a slot, starting and saving take time that is paid, and a machine that is given back
saves first, in the last seconds of the slot before. But a machine that is taken away loses what it
has done since its last checkpoint; so spot machines save at intervals, at the end of a slot.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from intaglio.errors import InfeasibleError, IntaglioError
from intaglio.plan.market import SPOT, Market
from intaglio.plan.money import LEAST_BILLED_SECONDS, bill, duration
from intaglio.plan.policies.policy import Policy
from intaglio.plan.safety import guarded
from intaglio.plan.schedule import Stint
from intaglio.plan.state import IDLE, View


@dataclass(frozen=True)
class Ride:
    """What became of a job under a policy.

    `finish` is in seconds from its start, None if it missed its deadline. `rescued` counts the
    slots in which the safety rule overruled the policy. `lost` is work done in vain. Stints count
    seconds from the market's start. Units: micro-dollars; units of work.
    """

    policy: str
    cost: int
    finish: int | None
    stints: tuple[Stint, ...]
    preemptions: int
    rescued: int
    lost: int


def simulate(market: Market, policy: Policy, *, first: int, slots: int, save_every: float) -> Ride:
    """Run a job from slot `first` on until it is done, `slots` later at the latest.

    `save_every` is the seconds of work between checkpoints on spot machines.

    Raises:
        InfeasibleError: even the safe mode, started at once, would be late.
        IntaglioError: the prices end before the deadline, or a policy chooses what is not there.
    """
    if not 0 <= first < first + slots <= market.slots:
        raise IntaglioError(
            f"prices must last {slots} slots from slot {first} on, not end at {market.slots}"
        )
    view = View(market, first, first, first + slots, IDLE, 0, 0, 0, save_every)
    if market.safe is not None and view.needed(market.safe, view.work) > view.left:
        raise InfeasibleError(
            f"the job must be done within {duration(view.left)}, and "
            f"{market.modes[market.safe]} takes {duration(view.needed(market.safe, view.work))}"
        )
    return _Job(view, policy).run()


class _Job:
    """The books of one job while it runs."""

    def __init__(self, view: View, policy: Policy) -> None:
        self.view, self.policy = view, policy
        self.cost = self.preemptions = self.rescued = self.lost = 0
        self.begun = self.since_saved = 0
        self.stints: list[Stint] = []

    def run(self) -> Ride:
        """Go from slot to slot."""
        finish = None
        while finish is None and self.view.at < self.view.last:
            self._reclaim()
            wanted = self.policy.choose(self.view)
            if wanted != IDLE and not self.view.there[wanted]:
                mode = self.view.modes[wanted]
                raise IntaglioError(f"{self.policy.name} must choose what is there, not {mode}")
            choice, saving = guarded(self.view, wanted)
            self.rescued += choice != wanted
            self._switch(choice)
            if choice != IDLE:
                finish = self._rent(choice, saving)
            self.view = replace(self.view, at=self.view.at + 1)
        if self.view.running != IDLE and finish is None:
            self._end(self.view.at * self.view.slot)
        return Ride(
            self.policy.name,
            self.cost,
            finish,
            tuple(self.stints),
            self.preemptions,
            self.rescued,
            self.lost,
        )

    def _reclaim(self) -> None:
        """Lose the machine and what it has not saved, if it is taken away now."""
        view = self.view
        if view.running != IDLE and view.market.reclaimed[view.at, view.running]:
            self._end(view.at * view.slot)
            self.preemptions += 1
            self.lost += view.unsaved
            self.view = replace(view, running=IDLE, unsaved=0)

    def _switch(self, choice: int) -> None:
        view = self.view
        if choice == view.running:
            return
        if view.running != IDLE:
            self._end(view.at * view.slot)
        begin = 0 if choice == IDLE else int(view.market.begin[choice])
        saved = view.work - view.left_if_stopped
        self.view = replace(view, running=choice, saved=saved, unsaved=0, warming=begin)
        self.begun, self.since_saved = view.at * view.slot, 0

    def _rent(self, mode: int, saving: bool) -> int | None:
        """Rent for a slot; return the second at which the job is done, if it is."""
        view, market = self.view, self.view.market
        rate, save = int(market.rate[mode]), int(market.save[mode])
        left = view.work - view.saved - view.unsaved
        used = view.warming + -(-left // rate) + save
        price = int(market.paid[view.at, mode])
        if used <= view.slot:
            fresh = self.begun == view.at * view.slot
            self.cost += bill(price, max(used, LEAST_BILLED_SECONDS) if fresh else used)
            self._end(view.at * view.slot + used)
            return (view.at - view.first) * view.slot + used
        self.cost += bill(price, view.slot)
        gain = view.gain(mode, fresh=False)
        saved, unsaved = view.saved, view.unsaved + gain
        self.since_saved += max(0, view.slot - view.warming)
        due = view.modes[mode].kind == SPOT and self.since_saved >= view.save_every
        if (saving or due) and unsaved > save * rate:
            saved, unsaved, self.since_saved = saved + unsaved - save * rate, 0, 0
        warming = max(0, view.warming - view.slot)
        self.view = replace(view, saved=saved, unsaved=unsaved, warming=warming)
        return None

    def _end(self, second: int) -> None:
        self.stints.append(Stint(self.view.running, self.begun, second))
