# SPDX-License-Identifier: Apache-2.0
"""What hardware costs: cells of a device, and cycles."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Resources:
    """Cells a circuit takes. Units: LUT4s, flip-flops, 18x18 multipliers, block RAMs."""

    lut: int = 0
    ff: int = 0
    dsp: int = 0
    bram: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(
            self.lut + other.lut, self.ff + other.ff, self.dsp + other.dsp, self.bram + other.bram
        )

    def __mul__(self, count: int) -> Resources:
        return Resources(*(getattr(self, f.name) * count for f in fields(self)))

    def fits(self, bound: Resources) -> bool:
        """Tell whether no kind of cell exceeds its bound."""
        return all(getattr(self, f.name) <= getattr(bound, f.name) for f in fields(self))


@dataclass(frozen=True, slots=True)
class Cycles:
    """The time of a unit or a design that is fed and emptied without waiting.

    `latency` runs from the first beat taken to the last beat of the same frame given, the first
    frame after reset; `interval` is the time between frames once the pipeline is full.
    """

    latency: int
    interval: int
