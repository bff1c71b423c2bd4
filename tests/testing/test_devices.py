# SPDX-License-Identifier: Apache-2.0
"""Devices that nothing can be designed for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from intaglio.devices import device
from intaglio.errors import InfeasibleError, IntaglioError, ModelError, VerificationError
from intaglio.testing import check_device

GOOD = device("ecp5-25f")


@pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        ({"name": "My Board"}, VerificationError, "name must be small letters, .* not 'My Board'"),
        ({"sources": ()}, VerificationError, "lut must have a source; it has none"),
        ({"dsp_width": (18, 9)}, VerificationError, r"ecp5 counts .*\(18, 18\)\], not \(18, 9\)"),
        (
            {"bram_geometries": ((18, 1024), (36, 512))},
            VerificationError,
            "forms of a block RAM must be in order, the widest first, not",
        ),
        ({"family": "ecp6"}, ModelError, "family must be one of .* not 'ecp6'"),
        ({"lut": 50}, InfeasibleError, "must fit ecp5-25f, not need lut .* of 50"),
        ({"ff": 50}, InfeasibleError, "ff .* of 50"),
    ],
)
def test_a_device_that_does_not_conform(
    change: dict[str, Any], kind: type[IntaglioError], text: str
) -> None:
    check_device(GOOD)
    with pytest.raises(kind, match=text):
        check_device(replace(GOOD, **change))
