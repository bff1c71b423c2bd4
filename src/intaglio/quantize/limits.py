# SPDX-License-Identifier: Apache-2.0
"""Ranges moved until a target's units can take the scales of what they read and write together.

A quantizer without limits moves nothing. Where a scale moves, those move with it that are shared by
a concat; as one limit may break another, all are looked at again, a few times at most.
"""

from __future__ import annotations

from collections.abc import Set

from intaglio.ir.graph import Node
from intaglio.ir.operator import Operator
from intaglio.quantize.build import Build
from intaglio.quantize.joining import Origin, alike, origin

#: How often Vitis AI's quantizer looks at all limits.
ROUNDS = 5


def limit_ranges(build: Build, keeping: Set[type[Operator]]) -> None:
    """Move ranges by the limits of each node's quantizer.

    `keeping` names the operators whose results have the coding of their first operand.
    """
    find, groups = origin(build, keeping), alike(build, keeping)
    for _ in range(ROUNDS):
        before = build.ranges
        for node in build.graph.nodes:
            _limit(build, node, find, groups)
        if build.ranges == before:
            return


def _limit(build: Build, node: Node, find: Origin, groups: list[set[str]]) -> None:
    name = build.tail(node).name
    meeting = build.quantizer_of(name).meetings.get(type(node.op))
    if meeting is None:
        return
    values = [*(find(value) for value in node.inputs), name]
    *operands, result = (build.coding(value).scale for value in values)
    sources, target = meeting(node.op, tuple(operands), result)
    for value, old, new in zip(values, (*operands, result), (*sources, target), strict=True):
        if old != new and build.ranges[value].magnitude:
            together = next((group for group in groups if value in group), {value})
            moved = {one: build.ranges[one].scaled(new / old) for one in together}
            build.ranges = {**build.ranges, **moved}
