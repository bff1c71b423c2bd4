# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from intaglio.ir.execute import BATCH, trace
from intaglio.ir.types import Quantization
from intaglio.report.values import spreads
from tests.report.pages import IMAGES, graph, program


def test_every_value_with_integers_of_its_own_is_shown_once() -> None:
    found = [spread.name for spread in spreads(graph(), program(), IMAGES)]
    assert found == ["in", "act", "pool", "fc"]  # conv is an accumulator, flat repeats pool


def test_counts_and_range_are_those_of_the_values() -> None:
    real = trace(graph(), {"in": IMAGES})
    for spread in spreads(graph(), program(), IMAGES):
        how, type_ = program().quantization[spread.name], program().graph.types[spread.name]
        assert spread.type == str(type_)
        assert (spread.scale, spread.zero_point) == (how.scale[0], how.zero_point)
        assert spread.low == how.scale[0] * (type_.integer.min - how.zero_point)
        assert spread.high == how.scale[0] * (type_.integer.max - how.zero_point)
        assert spread.counts.sum() == real[spread.name].size
        assert spread.edges[0] <= min(spread.low, real[spread.name].min())
        assert spread.edges[-1] >= max(spread.high, real[spread.name].max())


def test_the_part_that_saturates_is_counted() -> None:
    meaning = dict(program().quantization)
    (scale,) = meaning["in"].scale
    top = 255 * scale
    half = replace(program(), quantization=meaning | {"in": Quantization((scale / 2,))})
    found = {spread.name: spread for spread in spreads(graph(), half, IMAGES)}
    outside = (top / 2 + scale / 4 < IMAGES).mean()
    assert found["in"].outside == pytest.approx(outside)
    assert outside > 0.4
    beyond = found["in"].edges[:-1] >= found["in"].high
    assert found["in"].counts[beyond].sum() == pytest.approx(outside * IMAGES.size)
    whole = {spread.name: spread for spread in spreads(graph(), program(), IMAGES)}
    assert whole["in"].outside == 0


def test_numbers_that_overflow_count_as_outside() -> None:
    images = IMAGES[:4].copy()
    images[0, 0, 0, 0] = 3e38
    found = {spread.name: spread for spread in spreads(graph(), program(), images)}
    assert found["in"].outside == pytest.approx(1 / images.size)
    assert 0 < found["fc"].outside <= 1
    assert np.isfinite(found["fc"].edges).all()
    assert found["in"].counts.sum() == images.size


def test_no_more_images_are_used_than_fit_in_a_batch() -> None:
    images = np.repeat(IMAGES, 7, axis=0)
    assert len(images) > BATCH
    first = next(iter(spreads(graph(), program(), images)))
    assert first.counts.sum() == BATCH * 8 * 8 * 2
