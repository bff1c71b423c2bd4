# SPDX-License-Identifier: Apache-2.0
"""What every peer's process does: answer requests, one a line. It takes the standard library alone.

A request names a task and its arguments; the answer is what the task returns.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

#: Names the clock for the benchmark and all its peers: `wall` or `process`.
CLOCK = "BENCHMARK_CLOCK"
CLOCKS: Mapping[str, Callable[[], float]] = {
    "wall": time.perf_counter,
    "process": time.process_time,
}


def serve(tasks: Mapping[str, Callable[..., Any]], packages: tuple[str, ...], **facts: Any) -> None:
    """Say that all is ready, with the versions of packages, then answer until there is no more."""
    _say({"versions": {name: version(name) for name in packages}, **facts})
    for line in sys.stdin:
        request = json.loads(line)
        _say({"result": tasks[request.pop("task")](**request)})


def seconds(run: Callable[[], Any], times: int) -> float:
    """Return how long one run takes, as the mean of some in a row."""
    now = CLOCKS[os.environ.get(CLOCK, "wall")]
    started = now()
    for _ in range(times):
        run()
    return (now() - started) / times


def _say(answer: Mapping[str, Any]) -> None:
    print("answer", json.dumps(answer), flush=True)
