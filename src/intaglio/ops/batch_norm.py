# SPDX-License-Identifier: Apache-2.0
"""A scale and an offset for each channel, on floats: what batch normalisation is after training.

    y[..., c] = x[..., c] * scale[c] + offset[c]

Shapes: x (..., C), scale [C], offset [C]; y as x. The front end computes scale and offset from
gamma, beta, mean and variance; `fold_batchnorm` puts them into the convolution before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.ir.loops import LoopNest, elementwise
from intaglio.ir.operator import Operator
from intaglio.ir.types import FLOAT32, TensorType


@dataclass(frozen=True)
class BatchNorm(Operator):
    """Per-channel affine map of floats."""

    name: ClassVar[str] = "batch_norm"
    operands: ClassVar[tuple[str, ...]] = ("x", "scale", "offset")
    constant_operands: ClassVar[frozenset[str]] = frozenset({"scale", "offset"})

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the type of x."""
        x, scale, offset = types
        if any(t.element != FLOAT32 for t in types):
            raise ModelError(f"batch_norm must be given floats, not {x}: fold it first")
        if scale.shape != (x.channels,) or offset.shape != (x.channels,):
            raise ModelError(f"scale and offset must be [{x.channels}], not {scale}, {offset}")
        return x

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Normalise a batch."""
        x, scale, offset = arrays
        return x * scale + offset

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Touch each element once."""
        return elementwise(types[0].shape)
