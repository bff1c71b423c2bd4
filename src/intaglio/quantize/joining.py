# SPDX-License-Identifier: Apache-2.0
"""Values that are put end to end: one coding for all of them, chosen beforehand where it can be.

The result of a concat has one scale and zero point, so its operands must have them too. Values
whose codes are still to be chosen are given one range, the union, and so get one coding; an operand
that cannot have it, as the network's input, is requantized.
"""

from __future__ import annotations

from collections.abc import Callable, Set

import numpy as np

from intaglio.ir.graph import Node
from intaglio.ir.operator import Operator
from intaglio.numerics.rounding import round_shift
from intaglio.numerics.scale import rescale
from intaglio.numerics.types import IntType
from intaglio.ops.clip import Clip
from intaglio.ops.concat import Concat
from intaglio.quantize.build import Build
from intaglio.quantize.quantizer import Coding
from intaglio.quantize.ranges import Range

#: From a value to the one with whose coding it comes.
Origin = Callable[[str], str]


def share_ranges(build: Build, keeping: Set[type[Operator]]) -> None:
    """Give all values whose codes end in one concat the range of all of them.

    `keeping` names the operators whose results have the coding of their first operand. The range of
    the network's input stays, as its codes are how data enters.
    """
    inputs = {value.name for value in build.graph.inputs}
    ranges = dict(build.ranges)
    for group in alike(build, keeping):
        shared = Range(0.0, 0.0)
        for name in group:
            shared = shared.union(ranges[name])
        ranges |= dict.fromkeys(group - inputs, shared)
    build.ranges = ranges


def origin(build: Build, keeping: Set[type[Operator]]) -> Origin:
    """Return what tells the value with whose coding a value comes."""
    graph = build.graph
    ends = [build.tail(node) for node in graph.nodes if type(node.op) not in keeping]
    rectified = {name for tail in ends for name in tail.names[1:]}

    def found(value: str) -> str:
        node = graph.producers.get(value)
        while node is not None and type(node.op) in keeping and value not in rectified:
            value = node.inputs[0]
            node = graph.producers.get(value)
        return value

    return found


def alike(build: Build, keeping: Set[type[Operator]]) -> list[set[str]]:
    """Return the sets of values whose codings have to be chosen alike."""
    find = origin(build, keeping)
    groups: list[set[str]] = []
    for node in build.graph.nodes:
        if isinstance(node.op, Concat):
            members = {node.name, *map(find, node.inputs)}
            apart = [group for group in groups if group.isdisjoint(members)]
            joined = [group for group in groups if not group.isdisjoint(members)]
            groups = [*apart, members.union(*joined)]
    return groups


def concat(build: Build, node: Node, op: Concat) -> None:
    """Both operands in one coding, end to end."""
    coding = build.coding(node.name)
    names = [
        _recoded(build, f"{node.name}.{operand}", name, coding)
        for operand, name in zip(op.operands, node.inputs, strict=True)
    ]
    build.emit(Node(node.name, op, tuple(names), node.origin))
    build.settle(node.name, coding)


def _recoded(build: Build, name: str, source: str, coding: Coding) -> str:
    """Bring an operand to a coding; zero stays exactly zero, and what lies outside saturates."""
    old, codes = build.codings[source], build.types[source].integer
    if (old.scale, old.zero_point) == (coding.scale, coding.zero_point):
        return source
    ratio = rescale(np.array([old.scale / coding.scale]))
    ends = np.array([old.zero_point, codes.min, codes.max])
    zero, low, high = round_shift(ends * ratio.multiplier, ratio.shift).tolist()
    offset, element = coding.zero_point - zero, coding.element
    if element.min <= offset <= element.max:
        build.multiply(name, source, ratio, Coding(element, coding.scale, offset))
    else:
        # The offset, which is where code 0 goes, needs a wider type than the codes have in the end.
        wide = IntType.holding(min(low, 0) + offset, max(high, 0) + offset)
        build.multiply(f"{name}.wide", source, ratio, Coding(wide, coding.scale, offset))
        build.meaning[f"{name}.wide"] = coding.quantization
        build.emit(Node(name, Clip(element.min, element.max), (f"{name}.wide",)))
    build.meaning[name] = coding.quantization
    return name
