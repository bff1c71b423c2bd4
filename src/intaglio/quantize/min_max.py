# SPDX-License-Identifier: Apache-2.0
"""The range that holds every value seen: nothing saturates on the calibration data."""

from __future__ import annotations

import numpy as np

from intaglio.quantize.ranges import Range


def min_max(values: np.ndarray) -> Range:
    """Return the extremes of the values, and zero.

    Raises:
        QuantizationError: a value is not finite.
    """
    return Range(min(float(values.min()), 0.0), max(float(values.max()), 0.0))
