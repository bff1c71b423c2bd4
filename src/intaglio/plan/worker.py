# SPDX-License-Identifier: Apache-2.0
"""A machine's part of an elastic training: go on from the checkpoint until done, or killed.

    python -m intaglio.plan.worker TRAINING.json CHECKPOINT [CORES]

It may be killed at any moment. It ends by itself when whoever started it has ended, so that no
machine goes on unseen.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

from intaglio.plan.training import read_training

#: Seconds between looks at whether the parent is still there.
LOOK = 0.2


def main(words: list[str]) -> int:
    """Train."""
    _end_with_parent()
    if len(words) > 2:
        _keep_to_cores(int(words[2]))
    read_training(Path(words[0])).run(Path(words[1]))
    return 0


def _end_with_parent() -> None:
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _keep_to_cores(count: int) -> None:
    """Use so many of the cores there are, where the system can be told."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[: max(1, count)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
