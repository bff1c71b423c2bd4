# SPDX-License-Identifier: Apache-2.0
"""Least latency, against trying every folding there is."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tqdm import tqdm

from intaglio.arch.dataflow import capacity, dataflow
from intaglio.devices import device
from intaglio.devices.description import Device
from intaglio.errors import InfeasibleError
from intaglio.explore import latency as latencies
from intaglio.explore.buffers import settle_buffers
from intaglio.explore.folding import best_throughput
from intaglio.explore.latency import least_area_within, least_latency
from intaglio.hw.unit import Fold
from intaglio.ir.graph import Program
from tests.explore.test_folding import foldings, problems, share
from tests.programs import convolutional
from tests.strategies import Network

TARGET = device("ecp5-25f")


def latency(made: Program, target: Device, folds: Mapping[str, Fold]) -> int:
    return settle_buffers(dataflow(made, target, folds)).timing(1).frames[0].latency


def quickest(made: Program, target: Device) -> int | None:
    """Return the least latency of all foldings that fit, or None if none does."""
    bound = capacity(target)
    fitting = [d.folds for d in foldings(made, target) if d.resources.fits(bound)]
    return min((latency(made, target, folds) for folds in fitting), default=None)


@settings(max_examples=25)
@given(problems())
def test_no_folding_of_a_network_that_has_few_is_quicker(
    problem: tuple[Network, Device],
) -> None:
    made, target = problem[0].program, problem[1]
    least = quickest(made, target)
    if least is None:
        with pytest.raises(InfeasibleError, match="a design must fit ecp5-25f, not need"):
            least_latency(made, target)
        return
    found = least_latency(made, target)
    assert found.folding.resources.fits(capacity(target))
    assert found.latency == latency(made, target, found.folding.folds) == least


@settings(max_examples=25)
@given(problems(), st.floats(1.0, 3.0))
def test_no_folding_that_is_quick_enough_is_smaller(
    problem: tuple[Network, Device], times: float
) -> None:
    made, target = problem[0].program, problem[1]
    bound, least = capacity(target), quickest(made, target)
    assume(least is not None)
    enough = int((least or 0) * times)
    found = least_area_within(made, target, enough)
    smallest = min(
        share(d.resources, bound)
        for d in foldings(made, target)
        if d.resources.fits(bound) and latency(made, target, d.folds) <= enough
    )
    assert found.latency == latency(made, target, found.folding.folds) <= enough
    assert share(found.folding.resources, bound) == pytest.approx(smallest)


@settings(max_examples=10)
@given(problems())
def test_where_not_all_are_tried_what_is_found_is_real_and_at_most_that_of_the_fastest(
    problem: tuple[Network, Device],
) -> None:
    made, target = problem[0].program, problem[1]
    least = quickest(made, target)
    assume(least is not None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latencies, "FEW", 0)
        found = least_latency(made, target)
    fastest = latency(made, target, best_throughput(made, target).folds)
    assert found.folding.resources.fits(capacity(target))
    assert (least or 0) <= found.latency <= fastest
    assert found.latency == latency(made, target, found.folding.folds)


def test_single_changes_make_a_folding_quicker_and_smaller() -> None:
    made = convolutional()
    ladder = latencies.Ladder.of(made, TARGET, 1.0, None)
    fastest = ladder.search.best_throughput()
    with tqdm(disable=True) as bar:
        descent = latencies.Descent(ladder.draft, ladder.search, ladder.waits.steps, 0, bar)
        start = descent.place(fastest, dataflow(made, TARGET, fastest.folds))
        bottom = descent.bottom(start)
    assert bottom.merit < start.merit
    assert (
        bottom.latency == dataflow(made, TARGET, bottom.folding.folds).timing(1).frames[0].latency
    )
    changed = {n for n, fold in bottom.folding.folds.items() if fold != fastest.folds[n]}
    assert changed
    assert not any(
        found.merit < bottom.merit
        for step in ladder.waits.steps
        for option in step.options
        if (found := descent.changed(bottom, step.node.name, option)) is not None
    )


def test_what_is_quick_enough_is_smaller() -> None:
    made = convolutional()
    least = least_latency(made, TARGET)
    enough = least_area_within(made, TARGET, 2 * least.latency)
    assert least.latency < enough.latency <= 2 * least.latency
    assert enough.latency == latency(made, TARGET, enough.folding.folds)
    bound = capacity(TARGET)
    assert share(enough.folding.resources, bound) < share(least.folding.resources, bound)


def test_what_nothing_is_quick_enough_for_is_refused() -> None:
    least = least_latency(convolutional(), TARGET).latency
    text = (
        f"a latency must be at least {least:,} cycles for this network on ecp5-25f as far as was "
        f"searched, not {least - 7:,} (7 too few): take a larger share of the device, a larger "
        "device or a higher clock"
    )
    with pytest.raises(InfeasibleError, match=re.escape(text)):
        least_area_within(convolutional(), TARGET, least - 7)
