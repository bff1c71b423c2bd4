# SPDX-License-Identifier: Apache-2.0
"""A float graph and calibration data become a program of integers.

To add a quantizer or a range estimator: its file, its test, one import and one line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from intaglio.errors import QuantizationError
from intaglio.plugins import registered
from intaglio.quantize.affine import AFFINE
from intaglio.quantize.entropy import Entropy
from intaglio.quantize.fixed_point import min_diffs_votes, min_roots_votes, non_overflow_votes
from intaglio.quantize.min_max import MinMax
from intaglio.quantize.mse import MeanSquare
from intaglio.quantize.percentile import Percentile
from intaglio.quantize.power_of_two import POWER_OF_TWO
from intaglio.quantize.quantizer import Quantizer
from intaglio.quantize.ranges import Estimator
from intaglio.quantize.vitis import VITIS

BUILT_IN: tuple[Quantizer, ...] = (AFFINE, POWER_OF_TWO, VITIS)
BUILT_IN_ESTIMATORS: Mapping[str, Estimator] = {
    "min_max": MinMax,
    "percentile": Percentile,
    "mse": MeanSquare,
    "entropy": Entropy,
    "non_overflow": non_overflow_votes,
    "min_diffs": min_diffs_votes,
    "min_roots": min_roots_votes,
}


@cache
def quantizers() -> Mapping[str, Quantizer]:
    """Return every quantizer by name: ours, then those of entry points `intaglio.quantizers`.

    Raises:
        QuantizationError: an outside package takes a name that is in use.
    """
    ours = {quantizer.name: quantizer for quantizer in BUILT_IN}
    return registered("intaglio.quantizers", ours, QuantizationError)


@cache
def estimators() -> Mapping[str, Estimator]:
    """Return every range estimator by name: ours, then those of `intaglio.estimators`.

    Raises:
        QuantizationError: an outside package takes a name that is in use.
    """
    return registered("intaglio.estimators", BUILT_IN_ESTIMATORS, QuantizationError)
