# SPDX-License-Identifier: Apache-2.0
"""How long it takes to bound ResNet-18 on every shape of an array, in three dataflows.

    python benchmarks/arrays.py [MULTIPLIERS]

The network is given by its layers' sizes alone. For each dataflow the shape of fewest cycles is
printed; cycles are lower bounds, whatever the buffers are.
"""

from __future__ import annotations

import sys
import time

from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.predict import Memory
from intaglio.explore.array_bounds import LayerSize, convolution, cycles, dense, shapes

#: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2016, table 1, on images of
#: 224 x 224: the channels of each stage and the size of its images.
STAGES = ((64, 56), (128, 28), (256, 14), (512, 7))


def resnet18() -> list[LayerSize]:
    """Return the 21 layers that multiply."""
    layers = [convolution("conv1", (230, 230), (7, 7), (3, 64), 2)]
    into = 64
    for number, (channels, size) in enumerate(STAGES, 1):
        for block in range(2):
            stride = 2 if block == 0 and number > 1 else 1
            seen = size * stride
            name = f"stage{number}.{block}"
            border = seen + 2
            layers.append(
                convolution(f"{name}.a", (border, border), (3, 3), (into, channels), stride)
            )
            layers.append(
                convolution(f"{name}.b", (size + 2, size + 2), (3, 3), (channels, channels))
            )
            if stride > 1:
                image = seen, seen
                layers.append(convolution(f"{name}.c", image, (1, 1), (into, channels), stride))
            into = channels
    return [*layers, dense("fc", 1, 512, 1000)]


def main() -> None:
    """Print the best shape of each dataflow, and the time."""
    multipliers = int(sys.argv[1]) if len(sys.argv) > 1 else 2520
    layers = resnet18()
    rows, columns = shapes(multipliers)
    print(
        f"{len(layers)} layers, {sum(layer.macs for layer in layers):,} MACs, {len(rows):,} shapes"
    )
    begin = time.perf_counter()
    for flow in Dataflow:
        least = cycles(layers, rows, columns, (flow,), Array(1, 1, beat_bits=512), Memory())
        best = int(least.argmin())
        print(f"{flow.short}: {rows[best]} x {columns[best]}, at least {least[best]:,} cycles")
    print(f"{3 * len(rows):,} arrays in {time.perf_counter() - begin:.2f} s")


if __name__ == "__main__":
    main()
