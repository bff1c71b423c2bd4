# SPDX-License-Identifier: Apache-2.0
"""A float value carried by integers: an affine map a channel, bounds, and what makes the integers.

    real = clip(scale[c] * q + offset[c], low[c], high[c])

Scales, biases and batch norms only change the map, rectifiers only the bounds; no integer is
computed until something needs one. Then it is known which bias the layer should have had.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from intaglio.numerics.types import IntType


class Source(Protocol):
    """What makes the integers of a value, once it is known how they are wanted."""

    @property
    def element(self) -> IntType:
        """A type that holds all integers there can be, before anything is added."""
        ...


@dataclass(frozen=True, eq=False)
class Carrier:
    """Reals by integers. Shapes: all four arrays [C] or [1]."""

    source: Source
    scale: np.ndarray
    offset: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, source: Source, scale: np.ndarray, offset: np.ndarray) -> Carrier:
        """Carry numbers that nothing bounds."""
        return cls(source, scale, offset, np.array([-np.inf]), np.array([np.inf]))

    @property
    def bounded(self) -> bool:
        """Whether a rectifier has still to be done."""
        return bool(np.isfinite(self.low).any() or np.isfinite(self.high).any())

    @property
    def uniform(self) -> bool:
        """Whether all channels have one map."""
        return bool(np.all(self.scale == self.scale[0]) and np.all(self.offset == self.offset[0]))

    def affine(self, scale: np.ndarray, offset: np.ndarray) -> Carrier:
        """Scale and move each channel; where the scale is negative, the bounds change places."""
        rising, flat = scale > 0, scale == 0
        some = np.where(flat, 1.0, scale)
        ends = self.low * some + offset, self.high * some + offset
        low, high = (np.where(rising, *pair) for pair in (ends, ends[::-1]))
        return replace(
            self,
            scale=self.scale * scale,
            offset=np.where(flat, offset, self.offset * scale + offset),
            low=np.where(flat, offset, low),
            high=np.where(flat, offset, high),
        )

    def clip(self, low: float, high: float) -> Carrier:
        """Bound what is bounded already."""
        return replace(self, low=np.clip(self.low, low, high), high=np.clip(self.high, low, high))
