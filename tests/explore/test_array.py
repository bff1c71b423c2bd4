# SPDX-License-Identifier: Apache-2.0
"""The search for the best array, against trying every array there is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from intaglio.arch.dataflow import capacity
from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.blocks import blocks
from intaglio.arch.systolic.cost import array_resources, list_lengths
from intaglio.arch.systolic.design import ArrayDesign
from intaglio.arch.systolic.instructions import Load, Store
from intaglio.arch.systolic.layers import Network, network
from intaglio.arch.systolic.predict import Memory
from intaglio.devices import device
from intaglio.errors import InfeasibleError, ModelError
from intaglio.explore import array_sizes
from intaglio.explore.array import best_array
from intaglio.explore.array_bounds import (
    Least,
    convolution,
    dense,
    drain_cycles,
    fold_cycles,
    shapes,
    sizes,
)
from intaglio.explore.array_candidates import Candidate, Space, nondominated
from intaglio.explore.array_flows import EVERYTHING, LISTS, NOTHING, Rests, fastest
from intaglio.explore.array_following import Tables, follows_exactly
from intaglio.explore.array_front import whole_front
from intaglio.explore.array_kinds import kinds
from intaglio.explore.array_search import ArraySearch
from intaglio.explore.array_tables import Followed, timing_of
from intaglio.hw.cost import Resources
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Node, Program
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.requantize import Requantize
from tests.programs import S8, U8, codes, convolutional, program

TARGET = device("ecp5-85f")
#: So few of each that every array of a small device can be tried.
FEW_WORDS, FEW_SUMS = range(6, 8), range(3, 5)


def requantized() -> Program:
    """Return the small network whose result is requantized, as an array needs it."""
    graph = convolutional().graph
    nodes = [*graph.nodes, Node("out", Requantize(22, 3, U8), ("dense", "k"))]
    constants = {**graph.constants, "k": codes(IntType(12, signed=False), 5)}
    return program((8, 8, 2), nodes, constants)


def pooled() -> Program:
    """Return the same without its dense layer."""
    graph = requantized().graph
    constants = {name: graph.constants[name] for name in "wbm"}
    return program((8, 8, 2), graph.nodes[:3], constants)


def pruned(weights: Constant, kept: int) -> Constant:
    """Return weights of which only one in so many rows is not zero."""
    data = weights.data.copy()
    rows = data.reshape(-1, data.shape[-1])
    rows[np.arange(len(rows)) % kept > 0] = 0
    if kept > 2:  # and most of what is left of a row
        data[..., data.shape[-1] // kept :] = 0
    return Constant(data, weights.element)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Draw a convolution with groups or without, perhaps pooling, perhaps a dense layer."""
    sizes_ = st.integers(3, 9)
    height, width = draw(sizes_), draw(sizes_)
    groups = draw(st.sampled_from((1, 1, 2, 4)))
    into, out = groups * draw(st.integers(1, 3)), groups * draw(st.integers(1, 3))
    kernel = draw(st.integers(1, 3))
    stride = draw(st.integers(1, 2))
    border = draw(st.integers(0, kernel - 1))
    bits = draw(st.integers(2, 8))
    kept = draw(st.sampled_from((1, 1, 2, 5)))
    conv = Conv2d((stride, stride), (border,) * 4, groups=groups)
    constants = {
        "w": pruned(codes(IntType(bits, signed=True), out, kernel, kernel, into // groups), kept),
        "b": codes(S8, out),
        "m": codes(U8, out),
    }
    nodes = [
        Node("conv", conv, ("x", "w", "b")),
        Node("scaled", Requantize(12, 3, U8), ("conv", "m")),
    ]
    p, q = ((size + 2 * border - kernel) // stride + 1 for size in (height, width))
    if draw(st.booleans()) and min(p, q) >= 2:
        nodes.append(Node("pool", MaxPool((2, 2), (2, 2)), ("scaled",)))
        p, q = p // 2, q // 2
    if draw(st.booleans()):
        nodes.append(Node("flat", Flatten(), (nodes[-1].name,)))
        nodes.append(Node("dense", Matmul(), ("flat", "v", "c")))
        constants["v"] = pruned(codes(IntType(bits, signed=True), 3, p * q * out), kept)
        constants["c"] = codes(S8, 3)
    return program((height, width, into), nodes, constants)


powers = st.integers(3, 8).map(lambda bits: 1 << bits)
arrays = st.builds(
    Array,
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    dataflows=st.sampled_from(Dataflow).map(lambda flow: frozenset({flow})),
    act_rows=powers,
    weight_words=powers,
    parameter_words=st.just(1024),
    sum_rows=powers,
)
memories = st.builds(
    Memory, st.integers(1, 40), st.integers(1, 60), st.integers(1, 60), st.integers(1, 20)
)


def sized(made: Program, array: Array) -> Array:
    """Give an array the widths that a program needs, if there is any for it."""
    try:
        kind = kinds(network(made), array.beat_bits)[0]
    except ModelError:
        assume(False)
    return replace(
        array, act_bits=kind.act_bits, weight_bits=kind.weight_bits, sum_bits=kind.sum_bits
    )


def many_flows(net: Network) -> list[tuple[Dataflow, ...]]:
    """Return every choice of a dataflow for each layer."""
    return list(product(Dataflow, repeat=len(net.layers)))


def designed(
    made: Program, array: Array, flows: Sequence[Dataflow], memory: Memory | None = None
) -> ArrayDesign:
    """Return a design in which each layer has its own dataflow."""
    names = [layer.name for layer in network(made).layers]
    return ArrayDesign(
        made, TARGET, array, dict(zip(names, flows, strict=True)), memory or Memory()
    )


def choices(
    followed: Followed, array: Array, flows: Collection[Dataflow]
) -> list[dict[Dataflow, Tables]]:
    """Return the tables of each layer in the dataflows that it can have."""
    found = []
    for index in range(len(followed.net.layers)):
        some = {}
        for flow in flows:
            with suppress(ModelError):
                cut = followed.cut(index, array, flow)
                plan = followed.plan(index, array, flow, cut)
                some[flow] = followed.table(index, array, flow, cut, plan)
        found.append(some)
    return found


@given(programs(), arrays, memories, st.data())
def test_no_bound_is_above_the_prediction(
    made: Program, array: Array, memory: Memory, data: st.DataObject
) -> None:
    net = network(made)
    flows = data.draw(st.sampled_from(many_flows(net)))
    array = replace(sized(made, array), dataflows=frozenset(flows))
    try:
        design = designed(made, array, flows, memory)
    except ModelError:
        assume(False)
    total = design.prediction.total
    sides = np.array([array.rows]), np.array([array.columns])
    least = Least.of(sizes(net, array.act_bits), *sides, flows, array, memory)
    assert least.cycles[0] <= total
    followed = Followed(net, array, memory)
    timing = timing_of(array, memory)
    cuts = [[followed.cut(index, array, flow)] for index, flow in enumerate(flows)]
    assert followed.least(array, timing, cuts, least.folds[:, 0]) <= total
    tables = [
        {flow: table} for flow, table in zip(flows, followed.tables(array, flows), strict=True)
    ]
    rests = Rests(*least.rests(0), followed.live(), followed.rows)
    (course,) = fastest(tables, timing, rests, np.inf)
    assert course.flows == flows
    assert course.end <= total
    assert course.end == total or not follows_exactly(array, memory)
    assert fastest(tables, timing, rests, course.end) == []
    *lists, words, beats = course.counts.tolist()
    assert lists == list(list_lengths(design.schedule).values())
    assert words <= array.parameter_words // 2
    moved = (item.beats for item in design.schedule.order if isinstance(item, Load | Store))
    assert beats == sum(moved)


@given(programs(), arrays)
def test_dataflows_of_layers_are_the_best_of_all(made: Program, array: Array) -> None:
    net = network(made)
    array = replace(sized(made, array), dataflows=frozenset(Dataflow))
    ends = {}
    for flows in many_flows(net):
        with suppress(ModelError):
            ends[flows] = designed(made, array, flows).prediction.total
    sides = np.array([array.rows]), np.array([array.columns])
    least = Least.of(sizes(net, 8), *sides, list(Dataflow), array, Memory())
    followed = Followed(net, array, Memory())
    rests = Rests(*least.rests(0), followed.live(), followed.rows)
    tables, timing = choices(followed, array, Dataflow), timing_of(array, Memory())
    for same in (NOTHING, LISTS, EVERYTHING):
        found = fastest(tables, timing, rests, np.inf, same)
        assert all(ends[one.flows] == one.end for one in found)
        assert [one.end for one in found[:1]] == sorted(ends.values())[:1]
    assert len(found) == len(ends)  # of which none stood for another


@given(programs(), arrays)
def test_what_does_not_fit_cannot_be_followed_either(made: Program, array: Array) -> None:
    array = replace(sized(made, array), act_rows=2, weight_words=2)
    followed = Followed(network(made), array, Memory())
    flows = [Dataflow.WEIGHT_STATIONARY] * len(followed.net.layers)
    some = replace(array, dataflows=frozenset({Dataflow.WEIGHT_STATIONARY}))
    try:
        design = ArrayDesign.of(made, TARGET, some)
    except ModelError:
        with pytest.raises(ModelError, match="must be at least"):
            followed.tables(some, flows)
        return
    assert len(followed.tables(some, flows)) == len(design.schedule.ends)


@given(programs(), arrays)
def test_no_block_is_wider_than_the_array(made: Program, array: Array) -> None:
    net = network(made)
    try:
        cut = blocks(net, net.layers[0], array, Dataflow.WEIGHT_STATIONARY)
    except ModelError:
        assume(False)
    assert max(block.channels for block in cut) <= array.columns


def every(made: Program, bound: Resources, space: Space) -> list[Candidate]:
    """Return every array of a space that fits, with the least memory of parameters."""
    found = []
    net, memory = network(made), space.memory
    assignments = [flows for flows in many_flows(net) if space.mixed or len(set(flows)) == 1]
    every_side = list(product(range(1, 9), range(1, 9)))
    sides = every_side if space.shape is None else [space.shape]
    for kind in kinds(net, 64):
        for (r, c), flows in product(sides, assignments):
            base = replace(kind, rows=r, columns=c, dataflows=frozenset(flows))
            if array_resources(base).dsp > bound.dsp:
                continue
            for sums, words, acts in product(FEW_SUMS, FEW_WORDS, FEW_WORDS):
                some = replace(base, sum_rows=1 << sums, weight_words=1 << words)
                one = candidate(made, replace(some, act_rows=1 << acts), flows, memory)
                if one is not None and one.resources.fits(bound):
                    found.append(one)
    return found


def candidate(
    made: Program, array: Array, flows: Sequence[Dataflow], memory: Memory
) -> Candidate | None:
    """Return an array with the least memory of parameters as a candidate, if it runs a program."""
    for bits in range(3, 7):
        array = replace(array, parameter_words=1 << bits)
        with suppress(ModelError):
            design = designed(made, array, flows, memory)
            order = design.schedule.order
            beats = sum(item.beats for item in order if isinstance(item, Load | Store))
            cells = array_resources(array, list_lengths(design.schedule)).on(TARGET)
            return Candidate(array, design.flows, design.prediction.total, beats * 64, cells)
    return None


@pytest.mark.parametrize(
    ("made", "dsp", "mixed"),
    [
        (requantized(), 3, False),
        (requantized(), 5, False),
        (requantized(), 8, False),
        (pooled(), 3, True),
    ],
)
def test_the_best_array_is_the_best_of_all(
    monkeypatch: pytest.MonkeyPatch, made: Program, dsp: int, mixed: bool
) -> None:
    monkeypatch.setattr(array_sizes, "BUFFER_BITS", FEW_WORDS)
    monkeypatch.setattr(array_sizes, "SUM_BITS", FEW_SUMS)
    small = replace(TARGET, dsp=dsp)
    space = Space(mixed=mixed)
    found = best_array(made, small, space, front=True)
    tried = every(made, capacity(small), space)
    assert found.best.prediction.total == min(one.cycles for one in tried)
    assert found.evaluated < 20
    assert found.bounded > 0
    assert [one.costs for one in found.front] == [one.costs for one in nondominated(tried)]


@settings(max_examples=25)
@given(programs(), st.booleans(), st.sampled_from((1, 20, 1000)), st.data())
def test_best_and_front_are_those_of_every_array(
    made: Program, mixed: bool, latency: int, data: st.DataObject
) -> None:
    space = Space(mixed=mixed, shape=(3, 2), memory=Memory(latency))
    try:
        kinds(network(made), 64)
    except ModelError:
        assume(False)
    bound = capacity(replace(TARGET, bram=data.draw(st.integers(20, 60))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(array_sizes, "BUFFER_BITS", FEW_WORDS)
        patch.setattr(array_sizes, "SUM_BITS", FEW_SUMS)
        search = ArraySearch(made, TARGET, space)
        front = whole_front(search, bound)
        if front:
            assert search.best(bound)[0].cycles == front[0].cycles
    tried = nondominated(every(made, bound, space))
    assert [one.costs for one in front] == [one.costs for one in tried]


def test_a_search_keeps_to_what_is_asked_for() -> None:
    space = Space((Dataflow.OUTPUT_STATIONARY,), shape=(3, 2), beat_bits=128)
    found = best_array(requantized(), TARGET, space)
    array = found.best.array
    assert (array.rows, array.columns, array.beat_bits) == (3, 2, 128)
    assert set(found.best.flows.values()) == {Dataflow.OUTPUT_STATIONARY}
    assert found.front == ()


def test_a_front_has_nothing_that_is_worse_in_all() -> None:
    found = best_array(requantized(), replace(TARGET, dsp=12), Space(mixed=False), front=True)
    costs = [one.costs for one in found.front]
    assert costs == sorted(costs)
    assert len(nondominated(found.front)) == len(costs) > 1
    assert costs[0][0] == found.best.prediction.total
    assert min(cost[1] for cost in costs) < found.best.array.multipliers
    names = {(one.array.rows, one.array.columns, one.dataflow) for one in found.runners_up}
    assert len(names) == len(found.runners_up)


def test_what_fits_nowhere_is_told_by_how_much() -> None:
    with pytest.raises(InfeasibleError) as caught:
        best_array(requantized(), replace(TARGET, bram=4))
    text = str(caught.value)
    assert text.startswith("a design must fit ecp5-85f, not need bram ")
    assert " of 4 (" in text
    assert text.endswith("; or another --array")


def test_widths_are_the_least_that_hold_the_program() -> None:
    (kind,) = kinds(network(requantized()), 64)
    assert (kind.act_bits, kind.weight_bits, kind.code_bits) == (8, 8, 0)
    assert kind.sum_bits == 21


def test_few_different_weights_are_kept_as_codes() -> None:
    made = requantized()
    few = {
        name: Constant(np.sign(constant.data) * 100, constant.element) if name in "wv" else constant
        for name, constant in made.graph.constants.items()
    }
    made = replace(made, graph=replace(made.graph, constants=few))
    plain, coded = kinds(network(made), 64)
    assert (plain.code_bits, coded.code_bits) == (0, 2)
    found = best_array(made, TARGET, Space(shape=(4, 4)))
    assert found.best.prediction.total > 0


def test_numbers_that_fit_no_array_are_named() -> None:
    made = requantized()
    wide = {**made.graph.constants, "w": codes(IntType(12, signed=True), 4, 3, 3, 2)}
    with pytest.raises(ModelError, match="weights of an array must be at most 8 bits, not 12"):
        kinds(network(replace(made, graph=replace(made.graph, constants=wide))), 64)


def test_sizes_need_no_program() -> None:
    one = convolution("conv", (226, 226), (3, 3), (64, 128), stride=2)
    assert one.shape == (112, 112, 128)
    assert one.macs == 112 * 112 * 128 * 64 * 9
    rows, columns = np.array([16, 64]), np.array([16, 128])
    flow = Dataflow.WEIGHT_STATIONARY
    steps = 3 * -(-3 * 64 // rows)
    assert (
        fold_cycles(one, rows, columns, flow).tolist()
        == (steps * -(-128 // columns) * 112 * 112).tolist()
    )
    assert drain_cycles(one, rows, columns).tolist() == [8 * 112 * 112, 112 * 112]
    assert dense("fc", 1, 512, 1000).macs == 512 * 1000


def test_shapes_are_all_there_are() -> None:
    rows, columns = shapes(6, 4)
    found = set(zip(rows.tolist(), columns.tolist(), strict=True))
    assert found == {(r, c) for r in range(1, 5) for c in range(1, 5) if r * c <= 6}


def test_nothing_but_the_front_asks_for_less_of_the_device() -> None:
    found = best_array(requantized(), replace(TARGET, dsp=12))
    fastest = [found.best.prediction.total, *(one.cycles for one in found.runners_up)]
    assert fastest == sorted(fastest)
    best = found.best.array
    assert found.least[best.rows, best.columns] <= fastest[0]
    assert all(array_resources(Array(r, c)).dsp <= 12 for r, c in found.least)
