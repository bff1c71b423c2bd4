# SPDX-License-Identifier: Apache-2.0
"""Two meanings of one graph, compared node by node on random input.

Each node is fed with the values the other side found for its operands, so a difference is the
node's own: nothing accumulates, and the first node named is the guilty one. Integers must be equal.
Floats may differ by rounding: the tolerance is relative to the sum of the absolute values of all
terms, which is the node evaluated on absolute operands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from intaglio.errors import ModelError, VerificationError
from intaglio.ir.execute import trace
from intaglio.ir.graph import Graph, Node, Value
from intaglio.numerics.types import IntType

#: Rounding of float32 sums of some thousand terms stays below it; one lost bias does not.
TOLERANCE = 2e-5
#: Elements far below the largest of their tensor are held to this share of it.
FLOOR = 0.01
FRAMES = 2
#: Elements compared at once: what is needed beside them stays small.
_PIECE = 1 << 18


@dataclass(frozen=True)
class Comparison:
    """What running a graph against expected values gave: every value, and the first difference."""

    values: Mapping[str, np.ndarray]
    difference: str | None


def random_frames(value: Value, frames: int = FRAMES, seed: int = 0) -> np.ndarray:
    """Draw a batch for an input: standard normal floats, or integers over the whole type."""
    random = np.random.default_rng(seed)
    shape, element = (frames, *value.type.shape), value.type.element
    if isinstance(element, IntType):
        return random.integers(element.min, element.max, shape, endpoint=True).astype(element.dtype)
    return random.standard_normal(shape).astype(np.float32)


def compare(
    graph: Graph,
    inputs: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
    terms: Mapping[str, np.ndarray] | None = None,
) -> Comparison:
    """Evaluate a graph node by node and compare every node that `expected` knows by name.

    Args:
        graph: the graph under test.
        inputs: a batch for each input.
        expected: values by node name, each [N, *frame].
        terms: where known, the absolute terms the other side added up for a value.

    Raises:
        ModelError: an expected number is not finite, so nothing can be compared.
    """
    given = dict(inputs)
    made = dict(inputs)
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            element = graph.types[node.name].element
            result = node.op.evaluate(*_operands(graph, node, given))
            made[node.name] = result.astype(element.dtype, copy=False)
            given[node.name] = expected.get(node.name, made[node.name])
            if node.name not in expected:
                continue
            if not np.isfinite(given[node.name]).all():
                raise ModelError(f"{node} must stay finite on random input, not leave float32")
            if node.op.jumps:
                made[node.name] = _nearest(graph, node, given, made[node.name])
            scale = magnitude(graph, node, given)
            if terms is not None and node.name in terms:
                scale = np.maximum(scale, terms[node.name])
            if text := difference(made[node.name], given[node.name], scale):
                return Comparison(made, f"{node} {text}")
    return Comparison(made, None)


def _nearest(
    graph: Graph, node: Node, given: Mapping[str, np.ndarray], found: np.ndarray
) -> np.ndarray:
    """Return what lies nearest to the expected result within the rounding of the operand.

    A quantizer's result jumps where its operand passes a threshold, which rounding can make it do.
    """
    x, *rest = _operands(graph, node, given)
    reach = np.abs(x)
    reach = TOLERANCE * np.maximum(reach, FLOOR * _largest(reach))
    low, high = (node.op.evaluate(x + change, *rest) for change in (-reach, reach))
    # In real numbers it lies between; float32 has no say in which of the two is smaller.
    return np.clip(given[node.name], np.minimum(low, found), np.maximum(high, found))


def magnitude(graph: Graph, node: Node, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return how much rounding a result may show: the node's value on absolute operands.

    Integers do not round: 0.
    """
    if isinstance(graph.types[node.name].element, IntType):
        return np.zeros(1)
    operands = [np.abs(array) for array in _operands(graph, node, values)]
    return np.abs(node.op.evaluate(*operands))


def difference(found: np.ndarray, expected: np.ndarray, scale: np.ndarray) -> str | None:
    """Say where two arrays differ most, or None: integers exactly, floats beyond rounding."""
    if found.shape != expected.shape:
        return f"must have shape {expected.shape[1:]}, not {found.shape[1:]}"
    exact = np.issubdtype(found.dtype, np.integer)
    largest = max(_largest(scale), _largest(expected))
    flat = found.reshape(-1), expected.reshape(-1), np.broadcast_to(scale, found.shape).reshape(-1)
    worst, place = 0.0, -1
    for start in range(0, found.size, _PIECE):
        got, wanted, terms = (array[start : start + _PIECE].astype(np.float64) for array in flat)
        excess = np.abs(got - wanted)
        if not exact:
            terms = np.maximum(np.maximum(terms, np.abs(wanted)), FLOOR * largest)
            excess = np.nan_to_num(excess - TOLERANCE * terms, nan=np.inf)
        if (most := excess.max()) > worst:
            worst, place = most, start + int(excess.argmax())
    if place < 0:
        return None
    index = tuple(int(i) for i in np.unravel_index(place, found.shape))
    return f"must be {expected[index]} at {list(index[1:])}, not {found[index]}"


def _largest(array: np.ndarray) -> float:
    return float(np.abs(array).max(initial=0))


def equal_on_random_input(before: Graph, after: Graph, what: str) -> None:
    """Run two graphs on the same seeded random input and compare values of the same name.

    Raises:
        VerificationError: they differ; the text names `what` and the first differing node.
        ModelError: the graph itself overflows on that input.
    """
    if before.inputs != after.inputs or len(before.outputs) != len(after.outputs):
        raise VerificationError(f"{what} must keep the inputs and outputs of {before.name!r}")
    inputs = {v.name: random_frames(v, seed=i) for i, v in enumerate(before.inputs)}
    with np.errstate(all="ignore"):
        expected = trace(before, inputs)
        terms = {node.name: magnitude(before, node, expected) for node in before.nodes}
    found = compare(after, inputs, expected, terms)
    text = found.difference
    for old, new in zip(before.outputs, after.outputs, strict=True):
        scale = terms.get(old, np.zeros(1))
        if text is None and (gap := difference(found.values[new], expected[old], scale)):
            text = f"output {new!r} {gap}"
    if text is not None:
        raise VerificationError(f"{what} must not change what {before.name!r} computes: {text}")


def _operands(graph: Graph, node: Node, values: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    return [
        graph.constants[name].data if name in graph.constants else values[name]
        for name in node.inputs
    ]
