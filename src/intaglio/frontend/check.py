# SPDX-License-Identifier: Apache-2.0
"""After an import the source model and the graph run on the same random input, node by node.

The source runs where it came from: ONNX Runtime or torch. Each node of the graph is fed with the
source's own values, so the first difference names the node that was read wrongly. Every model sees
input of two ranges, so that one made for bytes is not judged by what it makes of numbers around 0,
where its first layer may be dead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import Enum

import numpy as np

from intaglio.errors import ModelError, VerificationError
from intaglio.frontend.builder import Codes, Imported
from intaglio.passes.check import FRAMES, compare, difference, random_frames

#: A network with more elements in a frame, or more products, runs on one frame; with many more
#: products only on input of one range.
_ELEMENTS = 1 << 24
_PRODUCTS = 1 << 30
_MANY_PRODUCTS = 1 << 32
MAX_BYTE = 255
#: Shares stay so far from 0, where a logarithm ends: one of 256.
_LEAST = 1

Arrays = Mapping[str, np.ndarray]


class Range(Enum):
    """What random input is drawn from: standard normal numbers, those of a raw image, shares."""

    NORMAL = "normal"
    BYTES = "bytes"
    SHARES = "shares"


def frames_to_check(imported: Imported) -> int:
    """Return how many frames a check runs on."""
    elements = sum(t.size for t in imported.graph.types.values())
    return FRAMES if elements <= _ELEMENTS and _products(imported) <= _PRODUCTS else 1


def _products(imported: Imported) -> int:
    return sum(imported.graph.macs(node) for node in imported.graph.nodes)


def random_inputs(imported: Imported, frames: int, range_: Range) -> dict[str, np.ndarray]:
    """Draw a batch for every input, in our order."""
    if range_ is Range.NORMAL:
        return {v.name: random_frames(v, frames, i) for i, v in enumerate(imported.graph.inputs)}
    random = np.random.default_rng(0)
    low, scale = (0, 1) if range_ is Range.BYTES else (_LEAST, MAX_BYTE + 1)
    return {
        v.name: (random.integers(low, MAX_BYTE + 1, (frames, *v.type.shape)) / scale).astype(
            np.float32
        )
        for v in imported.graph.inputs
    }


def check_import(
    source: str, imported: Imported, run: Callable[[Range], tuple[Arrays, Arrays]]
) -> None:
    """Compare a graph with the values its source finds, on input of every range.

    Args:
        source: the file or module, for messages.
        imported: what was read from it.
        run: runs the source on input of a range and returns the inputs, a batch of each in our
            order, and the source's tensors by its own names, each [N, *source frame].

    Raises:
        VerificationError: a node or an output differs.
        ModelError: the model leaves float32 on input of every range.
    """
    enough = 2 if _products(imported) <= _MANY_PRODUCTS else 1
    looked: list[tuple[Arrays, Arrays]] = []
    for range_ in Range:
        inputs, values = run(range_)
        finite = all(np.isfinite(array).all() for array in values.values())
        # A model that leaves float32 was not made for such input; one that always does is refused.
        if finite or (range_ is list(Range)[-1] and not looked):
            looked.append((inputs, values))
            _compare(source, imported, inputs, values)
        if len(looked) == enough:
            break


def _compare(source: str, imported: Imported, inputs: Arrays, values: Arrays) -> None:
    """Raise what is to be said of one run."""
    try:
        text = _difference(imported, inputs, values)
    except ModelError as error:
        raise ModelError(f"{source}: {error}") from None
    if text is not None:
        raise VerificationError(f"{source} must mean the same as its graph, but {text}")


def _difference(imported: Imported, inputs: Arrays, values: Arrays) -> str | None:
    """Say where graph and source differ first, or None."""
    graph = imported.graph
    if text := _misshapen(imported, inputs, values):
        return text
    expected = {
        node.name: _ours(imported, node.name, values[node.origin])
        for node in graph.nodes
        if node.origin in values
    }
    found = compare(graph, inputs, expected)
    if found.difference is not None:
        return found.difference
    for origin, value in imported.outputs:
        if origin not in values:
            continue
        result = expected.get(value.name, found.values[value.name])
        ours = value.layout.to_ours(np.asarray(values[origin]))
        wanted = _meant(ours, value.codes).astype(result.dtype)
        if gap := difference(result, wanted, np.abs(wanted)):
            return f"output {origin!r} {gap}"
    return None


def _misshapen(imported: Imported, inputs: Arrays, values: Arrays) -> str | None:
    """Say where a value of the source first has more or fewer elements than ours, or None.

    How its axes are cut may differ: inside of what became several nodes they are ours.
    """
    frames = max(map(len, inputs.values()))
    ends = [(str(node), node.origin, imported.layouts[node.name]) for node in imported.graph.nodes]
    ends += [(f"output {origin!r}", origin, value.layout) for origin, value in imported.outputs]
    for name, origin, layout in ends:
        if origin not in values:
            continue
        found, ours = np.shape(values[origin]), (frames, *layout.shape)
        if found[:1] != ours[:1] or math.prod(found) != math.prod(ours):
            return f"{name} must have shape {found}, not {ours}"
    return None


def _ours(imported: Imported, name: str, array: np.ndarray) -> np.ndarray:
    dtype = imported.graph.types[name].element.dtype
    ours = imported.layouts[name].to_ours(np.asarray(array))
    return _meant(ours, imported.codes.get(name)).astype(dtype)


def _meant(array: np.ndarray, codes: Codes | None) -> np.ndarray:
    """Return the reals that the source's integers stand for."""
    if codes is None:
        return array
    moved = array.astype(np.float32) - np.float32(codes.zero_point)
    return moved * np.asarray(codes.scale, np.float32)
