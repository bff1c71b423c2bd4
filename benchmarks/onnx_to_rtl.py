# SPDX-License-Identifier: Apache-2.0
"""How long from an ONNX file to its RTL, simulated and equal to the integers on 16 images?

    .venv/bin/python benchmarks/onnx_to_rtl.py [MODEL DATA] [--json]

Without a model: LeNet-5 and the digits, trained by the demo first if that has not run, outside the
clock. Everything else is made from nothing in an empty folder: nothing compiled before is used.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import intaglio as ig
from intaglio.devices import device
from intaglio.flow.samples import read_samples

IMAGES = 16
DEVICE = "ecp5-85f"
#: Seconds that the whole may take for LeNet-5 on two cores.
LIMIT = 30.0
DEMO = Path("build/demo")
TRAIN = "import sys; from intaglio.cli import main; sys.exit(main(sys.argv[1:]))"

Seconds = dict[str, float]


def main() -> int:
    """Measure, print, and return 1 where it took longer than the limit."""
    arguments = _arguments()
    model = arguments.model or trained()
    seconds = measure(model, arguments.data)
    total = sum(seconds.values())
    if arguments.json:
        figures = {"model": str(model), "device": DEVICE, "images": IMAGES, "limit": LIMIT}
        print(json.dumps({**figures, "seconds": seconds, "total": round(total, 3)}, indent=2))
    else:
        for step, took in [*seconds.items(), ("total", total)]:
            print(f"{step:<10} {took:6.2f} s")
    return int(total > LIMIT)


def measure(model: Path, data: str) -> Seconds:
    """Return the seconds of each step; a bit or a cycle that differs is an error."""
    seconds: Seconds = {}
    samples = read_samples(data, training=True)
    images = read_samples(data).first(IMAGES).images
    with tempfile.TemporaryDirectory() as folder:
        with clock(seconds, "import"):
            graph = ig.load(model)
        with clock(seconds, "quantize"):
            program = ig.quantize(graph, samples.images[:512], ig.Scheme.named("int8"))
        with clock(seconds, "explore"):
            design = ig.explore(program, device(DEVICE)).best
        with clock(seconds, "emit"):
            bundle = ig.emit(design, Path(folder, "bundle"))
        with clock(seconds, "run"):
            run = ig.simulate(bundle, images, progress=False)
    whole = seconds.pop("run")
    return {**seconds, "verilate": run.build_seconds, "run": round(whole - run.build_seconds, 3)}


@contextmanager
def clock(seconds: Seconds, step: str) -> Iterator[None]:
    """Note how long a step takes."""
    started = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - started, 3)


def trained() -> Path:
    """Return the demo's model; the demo trains it in a process of its own if it is not there."""
    path = DEMO / "lenet5.onnx"
    if not path.is_file():
        words = ["demo", "-o", str(DEMO), "--until", "train"]
        subprocess.run([sys.executable, "-c", TRAIN, *words], check=True, stdout=sys.stderr)
    return path


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", nargs="?", type=Path, help="a float ONNX file")
    parser.add_argument("data", nargs="?", default="digits", help="as for `intaglio simulate`")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
