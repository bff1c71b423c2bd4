# SPDX-License-Identifier: Apache-2.0
"""What dataflows of its own for each layer win, how large fronts are, and how long searches take.

    .venv/bin/python benchmarks/array_search.py PROGRAM [PROGRAM ...] [--device ecp5-85f] [--front]

Seconds are those of the processor, without compiling: arrays of 8 x 8 cells are searched before.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import intaglio as ig
from intaglio.ops.store import load_program


def main() -> None:
    """Print a line for each program and search."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("programs", nargs="+", type=Path, metavar="PROGRAM")
    parser.add_argument("--device", default="ecp5-85f")
    parser.add_argument("--front", action="store_true")
    arguments = parser.parse_args()
    target = ig.device(arguments.device)
    for path in arguments.programs:
        program = load_program(path)
        ig.explore_array(program, target, shape=(8, 8), progress=False)
        for mixed in (False, True):
            begin = time.process_time()
            found = ig.explore_array(program, target, mixed=mixed, front=arguments.front)
            taken = time.process_time() - begin
            array = found.best.array
            flows = "+".join(sorted(flow.short for flow in array.dataflows))
            front = f", {len(found.front):,} arrays in the front" if arguments.front else ""
            print(
                f"{path.stem}, dataflow of {'each layer' if mixed else 'all layers'}: "
                f"{array.rows} x {array.columns} {flows}, {found.best.prediction.total:,} cycles"
                f"{front}, {taken:.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
