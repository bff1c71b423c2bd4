# SPDX-License-Identifier: Apache-2.0
"""How much longer does a training step take in few bits than in floats, and in bfloat16?

    .venv/bin/python benchmarks/training.py [--rounds 9] [--json]

A step is forward, backward and optimizer on one batch of random images, with one thread. Float and
quantized steps are taken in turns; the ratio is the median over the rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from intaglio.train.quantized import QatScheme, calibrate, prepare
from intaglio.train.recipe import Precision, Recipe
from intaglio.train.trainer import lie
from intaglio.train.zoo.lenet5 import LeNet5
from intaglio.train.zoo.nin import Nin

#: What a quantized step may cost, in float steps.
LIMIT = 1.3
NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], int, int]] = {
    # network, images, and steps a round
    "lenet5": (LeNet5, (1, 28, 28), 256, 10),
    "nin": (Nin, (3, 32, 32), 64, 1),
}
SCHEMES = {
    "lsq w2a2": QatScheme(2, 2),
    "fixed w4a4": QatScheme(4, 4, "fixed"),
    "binary w1a2": QatScheme(1, 2, "binary"),
    "clipq w2a8": QatScheme(2, 8, "clipq"),
}


def main() -> int:
    """Measure, print, and return 1 where a ratio is above the limit."""
    arguments = _arguments()
    torch.set_num_threads(1)
    rows = [
        {"network": network, "method": method, "ratio": round(ratio, 3), "milliseconds": ms}
        for network in arguments.networks
        for method, (ratio, ms) in _ratios(network, arguments.rounds).items()
    ]
    if arguments.json:
        print(json.dumps(rows, indent=2))
    else:
        for row in rows:
            print(
                f"{row['network']:<8} {row['method']:<12} {row['ratio']:>6.3f} times the float "
                f"step, {row['milliseconds']:.1f} ms"
            )
    return int(any(float(row["ratio"]) > LIMIT for row in rows))


def _ratios(network: str, rounds: int) -> dict[str, tuple[float, float]]:
    make, shape, batch, steps = NETWORKS[network]
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(batch, *shape, generator=generator)
    labels = torch.randint(0, 10, (batch,), generator=generator)
    runs = {
        "float": _steps(make(), images, labels, steps),
        "bfloat16": _steps(make(), images, labels, steps, "bfloat16"),
    }
    for name, scheme in SCHEMES.items():
        model = prepare(make(), scheme)
        calibrate(model, images)
        runs[name] = _steps(model, images, labels, steps)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            taken = run()
            if number:  # the first one compiles, and fills the caches
                seconds[name].append(taken)
    return {
        name: (
            statistics.median(q / f for q, f in zip(taken, seconds["float"], strict=True)),
            round(1000 * statistics.median(seconds["float"]), 1),
        )
        for name, taken in seconds.items()
        if name != "float"
    }


def _steps(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    count: int,
    precision: Precision = "float32",
) -> Callable[[], float]:
    recipe = Recipe(1, len(images), 1e-3, 0, precision=precision)
    lie(model, recipe.layout)
    images = images.contiguous(memory_format=recipe.layout)
    optimizer = recipe.make_optimizer(model)
    model.train()

    def run() -> float:
        """Return the processor time of one step."""
        start = time.process_time()
        for _ in range(count):
            optimizer.zero_grad()
            with recipe.computing(images.device):
                scores = model(images)
            torch.autograd.backward(functional.cross_entropy(scores.float(), labels))
            optimizer.step()
        return (time.process_time() - start) / count

    return run


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
