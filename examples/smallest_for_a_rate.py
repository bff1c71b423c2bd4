# SPDX-License-Identifier: Apache-2.0
"""The least hardware that is fast enough: how schemes and rates change what a network costs.

    .venv/bin/python examples/smallest_for_a_rate.py [MODEL DATA]

Needs a float ONNX file and images for it; without them the small network and random images below.
Nothing is simulated or placed: cycles are exact, cells are estimates.
"""

from __future__ import annotations

import sys

import torch

import intaglio as ig
from intaglio.devices import device
from intaglio.flow.samples import read_samples

RATES = (1_000, 10_000, 100_000)
DEVICE = "ecp5-25f"


def network() -> torch.nn.Module:
    """Return a small network with random weights."""
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(8 * 8 * 8, 10),
    ).eval()


def main() -> None:
    """Print a line for each scheme and rate."""
    if len(sys.argv) == 3:
        graph, images = ig.load(sys.argv[1]), read_samples(sys.argv[2], training=True).images
    else:
        inputs = torch.rand(64, 1, 16, 16)
        graph, images = ig.load(network(), example=inputs), inputs.numpy()
    print(f"{'scheme':<8}{'frames/s':>10}{'cycles':>10}{'DSP':>6}{'LUT':>8}{'block RAM':>11}")
    for scheme in ("int8", "pow2"):
        program = ig.quantize(graph, images, ig.Scheme.named(scheme))
        for rate in RATES:
            try:
                design = ig.explore(program, device(DEVICE), target_fps=rate).best
            except ig.InfeasibleError as error:
                print(f"{scheme:<8}{rate:>10,}  {error}")
                continue
            cells = design.resources
            print(
                f"{scheme:<8}{rate:>10,}{design.cycles.interval:>10,}"
                f"{cells.dsp:>6}{cells.lut:>8,}{cells.bram:>11}"
            )


if __name__ == "__main__":
    main()
