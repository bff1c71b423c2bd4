# SPDX-License-Identifier: Apache-2.0
"""What every unit is made of: streams, folds, images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.hw.cost import Resources
from intaglio.hw.unit import Fold, Image, divisors, lane_folds, stream
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType


@given(st.integers(1, 60), st.integers(1, 700), st.integers(1, 5))
def test_the_slices_of_an_image_together_hold_its_words(
    columns: int, rows: int, field_width: int
) -> None:
    random = np.random.default_rng(columns)
    fields = random.integers(0, 1 << field_width, (rows, columns))
    image = Image.of("File", fields, field_width)
    texts = image.texts()
    assert len(texts) == -(-image.width // image.memory.slice_width)
    words = [0] * rows
    for number, text in enumerate(texts):
        lines = text.split()
        assert len(lines) == rows
        for row, line in enumerate(lines):
            words[row] |= int(line, 16) << (number * image.memory.slice_width)
    for word, row in zip(words, fields.tolist(), strict=True):
        assert word == sum(code << (i * field_width) for i, code in enumerate(row))


@given(st.integers(1, 500))
def test_divisors_are_all_of_them_in_order(number: int) -> None:
    assert divisors(number) == [d for d in range(1, number + 1) if number % d == 0]
    assert [fold.lanes_in for fold in lane_folds(number)] == divisors(number)


def test_lanes_that_do_not_divide_the_channels_are_refused() -> None:
    type_ = TensorType((2, 2, 6), IntType(4, signed=False))
    assert stream(type_, 3).beats == 8
    assert stream(type_, 3).width == 12
    with pytest.raises(ModelError, match="lanes must divide 6 channels, not be 4"):
        stream(type_, 4)


def test_folds_compare_by_what_they_hold() -> None:
    assert Fold() == Fold(1, 1, 1)
    assert Fold(1, 1, 2) < Fold(2, 1, 1)


def test_cells_add_and_multiply_kind_by_kind() -> None:
    one = Resources(1, 2, 3, 4)
    assert one.counts == {"lut": 1, "ff": 2, "dsp": 3, "bram": 4}
    assert one + one == one * 2 == Resources(2, 4, 6, 8)
    assert one.fits(one)
    assert not (one + Resources(bram=1)).fits(one)
