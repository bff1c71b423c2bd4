# SPDX-License-Identifier: Apache-2.0
"""What a policy may know when it decides on a slot: the present and the past, never the future."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from intaglio.plan.market import SPOT, Market, Mode

#: Stands for renting nothing.
IDLE = -1


@dataclass(frozen=True)
class View:
    """A job in the middle of its work, and the market around it.

    `first` is the slot of the market at which the job began, `at` the present one, `last` the slot
    before which it must be done. `saved` work survives anything, `unsaved` work only until the
    machine is taken away; `warming` is the seconds until the machine that runs begins to work, and
    `save_every` the seconds of work between checkpoints on spot machines.
    """

    market: Market
    first: int
    at: int
    last: int
    running: int
    saved: int
    unsaved: int
    warming: int
    save_every: float

    @property
    def modes(self) -> tuple[Mode, ...]:
        """What there is to choose from."""
        return self.market.modes

    @property
    def slot(self) -> int:
        """The seconds of a slot."""
        return self.market.slot

    @property
    def work(self) -> int:
        """All the work of the job."""
        return self.market.job.work

    @property
    def safe(self) -> int | None:
        """The mode that is always there, if any."""
        return self.market.safe

    @property
    def rate(self) -> np.ndarray:
        """Return the work of each mode in a second."""
        return self.market.rate

    @cached_property
    def pace(self) -> np.ndarray:
        """Return the work of each mode in a second in the long run, with checkpoints on spot."""
        every = max(1.0, -(-self.save_every // self.slot)) * self.slot
        spot = np.array([mode.kind == SPOT for mode in self.modes])
        return self.rate * np.where(spot, 1 - self.market.save / every, 1.0)

    @property
    def quoted(self) -> np.ndarray:
        """Return the price of each mode at this moment; of those that are not there, any number."""
        return self.market.quoted[self.at]

    @property
    def there(self) -> np.ndarray:
        """Return which modes can be had now."""
        return self.market.there[self.at]

    def past(self, slots: int) -> tuple[np.ndarray, np.ndarray]:
        """Return prices paid and what was there in at most so many slots before this one.

        Shapes: both [slots, modes].
        """
        part = slice(max(0, self.at - slots), self.at)
        return self.market.paid[part], self.market.there[part]

    @property
    def left(self) -> int:
        """The seconds until the deadline."""
        return (self.last - self.at) * self.slot

    @property
    def unhurried(self) -> int:
        """The seconds until the deadline, less what the safety rule keeps for the worst case.

        A policy that is in time by these is hardly ever overruled: two slots, and the start and the
        end of the safe mode are left.
        """
        mode = int(self.rate.argmax()) if self.safe is None else self.safe
        around = int(self.market.begin[mode] + self.market.save[mode])
        return self.left - around - 2 * self.slot

    @cached_property
    def left_if_stopped(self) -> int:
        """The work that is left if the machine that runs saves and stops now."""
        if self.running == IDLE:
            return self.work - self.saved
        return self.work - self.saved - max(0, self.unsaved - self.loss_of_saving(self.running))

    def loss_of_saving(self, mode: int) -> int:
        """Return the work that a mode could do while it saves."""
        return int(self.market.save[mode] * self.market.rate[mode])

    def gain(self, mode: int, *, fresh: bool) -> int:
        """Return the work of a slot, where a fresh machine has to start first."""
        warming = int(self.market.begin[mode]) if fresh else self.warming
        return max(0, self.slot - warming) * int(self.market.rate[mode])

    def needed(self, mode: int, left: int) -> int:
        """Return the seconds that a fresh machine needs for work that is left."""
        seconds = -(-max(0, left) // int(self.market.rate[mode]))
        return int(self.market.begin[mode]) + seconds + int(self.market.save[mode])

    def to_go(self) -> np.ndarray:
        """Return the seconds until the job would be done on each mode; what runs goes on."""
        save = self.market.save
        seconds = self.market.begin + save + self.left_if_stopped / self.pace
        if self.running != IDLE:
            i = self.running
            left = max(0, self.work - self.saved - self.unsaved)
            seconds[i] = self.warming + left / self.pace[i] + save[i]
        return seconds
