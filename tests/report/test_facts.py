# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from intaglio.errors import IntaglioError
from intaglio.report.facts import Facts, busy
from tests.report.pages import IMAGES, design, evaluation, graph, program, run, synthesis

NOTHING = Facts(graph(), program(), None, None, None, None, None, (), {})


def facts(**known: Any) -> Facts:
    return replace(NOTHING, **known)


def test_nothing_is_known_of_what_was_not_done() -> None:
    assert (NOTHING.device, NOTHING.interval, NOTHING.fps, NOTHING.cells) == (None,) * 4


def test_figures_come_from_what_knows_them_best() -> None:
    made, simulated, placed = design(), run(interval_simulated=77), synthesis()
    assert facts(design=made).interval == made.cycles.interval
    assert facts(run=simulated).interval == 77
    assert facts(run=simulated, synthesis=placed).fps == pytest.approx(123.45e6 / 77)
    assert facts(synthesis=placed).device == "ecp5-85f"
    assert facts(synthesis=placed).fps is None
    assert facts(design=made).cells == (made.resources, "estimated")
    cells = facts(design=made, synthesis=placed).cells
    assert cells is not None
    assert (cells[0].lut, cells[1]) == (made.resources.lut + 20, "placed")


def test_the_images_must_be_those_of_the_evaluation() -> None:
    text = (
        "the images of a report must be the 40 of its evaluation, not 39: "
        "give those it was made from"
    )
    with pytest.raises(IntaglioError, match=f"^{text}$"):
        facts(evaluation=evaluation(), images=IMAGES[1:])


def test_the_synthesis_must_be_for_the_same_device() -> None:
    text = (
        "the synthesis of a report must be for its design's ecp5-85f, not ecp5-25f: "
        "synthesize that design's bundle"
    )
    with pytest.raises(IntaglioError, match=f"^{text}$"):
        facts(design=design(), synthesis=synthesis(target="ecp5-25f"))


def test_busy_counts_macs_or_slots() -> None:
    interval = design().cycles.interval
    for instance in design().instances:
        unit = instance.unit
        if unit.multipliers:
            assert busy(instance, interval) * unit.multipliers * interval == unit.macs
        else:
            assert busy(instance, interval) == unit.interval / interval
    assert busy(design().bottleneck, interval) > 0.9
