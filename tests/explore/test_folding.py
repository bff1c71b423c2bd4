# SPDX-License-Identifier: Apache-2.0
"""The exact search, against trying every folding there is."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from intaglio.arch.dataflow import capacity, dataflow, hardware_graph
from intaglio.arch.design import Design
from intaglio.devices import device
from intaglio.devices.description import Device
from intaglio.errors import InfeasibleError, ModelError
from intaglio.explore import folding
from intaglio.explore.folding import best_throughput, least_area, pareto
from intaglio.hw.cost import Resources
from intaglio.hw.products import Products
from intaglio.hw.unit import Fold, StreamOperator
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from tests.programs import codes, convolutional, program, residual
from tests.strategies import Network, networks

TARGET = device("ecp5-25f")
#: Foldings of a network that are tried one by one.
MOST = 400


def legal(graph: Graph) -> dict[str, list[Fold]]:
    return {
        node.name: list(node.op.folds(graph.operand_types(node)))
        for node in graph.nodes
        if isinstance(node.op, StreamOperator)
    }


def foldings(made: Program, target: Device) -> Iterator[Design]:
    """Build the design of every folding; forks as shallow as they come, as the search counts."""
    graph = hardware_graph(made)
    choices = legal(graph)
    for folds in product(*choices.values()):
        yield dataflow(made, target, dict(zip(choices, folds, strict=True)), {})


def interval(design: Design) -> int:
    return design.bottleneck.unit.interval


def share(cells: Resources, bound: Resources) -> float:
    pairs = [(getattr(cells, k), getattr(bound, k)) for k in ("dsp", "bram", "lut", "ff")]
    return sum(a / b if b else float(a) for a, b in pairs)


@st.composite
def problems(draw: st.DrawFn) -> tuple[Network, Device]:
    """Draw a network with few foldings, and a device that not all of them fit."""
    network = draw(networks())
    choices = legal(hardware_graph(network.program))
    assume(math.prod(map(len, choices.values())) <= MOST)
    lut = draw(st.sampled_from([300, 800, 2000, 24000]))
    target = replace(
        TARGET,
        lut=lut,
        ff=draw(st.sampled_from([500, 24000])),
        dsp=draw(st.sampled_from([0, 2, 6, 28])),
        bram=draw(st.sampled_from([0, 2, 56])),
    )
    return network, target


@settings(max_examples=60)
@given(problems())
def test_the_search_finds_what_trying_everything_finds(problem: tuple[Network, Device]) -> None:
    network, target = problem
    bound = capacity(target)
    fitting = [d for d in foldings(network.program, target) if d.resources.fits(bound)]
    if not fitting:
        with pytest.raises(InfeasibleError, match="a design must fit ecp5-25f, not need"):
            best_throughput(network.program, target)
        return
    fastest = min(map(interval, fitting))
    least = min(share(d.resources, bound) for d in fitting if interval(d) == fastest)
    found = best_throughput(network.program, target)
    assert found.interval == fastest
    assert share(found.resources, bound) == pytest.approx(least)
    built = dataflow(network.program, target, found.folds, {})
    assert (built.resources, interval(built)) == (found.resources, found.interval)


@settings(max_examples=40)
@given(problems(), st.data())
def test_the_smallest_design_of_an_interval_is_found(
    problem: tuple[Network, Device], data: st.DataObject
) -> None:
    network, target = problem
    bound = capacity(target)
    designs = list(foldings(network.program, target))
    wanted = data.draw(st.sampled_from(sorted({interval(d) for d in designs})))
    wanted += data.draw(st.sampled_from([0, 1, 5]))
    fitting = [d for d in designs if interval(d) <= wanted and d.resources.fits(bound)]
    if not fitting:
        with pytest.raises(InfeasibleError):
            least_area(network.program, target, wanted)
        return
    found = least_area(network.program, target, wanted)
    least = min(share(d.resources, bound) for d in fitting)
    assert found.interval <= wanted
    assert share(found.resources, bound) == pytest.approx(least)


def test_what_prices_leave_open_is_searched_exactly() -> None:
    """With no prices tried, every feasibility and every smallest design is found by extension."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folding, "PRICE_STEPS", 0)
        patch.setattr(folding, "BOUND_STEPS", 0)
        test_the_search_finds_what_trying_everything_finds()
        test_the_smallest_design_of_an_interval_is_found()


@settings(max_examples=20)
@given(problems())
def test_the_front_runs_from_the_fastest_to_the_smallest(problem: tuple[Network, Device]) -> None:
    network, target = problem
    bound = capacity(target)
    fitting = [d for d in foldings(network.program, target) if d.resources.fits(bound)]
    assume(fitting)
    front = pareto(network.program, target, points=8)
    assert front[0].interval == min(map(interval, fitting))
    assert share(front[-1].resources, bound) == pytest.approx(
        min(share(d.resources, bound) for d in fitting)
    )
    for faster, slower in pairwise(front):
        assert faster.interval < slower.interval
        assert share(faster.resources, bound) > share(slower.resources, bound)


def test_multipliers_are_given_out_shared_or_saved_as_cells_allow() -> None:
    u4, s4 = IntType(4, signed=False), IntType(4, signed=True)
    weights = {name: codes(s4, 2, 1, 1, 2) for name in ("w", "v")}
    nodes = [
        Node("a", Conv2d(), ("x", "w", "bias")),
        Node("q", Requantize(3, 0, u4), ("a", "one")),
        Node("c", Conv2d(), ("q", "v", "bias")),
    ]
    one = Constant.integers(np.ones(1, dtype=np.int64))
    made = program((3, 2, 2), nodes, {**weights, "bias": codes(s4, 2), "one": one}, u4)
    designs = list(foldings(made, TARGET))
    chosen = set()
    for lut, dsp in product((450, 500, 600), (0, 1, 2, 4, 8)):
        target = replace(TARGET, lut=lut, dsp=dsp)
        bound = capacity(target)
        fitting = [d for d in designs if d.resources.fits(bound)]
        if not fitting:
            continue
        found = best_throughput(made, target)
        assert found.interval == min(map(interval, fitting))
        least = min(share(d.resources, bound) for d in fitting if interval(d) == found.interval)
        assert share(found.resources, bound) == pytest.approx(least)
        chosen |= {found.folds[name].products for name in ("a", "c")}
    assert chosen == set(Products)


def test_a_network_too_large_says_by_how_much_and_what_would_help() -> None:
    with pytest.raises(InfeasibleError) as caught:
        best_throughput(convolutional(), replace(TARGET, dsp=1, lut=100))
    text = str(caught.value)
    assert text.startswith("a design must fit ecp5-25f, not need lut ")
    assert " of 100 (" in text
    found = re.search(
        r"or narrower weights\); dsp (\d+) of 1 \((\d+) too many: fewer lanes\)", text
    )
    assert found is not None
    assert int(found[1]) == int(found[2]) + 1


def test_an_interval_no_folding_keeps_says_the_least_there_is() -> None:
    made = program((4, 4, 2), [Node("y", Relu(), ("x",))])
    assert least_area(made, TARGET, 16).interval == 16
    with pytest.raises(InfeasibleError) as caught:
        least_area(made, TARGET, 15)
    assert str(caught.value) == (
        "an interval must be at least 16 cycles for this network, not 15: ask for fewer frames per "
        "second or a higher clock"
    )


def test_part_of_a_device_can_be_left_free() -> None:
    whole, part = (best_throughput(convolutional(), TARGET, fill) for fill in (1.0, 0.2))
    assert part.resources.fits(capacity(TARGET, 0.2))
    assert not whole.resources.fits(capacity(TARGET, 0.2))
    assert part.interval > whole.interval


def test_less_speed_never_takes_more_cells() -> None:
    found = best_throughput(residual(), TARGET)
    slower = least_area(residual(), TARGET, 4 * found.interval)
    assert slower.interval <= 4 * found.interval
    bound = capacity(TARGET)
    assert share(slower.resources, bound) <= share(found.resources, bound)


@pytest.mark.parametrize("search", [best_throughput, pareto])
def test_a_network_of_wires_has_nothing_to_fold(search: Callable[..., object]) -> None:
    made = program((2, 2, 1), [Node("y", Flatten(), ("x",))])
    with pytest.raises(ModelError, match=r"'network' only renames its input$"):
        search(made, TARGET)
