# SPDX-License-Identifier: Apache-2.0
"""Family files: what is read, and what is refused."""

from __future__ import annotations

from importlib import resources

import pytest

from intaglio import devices
from intaglio.devices import device
from intaglio.devices.family import families, family, parse_family
from intaglio.errors import ModelError

GOOD = (resources.files(devices) / "families" / "ecp5.toml").read_text()


@pytest.mark.parametrize("name", devices.devices())
def test_every_device_has_a_family(name: str) -> None:
    kind = family(device(name).family)
    assert kind.name == device(name).family


@pytest.mark.parametrize("name", families())
def test_products_are_counted_up_to_those_of_the_widest_operands(name: str) -> None:
    kind = family(name)
    assert all(wide >= narrow for wide, narrow, *_ in kind.multipliers)
    assert kind.multiplier(8, 17) == kind.multiplier(17, 8)
    assert kind.multiplier(18, 18)[0] >= kind.multiplier(9, 9)[0] >= 1


def test_an_unknown_family_lists_those_there_are() -> None:
    with pytest.raises(ModelError) as error:
        family("ecp6")
    assert str(error.value) == f"family must be one of {', '.join(families())}, not 'ecp6'"


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (
            "lut_factor = 1.0",
            "lut_factor = 0",
            "mine.toml: lut_factor must be a number over 0 and up to 1000, not 0",
        ),
        (
            "[4, 16, 6, 0, 1]",
            "[4, 16]",
            "mine.toml: distributed must be 5 whole numbers, not [4, 16]",
        ),
        (
            "[[18, 18, 1, 0, 0]]",
            "[]",
            "mine.toml: multipliers must be a list of rows of 5, not []",
        ),
        (
            'lut_factor = "the',
            '"lut_factor" = "" #',
            "mine.toml: sources.lut_factor must say where lut_factor comes from",
        ),
    ],
)
def test_a_wrong_field_is_named(old: str, new: str, text: str) -> None:
    assert old in GOOD
    with pytest.raises(ModelError) as error:
        parse_family(GOOD.replace(old, new), "mine.toml")
    assert str(error.value) == text
