# SPDX-License-Identifier: Apache-2.0
"""What a circuit is made of, and the cells each family makes of it."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.devices import device, devices
from intaglio.devices.family import family
from intaglio.errors import ModelError
from intaglio.hw.cost import Resources
from intaglio.hw.memory import fifo, ram, rom
from intaglio.hw.multiplier import Multiplier

TARGET = device("ecp5-25f")
SIZES = st.integers(1, 300)


@given(SIZES, SIZES, st.integers(1, 18), st.integers(1, 18), st.sampled_from(devices()))
def test_a_circuit_takes_what_its_parts_take(
    width: int, depth: int, a: int, b: int, name: str
) -> None:
    target = device(name)
    parts = [rom(width, depth), ram(width, depth), fifo(width, 16), Multiplier(a, b)]
    circuit, alone = Resources(lut=10, ff=20), Resources(lut=10, ff=20).on(target)
    for part in parts:
        circuit += part.resources * 3
        alone += part.on(target) * 3
    counted = circuit.on(target)
    beside = ceil(family(target.family).ff_lut * counted.ff)
    assert (counted.ff, counted.dsp, counted.bram) == (alone.ff, alone.dsp, alone.bram)
    assert 0 <= counted.lut - alone.lut <= beside
    assert not circuit.on(target).parts


def test_only_counted_cells_are_compared() -> None:
    circuit = Resources(lut=1) + Multiplier(9, 8).resources
    assert circuit.on(TARGET) == Resources(lut=1, dsp=1)
    with pytest.raises(AssertionError, match="resources are counted on a device before"):
        circuit.fits(Resources(9, 9, 9, 9))


def test_a_product_wider_than_any_multiplier_is_refused() -> None:
    with pytest.raises(ModelError) as error:
        Multiplier(19, 8).on(TARGET)
    assert str(error.value) == "a product on ecp5 must fit its multipliers, not be 19 x 8"
