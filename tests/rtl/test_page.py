# SPDX-License-Identifier: Apache-2.0
"""The page of a bundle says what the engineer needs who drops it into a project."""

from __future__ import annotations

from intaglio.arch.dataflow import dataflow
from intaglio.devices import device
from intaglio.explore.folding import best_throughput
from intaglio.rtl.page import page
from tests.programs import convolutional


def test_the_page_names_ports_cycles_and_units() -> None:
    made, target = convolutional(), device("ecp5-25f")
    design = dataflow(made, target, best_throughput(made, target).folds)
    text = page(design, "network")
    assert text.startswith("# network\n")
    assert f"| latency | {design.cycles.latency:,} cycles" in text
    assert f"| interval | {design.cycles.interval:,} cycles" in text
    assert f"| multipliers | {design.multipliers} in use" in text
    assert "### `s_axis`: input\nA frame is [8, 8, 2] of u8, channels last" in text
    assert "### `m_axis`: output\nA frame is [5] of" in text
    for instance in design.instances:
        assert f"| {instance.name} | `{instance.unit.module}` |" in text
