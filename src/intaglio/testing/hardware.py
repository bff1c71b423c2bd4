# SPDX-License-Identifier: Apache-2.0
"""Checks of an operator's hardware: its RTL in Verilator against its meaning and its cycles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from intaglio.arch.dataflow import dataflow, hardware_graph, node_unit
from intaglio.devices import device
from intaglio.errors import VerificationError
from intaglio.hw.unit import Fold, Stream, StreamOperator, Unit
from intaglio.ir.graph import Graph, Node
from intaglio.ops import operators
from intaglio.rtl.bundle import emit
from intaglio.testing.example import Example, draw
from intaglio.tools.simulation import simulate
from intaglio.tools.verilator import Stalls

#: Enough for a pipeline of one operator to fill and to repeat.
FRAMES = 5
#: Any device of a family with leaf cells of its own: those are then proven too.
DEVICE = "ecp5-25f"
STALLS = Stalls(input=0.3, output=0.4)


def check_unit(
    example: Example, folder: Path, *, folds: int = 3, runtime: Path | None = None
) -> None:
    """Check an operator with hardware in a design of its own, for several of its folds.

    The operator is registered, so that a bundle can be read again. Every unit that its folds give
    has streams of the right size; simulated ones give every bit of the result, at the cycles
    foretold, and the same bits under random stalls.

    Raises:
        VerificationError: one of it does not hold; the text names the fold.
        MissingToolError: hardware cannot be simulated here.
    """
    name = example.op.name
    if operators().get(name) is not type(example.op):
        raise VerificationError(
            f"operator {name!r} must be registered to be found again in a bundle: name it in the "
            f"entry points 'intaglio.operators' of its package, and install that"
        )
    program = example.program()
    graph = hardware_graph(program)
    choices = {node.name: _folds(example, graph, node) for node in graph.nodes}
    frames = draw(graph.inputs[0].type, FRAMES, np.random.default_rng(2))
    for step in range(folds):
        chosen = {name: _spread(legal, step, folds) for name, legal in choices.items()}
        design = dataflow(program, device(DEVICE), chosen)
        try:
            bundle = emit(design, folder / str(step), frames[:1])
            for stalls in (None, STALLS):
                simulate(
                    bundle,
                    frames,
                    stalls=stalls,
                    runtime=runtime,
                    optimize="-O0",
                    progress=False,
                )
        except VerificationError as error:
            raise VerificationError(f"{example}, {chosen['y']}: {error}") from None


def _folds(example: Example, graph: Graph, node: Node) -> list[Fold]:
    """Return the legal folds of a node; each must give a unit whose streams carry its values."""
    op = node.op
    found = list(op.folds(graph.operand_types(node))) if isinstance(op, StreamOperator) else []
    if not found or len(set(found)) != len(found):
        raise VerificationError(f"{example}: folds must be some and different, not {found}")
    for fold in found:
        unit = node_unit(graph, node, fold)
        if unit is not None:
            _check_streams(example, graph, node, fold, unit)
    return found


def _check_streams(example: Example, graph: Graph, node: Node, fold: Fold, unit: Unit) -> None:
    operands = [graph.types[name] for name in node.inputs if name not in graph.constants]
    wanted = [*operands, graph.types[node.name]]
    streams: Sequence[Stream] = [*unit.inputs.values(), *unit.outputs.values()]
    if [(s.element, s.lanes * s.beats) for s in streams] != [(t.element, t.size) for t in wanted]:
        raise VerificationError(
            f"{example}, {fold}: streams must carry {', '.join(map(str, wanted))}, "
            f"not {', '.join(map(str, streams))}"
        )
    if unit.macs != graph.macs(node) or unit.interval * unit.multipliers < unit.macs:
        raise VerificationError(
            f"{example}, {fold}: {unit.multipliers} multipliers must do {graph.macs(node)} MACs in "
            f"{unit.interval} cycles; {unit.macs} are claimed"
        )


def _spread(legal: Sequence[Fold], step: int, steps: int) -> Fold:
    """Pick the first, the last, and others evenly between, each with the next kind of products."""
    kinds = sorted({fold.products for fold in legal})
    alike = [fold for fold in legal if fold.products is kinds[step % len(kinds)]]
    return alike[step * (len(alike) - 1) // max(1, steps - 1)]
