# SPDX-License-Identifier: Apache-2.0
"""How long from a float LeNet-5 and 512 images to integers, against ONNX Runtime's quantization?

    .venv/bin/python benchmarks/calibration.py FOLDER [--json]

FOLDER is that of `inference.py`. Ours is `quantize` of a graph that is read already, ONNX Runtime's
`quantize_static` (min-max, per channel) of a file that is preprocessed already; both see the same
images, in turns, each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path

import numpy as np
from networks import images, write
from peers import Peer
from serve import seconds

import intaglio as ig

NETWORK, IMAGES, ROUNDS = "lenet5", 512, 15
#: Seconds that ours may take.
LIMIT = 0.2


def main() -> int:
    """Measure, print, and return 1 where ours took longer than the limit."""
    arguments = _arguments()
    work = arguments.folder.resolve() / NETWORK
    model, data = write(NETWORK, work), images(NETWORK, IMAGES)
    file = work / "calibration.npy"
    np.save(file, data)
    graph = ig.load(model)
    ours, theirs = [], []
    with Peer.start("onnxruntime", arguments.folder.resolve(), model, file, work) as peer:
        for _ in range(ROUNDS):
            ours.append(seconds(lambda: ig.quantize(graph, data), 1))
            theirs.append(peer.ask(task="calibration", count=IMAGES, times=1)["result"])
    result = {
        "network": NETWORK,
        "images": IMAGES,
        "versions": peer.facts["versions"],
        "seconds": round(statistics.median(ours), 4),
        "seconds_onnxruntime": round(statistics.median(theirs), 4),
        "ratio": round(statistics.median(t / o for t, o in zip(theirs, ours, strict=True)), 2),
    }
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        for name, value in result.items():
            print(f"{name:<20} {value}")
    return int(result["seconds"] > LIMIT)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="for the peer's environment and models")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
