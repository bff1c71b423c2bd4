# SPDX-License-Identifier: Apache-2.0
"""Passes: plain functions from a graph to an equal graph. Each run is checked, never believed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from intaglio.ir.graph import Graph
from intaglio.passes.batchnorm_last import batchnorm_last
from intaglio.passes.batchnorm_to_depthwise import batchnorm_to_depthwise
from intaglio.passes.check import equal_on_random_input
from intaglio.passes.dead_code import dead_code
from intaglio.passes.fold_batchnorm import fold_batchnorm
from intaglio.passes.lower import lower
from intaglio.passes.name_functions import name_functions
from intaglio.passes.name_quantizers import name_quantizers
from intaglio.passes.requantize_first import requantize_first

__all__ = [
    "Pass",
    "batchnorm_last",
    "batchnorm_to_depthwise",
    "dead_code",
    "equal_on_random_input",
    "fold_batchnorm",
    "lower",
    "name_functions",
    "name_quantizers",
    "requantize_first",
    "run_passes",
]

Pass = Callable[[Graph], Graph]


def run_passes(graph: Graph, passes: Iterable[Pass]) -> Graph:
    """Apply passes in order, and compare each result with its input on random data.

    Raises:
        VerificationError: a pass changed what the graph computes; the text names pass and node.
    """
    for transform in passes:
        after = transform(graph)
        if after is not graph:
            equal_on_random_input(graph, after, getattr(transform, "__name__", str(transform)))
        graph = after
    return graph
