# SPDX-License-Identifier: Apache-2.0
"""What a design says of itself."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings

from intaglio.arch.dataflow import dataflow
from intaglio.devices import device
from intaglio.explore.folding import best_throughput
from intaglio.hw.cost import Resources
from tests.programs import convolutional
from tests.strategies import Network, networks

TARGET = device("ecp5-25f")


@settings(max_examples=50)
@given(networks())
def test_cycles_are_those_of_the_first_frame_and_of_the_steady_state(network: Network) -> None:
    design = dataflow(network.program, TARGET, network.folds)
    few, many = design.timing(1), design.timing(80)
    assert design.cycles.latency == few.frames[0].latency == many.frames[0].latency
    seen = [b.last_out - a.last_out for a, b in pairwise(many.frames[-25:])]
    assert min(seen) <= design.cycles.interval <= max(seen)
    assert design.cycles.interval >= design.bottleneck.unit.interval
    assert few.frames[0] == many.frames[0]


def test_units_work_between_the_first_beat_in_and_the_last_beat_out() -> None:
    made = convolutional()
    design = dataflow(made, TARGET, best_throughput(made, TARGET).folds)
    frames, activity = design.timing(3).frames, design.activity(3)
    assert list(activity) == [instance.name for instance in design.instances]
    for instance in design.instances:
        assert len(activity[instance.name]) == len(instance.unit.processes)
        for spans in activity[instance.name]:
            assert all(span.first <= span.last for span in spans)
            assert all(a.last < b.first for a, b in pairwise(spans))
    for frame, times in enumerate(frames):
        worked = [spans[frame] for unit in activity.values() for spans in unit]
        assert max(span.last for span in worked) <= times.last_out
    assert min(span.first for span in activity[design.instances[0].name][0]) <= frames[0].first_in


def test_figures_are_sums_over_the_units() -> None:
    made = convolutional()
    design = dataflow(made, TARGET, best_throughput(made, TARGET).folds)
    total = Resources()
    for instance in design.instances:
        total += instance.unit.resources.on(design.device)
    assert design.resources == total
    assert design.bottleneck.unit.interval == max(i.unit.interval for i in design.instances)
    macs = {node.name: design.graph.macs(node) for node in design.graph.nodes}
    for instance in design.instances:
        if instance.name in macs:
            assert instance.unit.macs == macs[instance.name]
