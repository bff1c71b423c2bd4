# SPDX-License-Identifier: Apache-2.0
"""A real training on machines that come and go ends with the weights of one that was left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from intaglio.errors import ArtifactError, InfeasibleError, IntaglioError, ToolError
from intaglio.plan.elastic import Elastic
from intaglio.plan.ledger import DONE, PAID, STARTED, STOPPED, TAKEN, Event, Ledger
from intaglio.plan.market import LIST, SPOT, Market, Mode
from intaglio.plan.providers.local import Local
from intaglio.plan.state import View
from intaglio.plan.training import Training, epochs_done, read_training, weights_hash
from tests.plan.markets import flat

#: Long enough to last some slots on a fast computer too.
TRAINING = Training("intaglio.train.zoo.lenet5:LeNet5", epochs=60, images=200, batch_size=50)
#: Much more than is needed, so that a busy computer does not matter.
SLOTS = 400


def prices(*taken_away: int) -> Market:
    """Return a market that takes every spot machine away at the beginning of some slots."""
    made = flat(
        [300_000, 900_000, 4_000_000], [10, 20, 20], 6000, slots=SLOTS, slot=60, save=1, begin=60,
        kinds=[SPOT, SPOT, LIST],
    )  # fmt: skip
    taken = made.reclaimed.copy()
    taken[list(taken_away), :2] = True
    return replace(made, reclaimed=taken)


@dataclass(frozen=True)
class ByProgress:
    """Goes from one size to the other when half of the work is done."""

    name: str = "by progress"

    def choose(self, view: View) -> int:
        return int(2 * view.saved >= view.work)


def elastic(folder: Path, **changed: Any) -> Elastic:
    folder.mkdir(exist_ok=True)
    TRAINING.save(folder / "training.json")
    boards = {"x0": 1, "x1": 2, "x2": 2}
    local = Local(folder / "training.json", folder / "checkpoint", boards, folder / "log")
    settings: dict[str, Any] = {
        "market": prices(),
        "slots": SLOTS,
        "training": TRAINING,
        "policy": ByProgress(),
        "provider": local,
        "folder": folder,
        "moment": 0.4,
    }
    return Elastic(**(settings | changed))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> str:
    checkpoint = tmp_path_factory.mktemp("whole") / "checkpoint"
    TRAINING.run(checkpoint)
    return weights_hash(checkpoint)


def test_another_size_and_machines_taken_away_leave_no_trace_in_the_weights(
    tmp_path: Path, uninterrupted: str
) -> None:
    run = elastic(tmp_path, market=prices(15))
    found = run.run()
    assert found.done
    assert found.epochs == TRAINING.epochs
    assert weights_hash(run.checkpoint) == uninterrupted
    events = run.ledger.events()
    kinds = [event.kind for event in events if event.kind != PAID]
    assert kinds.count(STARTED) == found.started >= 2
    ended = [event for event in events if event.kind in (STOPPED, TAKEN, DONE) and event.mode]
    assert kinds.count(STARTED) == len(ended)
    assert kinds[-1] == DONE
    assert found.taken == kinds.count(TAKEN)
    epochs = [event.epochs for event in events]
    assert epochs == sorted(epochs)  # what was saved is never lost
    paid = [event for event in events if event.kind == PAID]
    assert [event.slot for event in paid] == list(range(found.slots))
    assert sum(event.cost for event in paid) == found.cost > 0
    assert elastic(tmp_path).run() == found  # there is nothing left to do


#: Runs the same in a process of its own, which is then killed.
VICTIM = """
import sys
from pathlib import Path
from tests.plan.test_elastic import elastic
elastic(Path(sys.argv[1])).run()
"""


def test_the_one_who_carries_it_may_be_killed_too(tmp_path: Path, uninterrupted: str) -> None:
    root = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, *sys.path])}
    victim = subprocess.Popen([sys.executable, "-c", VICTIM, str(tmp_path)], env=environment)
    while epochs_done(tmp_path / "checkpoint") < 1:
        assert victim.poll() is None
        time.sleep(0.02)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    before = epochs_done(tmp_path / "checkpoint")
    books = Ledger(tmp_path / "run.jsonl")
    with books.path.open("a", encoding="utf-8") as stream:
        stream.write('{"kind": "pa')  # cut short in the middle of a line
    known = books.events()
    time.sleep(1)  # the machine notices that nobody is there any more
    run = elastic(tmp_path)
    found = run.run()
    assert found.done
    assert run.ledger.events()[: len(known)] == known
    assert run.ledger.events()[len(known)].epochs >= before
    assert weights_hash(run.checkpoint) == uninterrupted


@dataclass
class Never:
    """A machine that does nothing, and a provider of such."""

    kills: int = 0

    def start(self, mode: Mode) -> Never:
        assert str(mode)
        return self

    def runs(self) -> bool:
        return True

    def kill(self) -> None:
        self.kills += 1


def test_a_deadline_that_passes_is_reported_and_every_machine_is_given_back(
    tmp_path: Path,
) -> None:
    provider = Never()
    only_spot = flat([1_000_000], [10], 600, slots=8, slot=60, kinds=[SPOT])
    run = elastic(tmp_path, market=only_spot, slots=4, provider=provider, moment=0.05)
    run.policy = type("Zero", (), {"name": "zero", "choose": lambda _self, _view: 0})()
    found = run.run()
    assert (found.done, found.slots, found.started) == (False, 4, 1)
    assert found.cost == 4 * 16_667
    assert provider.kills == 1


def test_what_cannot_be_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InfeasibleError, match="must be done within 3m, and x2 list here takes"):
        elastic(tmp_path, slots=3)
    with pytest.raises(IntaglioError, match=r"a slot must take from 0\.05 s to a day, not 0 s"):
        elastic(tmp_path, moment=0)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    first = elastic(tmp_path, provider=Never(), moment=0.05)
    second = elastic(tmp_path, provider=Never(), moment=0.05)

    class Nested:
        name = "nested"

        def choose(self, view: View) -> int:
            assert view.at == 0
            with pytest.raises(IntaglioError, match="must be run by one process at a time"):
                second.run()
            raise KeyboardInterrupt

    first.policy = Nested()
    with pytest.raises(KeyboardInterrupt):
        first.run()


def test_a_training_that_fails_by_itself_stops_the_run(tmp_path: Path) -> None:
    run = elastic(tmp_path, moment=20.0)
    replace(TRAINING, learning_rate=-1.0).save(tmp_path / "training.json")
    with pytest.raises(ToolError, match=r"the training must not fail, .* status 1: .*log"):
        run.run()
    assert "learning rate" in (tmp_path / "log").read_text(encoding="utf-8")


def test_a_training_is_read_again(tmp_path: Path) -> None:
    TRAINING.save(tmp_path / "training.json")
    assert read_training(tmp_path / "training.json") == TRAINING
    (tmp_path / "training.json").write_text("[1", encoding="utf-8")
    with pytest.raises(IntaglioError, match=r"must be a training as JSON"):
        read_training(tmp_path / "training.json")
    with pytest.raises(IntaglioError, match=r"the network must be like .* not 'nothing'"):
        replace(TRAINING, network="nothing").model()


def test_damaged_books_are_named(tmp_path: Path) -> None:
    books = Ledger(tmp_path / "run.jsonl")
    books.add(Event(STARTED, 0, "x", 0))
    with books.path.open("a", encoding="utf-8") as stream:
        stream.write("nonsense\n")
    with pytest.raises(ArtifactError, match=r"run\.jsonl: line 2 must be an event; it is damaged"):
        books.events()
