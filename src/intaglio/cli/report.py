# SPDX-License-Identifier: Apache-2.0
"""`intaglio report MODEL BUNDLE --data DATA -o FILE`: everything about a network on one page."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from intaglio.cli.arguments import add_data, add_model, model
from intaglio.cli.outcome import Outcome
from intaglio.errors import IntaglioError
from intaglio.flow import Bundle, evaluate, tradeoffs
from intaglio.flow.samples import read_samples
from intaglio.tools.simulation import Run, simulate
from intaglio.tools.synthesis import Synthesis, load_synthesis, synthesis_keys

HELP = "write one self-contained HTML page about a network, its integers and its hardware"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_model(parser)
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="what emit wrote")
    add_data(parser)
    parser.add_argument("--simulate", type=int, metavar="N", help="also simulate N images")
    parser.add_argument(
        "--synthesis", type=Path, metavar="FOLDER", help="what synthesize wrote (BUNDLE.synth)"
    )
    parser.add_argument(
        "--pareto", action="store_true", help="also search for foldings to compare the design with"
    )
    parser.add_argument("-o", dest="output", type=Path, default=Path("report.html"), metavar="FILE")


def run(arguments: argparse.Namespace) -> Outcome:
    """Gather what there is and write the page."""
    from intaglio.report.report import report

    graph, bundle = model(arguments), Bundle.load(arguments.bundle)
    design = bundle.design()
    samples = read_samples(arguments.data).first(arguments.count)
    evaluation = evaluate(graph, design.program, samples.images, samples.labels)
    run_: Run | None = None
    if arguments.simulate is not None:
        some = samples.first(arguments.simulate)
        run_ = simulate(bundle, design.program.quantize_input(some.images))
    page = report(
        graph,
        design.program,
        evaluation=evaluation,
        images=samples.images,
        labels=samples.labels,
        design=design,
        run=run_,
        synthesis=_synthesis(arguments.synthesis, bundle),
        front=tradeoffs(design.program, design.device) if arguments.pareto else (),
        commands=(shlex.join(["intaglio", *arguments.words]),),
        provenance={"bundle_sha256": bundle.sha256},
    )
    page.save(arguments.output)
    return Outcome(f"{page}\n{arguments.output}", {"report": str(arguments.output)})


def _synthesis(folder: Path | None, bundle: Bundle) -> Synthesis | None:
    """Load a synthesis, which must be one of the bundle as it is now."""
    if folder is None:
        return None
    found = load_synthesis(folder)
    wanted = bundle.top, bundle.manifest["device"]
    if (found.top, found.device) != wanted:
        raise IntaglioError(
            f"--synthesis must be of {wanted[0]} for {wanted[1]}, "
            f"not of {found.top} for {found.device}: synthesize the bundle"
        )
    device = bundle.design().device
    _, key = synthesis_keys(bundle.folder, *bundle.placed, device, found.seed, found.tools)
    if found.key != key:
        raise IntaglioError(
            f"--synthesis must be of {bundle.folder} as it is now, not of other files: "
            "synthesize it again"
        )
    return found
