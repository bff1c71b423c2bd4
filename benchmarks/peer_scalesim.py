# SPDX-License-Identifier: Apache-2.0
"""SCALE-Sim on a configuration and a topology.

peer_scalesim.py
"""

from __future__ import annotations

import contextlib
import io
import resource
import sys
from typing import Any

from serve import seconds, serve


def main() -> None:
    """Answer with the seconds of a run, its peak of memory, or the error that ended it."""
    sys.path.pop(0)  # the folder of this file has a scalesim.py too
    from scalesim.scale_sim import scalesim

    def run(
        config: str, topology: str, layout: str, output: str, gemm: bool, traces: bool
    ) -> dict[str, Any]:
        def once() -> None:
            tool = scalesim(not traces, False, config, topology, layout, gemm)
            tool.run_scale(top_path=output)

        with contextlib.redirect_stdout(io.StringIO()):
            try:
                taken = seconds(once, 1)
            except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError) as error:
                return {"error": f"{type(error).__name__}: {error}"}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"seconds": taken, "peak_mb": peak}

    serve({"run": run}, ("scalesim", "numpy"))


if __name__ == "__main__":
    main()
