# SPDX-License-Identifier: Apache-2.0
"""How far are exported programs from the program, where other people's software runs them?

    .venv/bin/python benchmarks/formats.py FOLDER [--network NAME ...] [--frames N] [--json]

`onnx-qcdq` in ONNX Runtime and `qonnx` in the executor of QONNX, which gets an environment
of its own in FOLDER. Differences are of codes of a result; a frame is decided otherwise if
another score is the largest. Read back, by our importer, it must be the same integers; refused are
codes of more than 16 bits, which `onnx-qcdq` says in Round and Clip. Returns 1 where it is not, or
where shifts alone (scheme pow2) are not bit for bit.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from networks import NETWORKS, images, write
from peers import Peer

import intaglio as ig
from intaglio.export.reals.run import run

SCHEMES = ("int8", "pow2", "w4a4")
FRAMES, CALIBRATION = 64, 64


def main() -> int:
    """Measure, print, and return 1 where what must be equal is not."""
    arguments = _arguments()
    folder = arguments.folder.resolve()
    rows = [row for name in arguments.network for row in _rows(name, folder, arguments.frames)]
    if arguments.json:
        print(json.dumps(rows, indent=2))
    else:
        print("| network | scheme | format | results | differ | farthest | decided | read back |")
        print("|---|---|---|---|---|---|---|---|")
        for row in rows:
            print("| " + " | ".join(str(value) for value in row.values()) + " |")
    wrong = [row for row in rows if row["scheme"] == "pow2" and row["differ"]]
    return int(bool(wrong) or any(row["read_back"] == "different" for row in rows))


def _rows(network: str, folder: Path, frames: int) -> list[dict[str, Any]]:
    work = folder / network
    model = write(network, work)
    graph, data = ig.load(model), images(network, frames)
    file = work / "frames.npy"
    np.save(file, data)
    rows = []
    with Peer.start("qonnx", folder, model, file) as peer:
        for scheme in SCHEMES:
            calibration = images(network, CALIBRATION)
            program = ig.quantize(graph, calibration, ig.Scheme.named(scheme))
            codes = program.quantize_input(data)
            wanted = ig.engine(program).frames(codes).reshape(frames, -1).astype(np.int64)
            for format_ in ("onnx-qcdq", "qonnx"):
                written = ig.export(program, work / f"{scheme}-{format_}", format_)
                found = _results(program, written, codes, peer).reshape(frames, -1)
                off = np.abs(found - wanted)
                rows.append(
                    {
                        "network": network,
                        "scheme": scheme,
                        "format": format_,
                        "results": off.size,
                        "differ": int(np.count_nonzero(off)),
                        "farthest": int(off.max()),
                        "decided": int((found.argmax(1) != wanted.argmax(1)).sum()),
                        "read_back": _read_back(written, codes, wanted),
                    }
                )
    return rows


def _read_back(written: ig.Exported, codes: np.ndarray, wanted: np.ndarray) -> str:
    """Tell whether our importer makes the same integers of a file."""
    try:
        program = ig.quantize(ig.load(written.files[0]))
    except ig.QuantizationError:
        return "refused"
    found = ig.engine(program).frames(codes).reshape(len(codes), -1)
    return "equal" if np.array_equal(found, wanted) else "different"


def _results(
    program: ig.Program, written: ig.Exported, codes: np.ndarray, peer: Peer
) -> np.ndarray:
    """Return the codes that other software computes of codes."""
    (file,) = written.files
    (value,), (result,) = program.graph.inputs, program.graph.outputs
    if written.format != "qonnx":
        return run(program, file.read_bytes(), {value.name: codes})[result]
    frames, results = file.with_suffix(".in.npy"), file.with_suffix(".out.npy")
    reals = program.quantization[value.name].dequantize(codes).astype(np.float32)
    np.save(frames, np.moveaxis(reals, -1, 1) if program.graph.channels_first else reals)
    peer.ask(task="execute", model=str(file), frames=str(frames), results=str(results))
    how = program.quantization[result]
    steps = np.load(results).astype(np.float64) / np.asarray(how.scale)
    return np.rint(steps + how.zero_point).astype(np.int64)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--network", nargs="+", choices=NETWORKS, default=["lenet5", "resnet8"])
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
