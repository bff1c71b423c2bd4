# SPDX-License-Identifier: Apache-2.0
"""How much memory does each stage take at its peak, from an ONNX file to a bitstream?

    .venv/bin/python benchmarks/memory.py FOLDER [--device ecp5-25f] [--until simulate] [--json]

Each stage runs the command of its name in a process of its own; its figure is the largest resident
set of that process or of a program it starts. LeNet-5 with random weights, 512 images.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from networks import images, write

NETWORK, IMAGES, SIMULATED = "lenet5", 512, 16
#: Runs a command of the package and prints the peak of itself and of its children, in KiB.
STAGE = """\
import resource, sys
from intaglio.cli import main
status = main(sys.argv[1:])
peaks = (resource.getrusage(who).ru_maxrss for who in
         (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print("peak", *peaks, file=sys.stderr)
sys.exit(status)
"""


def main() -> int:
    """Measure and print; return 1 where a stage failed."""
    arguments = _arguments()
    folder = arguments.folder.resolve()
    data = folder / "images.npy"
    model = write(NETWORK, folder)
    np.save(data, images(NETWORK, IMAGES))
    program, design = folder / "lenet5.program", folder / "lenet5.design"
    bundle = folder / "bundle"
    stages = {
        "load": ("inspect", model),
        "quantize": ("quantize", model, "--calibration", data, "-o", program),
        "explore": ("explore", program, "--device", arguments.device, "-o", design),
        "emit": ("emit", design, "-o", bundle),
        "simulate": ("simulate", bundle, "--data", data, "-n", SIMULATED),
        "synthesize": ("synthesize", bundle),
    }
    found = {}
    for stage, words in stages.items():
        found[stage] = _stage(*(str(word) for word in words))
        if stage == arguments.until:
            break
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        for stage, figures in found.items():
            print(f"{stage:<11}" + "".join(f"  {n} {v:>8,.1f}" for n, v in figures.items()))
    return 0


def _stage(*words: str) -> dict[str, float]:
    """Run a command; megabytes of its own and of its largest child, and seconds."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", STAGE, *words], capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - started
    lines = [line for line in done.stderr.splitlines() if line.startswith("peak ")]
    if done.returncode != 0 or not lines:
        raise SystemExit(f"{' '.join(words)} failed: {done.stderr.strip() or done.stdout.strip()}")
    own, child = (int(peak) * 1024 / 1e6 for peak in lines[-1].split()[1:])
    return {"own_mb": round(own, 1), "child_mb": round(child, 1), "seconds": round(took, 1)}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="for what the stages make")
    parser.add_argument("--device", default="ecp5-85f", help="what to build for")
    parser.add_argument("--until", default="synthesize", help="the last stage to run")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
