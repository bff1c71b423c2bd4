# SPDX-License-Identifier: Apache-2.0
"""All sizes of the buffers of a shape: of those that cut no layer otherwise the least."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.plan import Plan
from intaglio.errors import ModelError
from intaglio.explore.array_flows import Choices
from intaglio.explore.array_tables import MANY_WORDS, Followed, Groups

#: Sizes of a buffer: powers of two. A fold counts pixels, and so rows of sums, in 16 bits.
BUFFER_BITS = range(1, 17)
SUM_BITS = range(1, 16)

#: How each layer is cut in each dataflow that it can have; the same of its pixels.
Cuts = Sequence[Mapping[Dataflow, Groups]]
Plans = Sequence[Mapping[Dataflow, Plan]]


@dataclass(frozen=True, eq=False)
class Sized:
    """An array, and the tables of each layer on it in each dataflow that the layer can have."""

    array: Array
    layers: Sequence[Choices]

    def to(self, flows: Collection[Dataflow]) -> Sized:
        """Return the same built for some dataflows alone."""
        layers = [
            {flow: tables for flow, tables in some.items() if flow in flows} for some in self.layers
        ]
        return Sized(replace(self.array, dataflows=frozenset(flows)), layers)


def powers(bits: range) -> list[int]:
    """Return the powers of two of so many bits."""
    return [1 << bit for bit in bits]


def smallest(like: Array, rows: int, columns: int) -> Array:
    """Return an array of a shape with the least buffers there are."""
    least = 1 << BUFFER_BITS[0]
    return replace(
        like,
        rows=rows,
        columns=columns,
        act_rows=least,
        weight_words=least,
        parameter_words=least,
        sum_rows=least,
    )


def all_sizes(
    followed: Followed,
    base: Array,
    flows: Collection[Dataflow],
    blocks: Callable[[Array], int],
    most: int,
    late: Callable[[Array, Cuts], bool] = lambda *_: False,
    worse: Callable[[Array, Cuts, Plans], bool] = lambda *_: False,
) -> Iterator[Sized]:
    """Yield all sizes of the buffers of an array with which every layer has some dataflow.

    Left out are sizes of more than `most` block RAMs, of the memory of weights those that are too
    late, what is worse than others, and what is alike in all but larger buffers. Sizes of the
    memory of weights come by their block RAMs, of the same the largest first. The memory of
    parameters, which changes no cycle, is as small as can be.
    """
    seen: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    known: dict[tuple[Dataflow, int], list[Groups | None]] = {}
    for sum_rows in powers(SUM_BITS):
        sums = replace(base, sum_rows=sum_rows)
        if blocks(sums) > most:
            break
        whole = _cuts(followed, replace(sums, weight_words=MANY_WORDS), flows, known)
        planned = _planned(followed, sums, whole, blocks, most) if all(whole) else []
        for sized, taken in _weights(sums, blocks, most) if planned else ():
            left = [] if late(sized, whole) else planned
            left = [
                (act_rows, plans)
                for act_rows, plans in left
                if blocks(array := replace(sized, act_rows=act_rows)) <= most
                and not worse(array, whole, plans)
            ]
            cuts = _cuts(followed, sized, flows, known) if left else []
            if not all(cuts):
                continue
            for act_rows, plans in left:
                array = replace(sized, act_rows=act_rows)
                layers = _joined(followed, array, cuts, plans)
                if all(layers) and _is_new(seen, layers, (taken, act_rows)):
                    yield Sized(array, layers)


def _weights(sums: Array, blocks: Callable[[Array], int], most: int) -> list[tuple[Array, int]]:
    """Return an array with all sizes of its memory of weights, and its block RAMs."""
    arrays = (replace(sums, weight_words=words) for words in powers(BUFFER_BITS))
    pairs = [(array, taken) for array in arrays if (taken := blocks(array)) <= most]
    return sorted(pairs, key=lambda pair: (pair[1], -pair[0].weight_words))


def _is_new(
    seen: dict[tuple[int, ...], list[tuple[int, int]]],
    layers: Sequence[Choices],
    sizes: tuple[int, int],
) -> bool:
    """Tell whether no array before works alike with no larger memories of weights and inputs."""
    alike = tuple(id(table) for some in layers for table in some.values())
    known = seen.setdefault(alike, [])
    if any(words <= sizes[0] and acts <= sizes[1] for words, acts in known):
        return False
    known.append(sizes)
    return True


def _cuts(
    followed: Followed,
    array: Array,
    flows: Collection[Dataflow],
    known: dict[tuple[Dataflow, int], list[Groups | None]],
) -> Cuts:
    """Return how weights are cut, in each dataflow in which they can be.

    `known` are those that do not depend on sums: all but input stationary ones.
    """
    found: dict[Dataflow, list[Groups | None]] = {}
    for flow in flows:
        some = known.get((flow, array.weight_words))
        if some is None:
            some = [_cut(followed, index, array, flow) for index in range(len(followed.net.layers))]
        if flow is not Dataflow.INPUT_STATIONARY:
            known[flow, array.weight_words] = some
        found[flow] = some
    return [
        {flow: groups for flow, some in found.items() if (groups := some[index]) is not None}
        for index in range(len(followed.net.layers))
    ]


def _cut(followed: Followed, index: int, array: Array, flow: Dataflow) -> Groups | None:
    try:
        return followed.cut(index, array, flow)
    except ModelError:
        return None


def _planned(
    followed: Followed, sums: Array, cuts: Cuts, blocks: Callable[[Array], int], most: int
) -> list[tuple[int, Plans]]:
    """Return the sizes of the memories of activations that hold a program, with its plans."""
    found: list[tuple[int, Plans]] = []
    for act_rows in powers(BUFFER_BITS):
        array = replace(sums, act_rows=act_rows)
        if blocks(array) > most:
            break
        plans = _plans(followed, array, cuts)
        if all(plans) and (not found or _ids(plans) != _ids(found[-1][1])):
            found.append((act_rows, plans))
    return found


def _plans(followed: Followed, array: Array, cuts: Cuts) -> Plans:
    found = []
    for index, cut in enumerate(cuts):
        some: dict[Dataflow, Plan] = {}
        for flow, groups in cut.items():
            try:
                some[flow] = followed.plan(index, array, flow, groups)
            except ModelError:
                continue
        found.append(some)
    return found


def _ids(plans: Plans) -> list[dict[Dataflow, int]]:
    return [{flow: id(plan) for flow, plan in some.items()} for some in plans]


def _joined(followed: Followed, array: Array, cuts: Cuts, plans: Plans) -> list[Choices]:
    """Return the tables of each layer in each dataflow in which it can be cut and planned."""
    return [
        {
            flow: followed.table(index, array, flow, groups, plan[flow])
            for flow, groups in cut.items()
            if flow in plan
        }
        for index, (cut, plan) in enumerate(zip(cuts, plans, strict=True))
    ]
