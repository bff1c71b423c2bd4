# SPDX-License-Identifier: Apache-2.0
"""A quantised model of somebody else: are its integers those that its own tools give?

    .venv/bin/python benchmarks/quantized_models.py MODEL.onnx --data DATA --outputs OUT.npy [-n N]

The model is imported and run as a program on the data, and compared with outputs that another tool
made of the same data, in the same order: QONNX's executor, ONNX Runtime. Prints a table row: how
many numbers are equal to a thousandth of a step of the result, how many arg maxima, the largest
difference in steps, and the accuracy where the data has labels.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

import intaglio as ig
from intaglio.engine import engine
from intaglio.flow.samples import read_samples


def main() -> None:
    """Compare one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--outputs", type=Path, required=True)
    parser.add_argument("--multiply", type=float, default=1.0, help="of the data, e.g. 0.003921569")
    parser.add_argument("-n", dest="count", type=int)
    options = parser.parse_args()
    start = time.perf_counter()
    program = ig.quantize(ig.load(options.model))
    seconds = time.perf_counter() - start
    samples = read_samples(options.data).first(options.count)
    images = samples.images * np.float32(options.multiply)
    codes = engine(program).frames(program.quantize_input(images))
    how = program.quantization[program.graph.outputs[0]]
    found = how.dequantize(codes).reshape(len(images), -1)
    wanted = np.load(options.outputs)[: len(images)].reshape(len(images), -1)
    steps = np.abs(found - wanted) / max(how.scale)
    # An addend of all scores alike changes no order, and is not always kept: it is taken out.
    shift = np.median(found - wanted)
    equal = np.abs(found - wanted - shift) / max(how.scale) < 1e-3
    same = found.argmax(axis=1) == wanted.argmax(axis=1)
    accuracy = "-"
    if samples.labels is not None:
        accuracy = f"{(found.argmax(axis=1) == samples.labels).mean():.2%}"
    print(
        f"| {options.model.stem} | {len(program.graph.nodes)} | {len(images)} | {equal.mean():.4%} "
        f"| {same.mean():.2%} | {steps.max():.2f} | {accuracy} | {seconds:.2f} s |"
    )


if __name__ == "__main__":
    main()
