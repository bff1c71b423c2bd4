# SPDX-License-Identifier: Apache-2.0
"""What a search for the best array looks at, and what it returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.design import ArrayDesign
from intaglio.arch.systolic.predict import Memory
from intaglio.hw.cost import Resources


@dataclass(frozen=True)
class Candidate:
    """An array with the dataflow of each layer, and what it takes.

    Units: `cycles` a frame, exact; `traffic` bits a frame to and from external memory; `resources`
    cells of the device.
    """

    array: Array
    flows: Mapping[str, Dataflow]
    cycles: int
    traffic: int
    resources: Resources

    @property
    def dataflow(self) -> str:
        """The dataflows in use, as they are called."""
        return dataflow_name(self.flows.values())

    @property
    def costs(self) -> tuple[int, int, int, int]:
        """What a front compares: cycles, multipliers, block RAMs, traffic; less is better."""
        return self.cycles, self.array.multipliers, self.resources.bram, self.traffic


@dataclass(frozen=True)
class ArrayExploration:
    """What a search found.

    `front` holds, where it was asked for, one array for each costs that no other array is at least
    as good as, the fastest first; `runners_up` the best arrays of other shapes or dataflows.
    `least` holds, for each shape (rows, columns), cycles that no buffers and no dataflow get below.
    `evaluated` arrays were predicted, `bounded` ones were left out because of a bound; in closed
    form a shape with its dataflow counts once, whatever its buffers.
    """

    best: ArrayDesign
    front: tuple[Candidate, ...]
    runners_up: tuple[Candidate, ...]
    least: Mapping[tuple[int, int], int]
    evaluated: int
    bounded: int


@dataclass(frozen=True)
class Space:
    """Which arrays are looked at: dataflows, shapes, the width of the memory port, the memory.

    With `mixed` each layer may have another of the dataflows; else all layers have the same.
    """

    dataflows: tuple[Dataflow, ...] = tuple(Dataflow)
    mixed: bool = True
    shape: tuple[int, int] | None = None
    beat_bits: int = 64
    memory: Memory = field(default_factory=Memory)


def dataflow_name(flows: Iterable[Dataflow]) -> str:
    """Return what the dataflows of a network's layers are called together."""
    return "+".join(sorted({flow.short for flow in flows}))


def nondominated(found: Sequence[Candidate]) -> list[Candidate]:
    """Return those that no other is at least as good as in all costs; of equals the first."""
    kept: list[Candidate] = []
    for one in sorted(found, key=lambda one: one.costs):
        if not any(all(a <= b for a, b in zip(k.costs, one.costs, strict=True)) for k in kept):
            kept.append(one)
    return kept
