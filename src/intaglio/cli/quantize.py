# SPDX-License-Identifier: Apache-2.0
"""`intaglio quantize MODEL --calibration DATA`: a float model becomes an integer program."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np

from intaglio.cli.arguments import add_model, model
from intaglio.cli.outcome import Outcome
from intaglio.cli.schemes import add_scheme, chosen_scheme
from intaglio.flow import quantize
from intaglio.flow.feed import ITERATIONS
from intaglio.flow.samples import read_samples
from intaglio.ir.execute import BATCH
from intaglio.ops.store import save_program
from intaglio.quantize.seen import fingerprints

HELP = "turn a float model into a program of integers"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_model(parser)
    parser.add_argument(
        "--calibration",
        metavar="DATA",
        help="unlabelled images like those it will see: .npz, .npy, .csv, a folder of images or "
        "IDX files, module:function, or digits; a model with quantizers of its own needs none",
    )
    parser.add_argument("-n", dest="count", type=int, metavar="N", help="use the first N images")
    parser.add_argument(
        "--iterations",
        type=int,
        default=ITERATIONS,
        metavar="N",
        help=f"batches that module:function is asked for (default {ITERATIONS})",
    )
    parser.add_argument(
        "--batch", type=int, metavar="N", help="images that estimators look at together"
    )
    parser.add_argument(
        "--nearest",
        action="store_true",
        help="keep multipliers to 16 bits, as arrays have them, where a model with quantizers of "
        "its own needs more to be exact; says what it costs",
    )
    add_scheme(parser)
    parser.add_argument(
        "-o", dest="output", type=Path, metavar="FILE", help="default: MODEL with .program"
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Quantise and write the program."""
    scheme = chosen_scheme(arguments)
    graph = model(arguments)
    frames: np.ndarray | None = None
    batch, said = BATCH, "the model's own quantizers"
    if arguments.calibration:
        samples = read_samples(
            arguments.calibration, training=True, iterations=arguments.iterations
        )
        samples = samples.first(arguments.count).fitted(graph)
        frames, batch = samples.images, samples.batch or BATCH
        said = f"{scheme}, {len(frames)} images"
    if arguments.batch is not None:
        batch = arguments.batch
    program = quantize(graph, frames, scheme, batch=batch, exact=not arguments.nearest)
    output = arguments.output or arguments.model.with_suffix(".program")
    digest = hashlib.sha256(arguments.model.read_bytes()).hexdigest()
    save_program(
        output,
        program,
        model_sha256=digest,
        scheme=str(scheme),
        calibration=0 if frames is None else len(frames),
        calibration_frames=[] if frames is None else fingerprints(graph.frames(frames)),
    )
    document = {
        "program": str(output),
        "scheme": str(scheme),
        "images": 0 if frames is None else len(frames),
        "parameters": program.graph.parameters,
        "nodes": len(program.graph.nodes),
        "notes": list(program.notes),
    }
    text = f"{output}: {len(program.graph.nodes)} nodes, {said}"
    return Outcome("\n".join([text, *program.notes]), document)
