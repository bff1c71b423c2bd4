# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from intaglio.devices import device
from intaglio.hw.lookup import by_address, lookup
from intaglio.ir.constant import Constant
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType


@pytest.mark.parametrize("text", ["u3", "s3", "s3n", "s1", "u1"])
def test_an_entry_stands_where_the_bits_of_its_code_point(text: str) -> None:
    element = IntType.parse(text)
    codes = np.arange(element.min, element.max + 1)
    found = by_address(codes * 5 + 2, element)
    assert len(found) == 1 << element.width
    for code in codes.tolist():
        assert found[code & (len(found) - 1)] == code * 5 + 2


@pytest.mark.parametrize(("text", "block"), [("u6", False), ("u8", False), ("s12", True)])
def test_each_lane_has_a_memory_and_each_frame_as_many_cycles_as_beats(
    text: str, block: bool
) -> None:
    element, target = IntType.parse(text), IntType.parse("s8")
    codes = element.max - element.min + 1
    table = Constant(np.arange(codes) % 100, target)
    x, y = TensorType((5, 6), element), TensorType((5, 6), target)
    one, three = (lookup(x, table, y, lanes) for lanes in (1, 3))
    assert (one.interval, three.interval) == (30, 10)
    cells, thrice = (made.resources.on(device("ecp5-25f")) for made in (one, three))
    assert one.parameters["BlockTable"] == block == (cells.bram > 0)
    assert thrice.bram == 3 * cells.bram
    assert block or 2 * cells.lut < thrice.lut < 3 * cells.lut
