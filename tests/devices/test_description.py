# SPDX-License-Identifier: Apache-2.0
"""Device files: what is read, and what is refused."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest

from intaglio import devices
from intaglio.devices import device
from intaglio.devices.description import device_document, load_device, parse_device, read_device
from intaglio.errors import ModelError

GOOD = (resources.files(devices) / "ecp5-25f.toml").read_text()


def test_a_users_own_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace('name = "ecp5-25f"', 'name = "mine"'))
    mine = load_device(path)
    assert mine.name == "mine"
    assert mine.bram_geometries == device("ecp5-25f").bram_geometries


@pytest.mark.parametrize("name", devices.devices())
def test_a_device_is_read_back_from_what_is_written_of_it(name: str) -> None:
    written = json.loads(json.dumps(device_document(device(name))))
    assert read_device(written, "mine") == device(name)


def test_a_price_needs_a_source() -> None:
    priced = GOOD.replace("[sources]", 'price_usd = 30\n[sources]\nprice_usd = "a shop"')
    assert parse_device(priced, "mine.toml").price_usd == 30.0


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("dsp = 28", "", "mine.toml: dsp must be given; it is missing"),
        ("dsp = 28", "dsp = -1", "mine.toml: dsp must be a whole number of 0 or more, not -1"),
        ("dsp = 28", "dsp = true", "mine.toml: dsp must be a whole number of 0 or more, not True"),
        ('speed = "6"', "speed = 6", "mine.toml: speed must be text, not 6"),
        (
            "dsp_width = [18, 18]",
            "dsp_width = 18",
            "mine.toml: dsp_width must be a pair of whole numbers, not 18",
        ),
        (
            "dsp_width = [18, 18]",
            "dsp_width = [18, 0]",
            "mine.toml: dsp_width must be a pair of numbers of 1 or more, not [18, 0]",
        ),
        (
            "[[36, 512], [18",
            "[[36, 1024], [18",
            "mine.toml: bram_geometries must hold at most bram_bits = 18432, not 36 x 1024",
        ),
        (
            "[sources]",
            "[sources]\nx = 'y'",
            "mine.toml: sources.x must belong to a field that is given",
        ),
        (
            'pins = "Project',
            '"pins" = " " #',
            "mine.toml: sources.pins must say where pins comes from",
        ),
        (
            "[sources]",
            "price_usd = 1e99\n[sources]",
            "mine.toml: price_usd must be a price in US dollars, not 1e+99",
        ),
    ],
)
def test_a_wrong_field_is_named(old: str, new: str, text: str) -> None:
    assert old in GOOD
    with pytest.raises(ModelError) as error:
        parse_device(GOOD.replace(old, new), "mine.toml")
    assert str(error.value) == text


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(
        ModelError, match=r"mine\.toml: a field must be one of name, .*, not 'luts'"
    ):
        parse_device(GOOD.replace("lut = 24288", "luts = 24288"), "mine.toml")


def test_a_file_that_is_not_toml_is_refused() -> None:
    with pytest.raises(ModelError, match=r"mine\.toml must be TOML: .*line 1"):
        parse_device("lut 3", "mine.toml")


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    with pytest.raises(ModelError, match=r"mine\.toml must be a device file: No such file"):
        load_device(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ModelError, match="must be a device file, not something other than text"):
        load_device(path)
    path.write_text("# long\n" * 200_000)
    with pytest.raises(ModelError, match="of at most 1048576 bytes, not larger"):
        load_device(path)
