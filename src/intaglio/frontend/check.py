# SPDX-License-Identifier: Apache-2.0
"""After an import the source model and the graph run on the same random input, node by node.

The source runs where it came from: ONNX Runtime or torch. Each node of the graph is fed with the
source's own values, so the first difference names the node that was read wrongly.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from intaglio.errors import ModelError, VerificationError
from intaglio.frontend.builder import Imported
from intaglio.passes.check import compare, difference, random_frames


def random_inputs(imported: Imported, frames: int) -> dict[str, np.ndarray]:
    """Draw a batch for every input, in our order."""
    return {v.name: random_frames(v, frames, i) for i, v in enumerate(imported.graph.inputs)}


def check_import(
    source: str,
    imported: Imported,
    inputs: Mapping[str, np.ndarray],
    values: Mapping[str, np.ndarray],
) -> None:
    """Compare a graph with the values its source found.

    Args:
        source: the file or module, for messages.
        imported: what was read from it.
        inputs: a batch for each input, in our order.
        values: the source's tensors by its own names, each [N, *source frame].

    Raises:
        VerificationError: a node or an output differs.
        ModelError: the model leaves float32 on such an input.
    """
    graph = imported.graph
    expected = {
        node.name: _ours(imported, node.name, values[node.origin])
        for node in graph.nodes
        if node.origin in values
    }
    try:
        found = compare(graph, inputs, expected)
    except ModelError as error:
        raise ModelError(f"{source}: {error}") from None
    text = found.difference
    for origin, value in imported.outputs:
        if text is None and origin in values:
            result = expected.get(value.name, found.values[value.name])
            wanted = value.layout.to_ours(np.asarray(values[origin])).astype(result.dtype)
            if gap := difference(result, wanted, np.abs(wanted)):
                text = f"output {origin!r} {gap}"
    if text is not None:
        raise VerificationError(f"{source} must mean the same as its graph, but {text}")


def _ours(imported: Imported, name: str, array: np.ndarray) -> np.ndarray:
    dtype = imported.graph.types[name].element.dtype
    return imported.layouts[name].to_ours(np.asarray(array)).astype(dtype)
