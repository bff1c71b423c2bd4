# SPDX-License-Identifier: Apache-2.0
"""A float graph and calibration data become a program of integers.

To add a quantizer or a range estimator: its file, its test, one import and one line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import TypeVar

from intaglio.errors import QuantizationError
from intaglio.quantize.affine import AFFINE
from intaglio.quantize.min_max import min_max
from intaglio.quantize.power_of_two import POWER_OF_TWO
from intaglio.quantize.quantizer import Quantizer
from intaglio.quantize.ranges import Estimator

BUILT_IN: tuple[Quantizer, ...] = (AFFINE, POWER_OF_TWO)
BUILT_IN_ESTIMATORS: Mapping[str, Estimator] = {"min_max": min_max}


def quantizers() -> Mapping[str, Quantizer]:
    """Return every quantizer by name: ours, then those of entry points `intaglio.quantizers`.

    Raises:
        QuantizationError: an outside package takes a name that is in use.
    """
    found = {quantizer.name: quantizer for quantizer in BUILT_IN}
    for entry in entry_points(group="intaglio.quantizers"):
        _register(found, entry.name, entry.load())
    return found


def estimators() -> Mapping[str, Estimator]:
    """Return every range estimator by name: ours, then those of `intaglio.estimators`.

    Raises:
        QuantizationError: an outside package takes a name that is in use.
    """
    found = dict(BUILT_IN_ESTIMATORS)
    for entry in entry_points(group="intaglio.estimators"):
        _register(found, entry.name, entry.load())
    return found


Member = TypeVar("Member")


def _register(found: dict[str, Member], name: str, member: Member) -> None:
    if name in found:
        raise QuantizationError(f"the name {name!r} must be registered once, not twice")
    found[name] = member
