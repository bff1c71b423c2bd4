# SPDX-License-Identifier: Apache-2.0
"""Every device that comes with the package holds to what the shipped suite asks of one."""

from __future__ import annotations

import pytest

from intaglio.devices import device, devices
from intaglio.testing import check_device


@pytest.mark.parametrize("name", devices())
def test_a_device_conforms(name: str) -> None:
    assert device(name).name == name
    check_device(device(name))
