# SPDX-License-Identifier: Apache-2.0
"""What hardware costs: cells of a device, and cycles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from intaglio.devices.description import Device
from intaglio.devices.family import family


class Part(Protocol):
    """A piece of a circuit that each family makes cells of in its own way."""

    def on(self, device: Device) -> Resources:
        """Return the cells it takes, without parts."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What a circuit is made of, or the cells it takes.

    `lut`, `ff`, `dsp` and `bram` are plain logic in 4-input tables, flip-flops, 18x18 multipliers
    and 18-Kbit block RAMs; `parts` are memories and multipliers, each with its count, that `on`
    turns into the cells of a device. Counted cells have no parts.
    """

    lut: int = 0
    ff: int = 0
    dsp: int = 0
    bram: int = 0
    parts: tuple[tuple[Part, int], ...] = ()

    def __add__(self, other: Resources) -> Resources:
        return Resources(
            self.lut + other.lut,
            self.ff + other.ff,
            self.dsp + other.dsp,
            self.bram + other.bram,
            self.parts + other.parts,
        )

    def __mul__(self, count: int) -> Resources:
        return Resources(
            self.lut * count,
            self.ff * count,
            self.dsp * count,
            self.bram * count,
            tuple((part, number * count) for part, number in self.parts),
        )

    def on(self, device: Device) -> Resources:
        """Return the cells of a device that the circuit takes.

        Raises:
            ModelError: its family has no cell for a part.
        """
        kind = family(device.family)
        dsp, lut, ff = kind.multiplier(18, 18) if self.dsp else (0, 0, 0)
        total = Resources(
            math.ceil(kind.lut_factor * self.lut) + lut * self.dsp,
            math.ceil(kind.ff_factor * self.ff) + ff * self.dsp,
            dsp * self.dsp,
            self.bram,
        )
        for part, count in self.parts:
            total += part.on(device) * count
        if self.parts or self.ff:
            total += Resources(lut=math.ceil(kind.ff_lut * total.ff))
        return total

    @property
    def counts(self) -> dict[str, int]:
        """Counted cells by their kind."""
        return {"lut": self.lut, "ff": self.ff, "dsp": self.dsp, "bram": self.bram}

    def fits(self, bound: Resources) -> bool:
        """Tell whether no kind of cell exceeds its bound; for counted cells, see `on`."""
        if self.parts:
            raise AssertionError("resources are counted on a device before they are compared")
        return (
            self.lut <= bound.lut
            and self.ff <= bound.ff
            and self.dsp <= bound.dsp
            and self.bram <= bound.bram
        )


@dataclass(frozen=True, slots=True)
class Cycles:
    """The time of a unit or a design that is fed and emptied without waiting.

    `latency` runs from the first beat taken to the last beat of the same frame given, the first
    frame after reset; `interval` is the time between frames once the pipeline is full.
    """

    latency: int
    interval: int
