# SPDX-License-Identifier: Apache-2.0
"""A training carried from machine to machine, as prices and a policy say, on replayed prices.

A slot of the market lasts a moment of real time. At its beginning the policy sees how far the
checkpoint is and decides; machines are stopped after their next checkpoint, or killed where the
market takes them away. Stopping is nothing but killing: the trainer can be killed at any moment and
loses what it has done since its last checkpoint. The books are on disk before anything counts, so
this process too may be killed, and goes on from them.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from intaglio.errors import InfeasibleError, IntaglioError
from intaglio.plan.ledger import DONE, PAID, STARTED, STOPPED, TAKEN, Event, Ledger
from intaglio.plan.market import Market
from intaglio.plan.money import bill, duration
from intaglio.plan.policies.policy import Policy
from intaglio.plan.providers.provider import Machine, Provider
from intaglio.plan.safety import guarded
from intaglio.plan.state import IDLE, View
from intaglio.plan.training import Training, epochs_done

#: Seconds between looks at a process or a file.
LOOK = 0.02


@dataclass(frozen=True)
class Carried:
    """What became of a run: epochs, cost in micro-dollars, slots, and what happened on the way."""

    epochs: int
    cost: int
    slots: int
    started: int
    taken: int
    done: bool


@dataclass
class Elastic:
    """A run under way. `moment` is the real seconds of a slot; `slots` those until the deadline."""

    market: Market
    slots: int
    training: Training
    policy: Policy
    provider: Provider
    folder: Path
    moment: float

    def __post_init__(self) -> None:
        if not 0.05 <= self.moment <= 86_400:
            raise IntaglioError(f"a slot must take from 0.05 s to a day, not {self.moment:g} s")
        safe = self.market.safe
        start = self._view(0, IDLE, 0.0)
        if safe is not None and start.needed(safe, self.market.job.work) > start.left:
            raise InfeasibleError(
                f"the job must be done within {duration(start.left)}, and "
                f"{self.market.modes[safe]} takes {duration(start.needed(safe, start.work))}"
            )
        self.ledger = Ledger(self.folder / "run.jsonl")
        self.machine: Machine | None = None
        self.running, self.since = IDLE, 0.0

    @property
    def checkpoint(self) -> Path:
        """Where the training is kept."""
        return self.folder / "checkpoint"

    def run(self) -> Carried:
        """Go on from where the books end, until the training is done or its time is over.

        Raises:
            IntaglioError: another process runs the same folder.
            ToolError: the training fails by itself.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with _alone(self.folder / "lock"):
            self.ledger.mend()
            first = 1 + max((e.slot for e in self.ledger.events() if e.kind == PAID), default=-1)
            try:
                for slot in range(first, self.market.slots):
                    if self._done() or (slot >= self.slots and self.market.safe is None):
                        break
                    self._slot(slot)
            finally:
                if self.machine is not None:
                    self.machine.kill()
        return self.outcome()

    def outcome(self) -> Carried:
        """Return what the books say."""
        events = self.ledger.events()
        epochs = epochs_done(self.checkpoint)
        return Carried(
            epochs,
            sum(event.cost for event in events),
            1 + max((event.slot for event in events if event.kind == PAID), default=-1),
            sum(event.kind == STARTED for event in events),
            sum(event.kind == TAKEN for event in events),
            epochs >= self.training.epochs,
        )

    def _slot(self, slot: int) -> None:
        """Decide on a slot, let it pass, and pay for it."""
        begun = time.monotonic()
        if self.running != IDLE and self.market.reclaimed[slot, self.running]:
            self._end(slot, TAKEN)
        view = self._view(slot, self.running, begun - self.since)
        choice = self._choice(view)
        if choice != self.running and self.running != IDLE:
            self._wait_for_checkpoint(begun + self.moment)
            self._end(slot, STOPPED)
        if choice != IDLE and self.machine is None and not self._done():
            self.machine = self.provider.start(self.market.modes[choice])
            self.running, self.since = choice, time.monotonic()
            self._book(STARTED, slot)
        while time.monotonic() < begun + self.moment and self._works():
            time.sleep(LOOK)
        used = self.market.slot
        if self._done():
            passed = (time.monotonic() - begun) / self.moment
            used = min(used, max(1, round(passed * self.market.slot)))
        if self.running != IDLE:
            self._book(PAID, slot, bill(int(self.market.paid[slot, self.running]), used))
        else:
            self._book(PAID, slot)
        if self._done():
            self._end(slot, DONE)

    def _choice(self, view: View) -> int:
        """Ask the policy; past the deadline, for real machines vary, rent the safe mode."""
        if view.saved >= view.work:
            return view.running
        if view.at < self.slots:
            return guarded(view, self.policy.choose(view))[0]
        return IDLE if self.market.safe is None else self.market.safe

    def _works(self) -> bool:
        return self.machine is None or self.machine.runs()

    def _done(self) -> bool:
        ended = self.machine is None or not self.machine.runs()
        return ended and epochs_done(self.checkpoint) >= self.training.epochs

    def _wait_for_checkpoint(self, until: float) -> None:
        """Let the machine finish what it is at; not for longer than a slot."""
        before = _stamp(self.checkpoint)
        while time.monotonic() < until and self._works() and _stamp(self.checkpoint) == before:
            time.sleep(LOOK)

    def _end(self, slot: int, why: str) -> None:
        if self.machine is not None:
            self.machine.kill()
            self.machine = None
        self._book(why, slot)
        self.running = IDLE

    def _book(self, kind: str, slot: int, cost: int = 0) -> None:
        mode = "" if self.running == IDLE else str(self.market.modes[self.running])
        self.ledger.add(Event(kind, slot, mode, epochs_done(self.checkpoint), cost))

    def _view(self, slot: int, running: int, age: float) -> View:
        """Return what a policy may know: the work is what the checkpoint holds."""
        job, done = self.market.job, epochs_done(self.checkpoint)
        saved = job.work * done // self.training.epochs
        warming = 0
        if running != IDLE:
            passed = age / self.moment * self.market.slot
            warming = max(0, int(self.market.begin[running] - passed))
        return View(
            self.market, 0, slot, self.slots, running, saved, 0, warming, float(self.market.slot)
        )


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise IntaglioError(
                f"{path.parent} must be run by one process at a time; another one runs it"
            ) from None
        yield


def _stamp(path: Path) -> tuple[int, int]:
    if not path.exists():
        return 0, 0
    status = path.stat()
    return status.st_ino, status.st_mtime_ns
