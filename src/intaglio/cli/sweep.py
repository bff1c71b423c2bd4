# SPDX-License-Identifier: Apache-2.0
"""`intaglio sweep MODEL --data DATA --calibration DATA`: accuracy against bits."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from intaglio.cli.arguments import add_data, add_model, model
from intaglio.cli.outcome import Outcome
from intaglio.cli.schemes import add_scheme, chosen_scheme
from intaglio.errors import QuantizationError
from intaglio.flow import sweep
from intaglio.flow.samples import DIGITS, read_samples
from intaglio.quantize.cost import BUDGETS, INTERVAL

HELP = "measure accuracy against bits, of all layers, of each, and of the best mixture"
#: Bits that a sweep goes through where none are named, and the most there may be.
WIDTHS, MOST_WEIGHTS, MOST_ACTIVATIONS = "8..1", 8, 16
SAME = "same"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_model(parser)
    add_data(parser)
    parser.add_argument(
        "--calibration", metavar="DATA", required=True, help="images to quantise with"
    )
    parser.add_argument(
        "--images", type=int, metavar="N", help="use the first N images of the calibration data"
    )
    add_scheme(parser, default="w8a8", types=False)
    parser.add_argument("--weights", default=WIDTHS, metavar="BITS", help="e.g. 8..1 or 8,4,2")
    parser.add_argument(
        "--activations", default=WIDTHS, metavar="BITS", help="the same, or the word same"
    )
    parser.add_argument(
        "--layers", action="store_true", help="measure each layer with few bits alone, too"
    )
    parser.add_argument(
        "--budget",
        type=budget,
        metavar="KIND=N",
        help="choose bits layer by layer: size=N bits of weights, macs=N products of bits a frame, "
        "or luts=N tables of multipliers",
    )
    parser.add_argument(
        "--qat",
        type=int,
        metavar="EPOCHS",
        help="train each point so long, from a float .trained file; --calibration is what on",
    )
    parser.add_argument(
        "--interval",
        type=int,
        default=INTERVAL,
        metavar="CYCLES",
        help=f"cycles a frame for which luts are counted (default {INTERVAL})",
    )
    parser.add_argument(
        "-o", dest="output", type=Path, metavar="DIR", help="default: MODEL with .sweep"
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Measure, write what was found, and say it."""
    weights = widths("--weights", arguments.weights, MOST_WEIGHTS)
    activations = None
    if arguments.activations != SAME:
        activations = widths("--activations", arguments.activations, MOST_ACTIVATIONS)
    if arguments.interval < 1:
        raise QuantizationError(f"--interval must be at least 1 cycle, not {arguments.interval}")
    scheme, graph = chosen_scheme(arguments), model(arguments)
    data = read_samples(arguments.data).first(arguments.count).fitted(graph)
    calibration = read_samples(arguments.calibration, training=True)
    folder = arguments.output or arguments.model.with_suffix(".sweep")
    if arguments.qat is not None and (arguments.layers or arguments.budget):
        raise QuantizationError("--qat must be of whole networks, without --layers and --budget")
    how = {} if arguments.qat is None else _training(arguments, folder)
    found = sweep(
        graph,
        calibration.first(arguments.images).fitted(graph).images,
        data.images,
        data.labels,
        scheme=scheme,
        weights=weights,
        activations=activations,
        layers=arguments.layers,
        budget=arguments.budget,
        interval=arguments.interval,
        folder=folder,
        **how,
    )
    found.write(folder)
    text = f"{found}\n\n{folder}: sweep.csv, sweep.png, sweep.json"
    if found.mixed is not None:
        text += f"\nuse it: intaglio quantize MODEL --scheme {folder / 'mixed.json'}"
    return Outcome(text, {"folder": str(folder), **found.to_json()})


def _training(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return what makes each point by training."""
    from intaglio.flow.trained_bits import by_training
    from intaglio.train import require

    require("torch", "torch", "training")
    from intaglio.train.data import load_dataset
    from intaglio.train.trained import load_trained

    if arguments.model.suffix != ".trained":
        raise QuantizationError(
            f"--qat must have a .trained file of intaglio train, not {arguments.model}"
        )
    place = None if arguments.calibration == DIGITS else Path(arguments.calibration)
    dataset = load_dataset(place)
    folder.mkdir(parents=True, exist_ok=True)
    make = by_training(load_trained(arguments.model), dataset, arguments.qat, folder)
    return {"make": make, "method": f"training, {arguments.qat} epochs on {dataset.sha256}"}


def widths(name: str, text: str, most: int) -> list[int]:
    """Read numbers of bits: `8..1`, `8,4,2`, or both mixed.

    Raises:
        QuantizationError: a number is out of range, or the text is of another form.
    """
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,2})(?:\.\.(\d{1,2}))?", part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not (1 <= first <= most and 1 <= last <= most):
            raise QuantizationError(
                f"{name} must be numbers of bits like 8..1 or 8,4,2, of 1 to {most}, not {text!r}"
            )
        found += range(first, last - 1, -1) if first >= last else range(first, last + 1)
    return list(dict.fromkeys(found))


def budget(text: str) -> tuple[str, float]:
    """Read `size=100000`.

    Raises:
        ArgumentTypeError: it is not of that form.
    """
    kind, _, number = text.partition("=")
    try:
        limit = float(number)
    except ValueError:
        limit = -1.0
    if kind not in BUDGETS or not 0 <= limit < float("inf"):
        known = " or ".join(f"{name}=N" for name in BUDGETS)
        raise argparse.ArgumentTypeError(f"must be {known}, not {text!r}")
    return kind, limit
