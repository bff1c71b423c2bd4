# SPDX-License-Identifier: Apache-2.0
"""Loop nests: named dimensions and affine accesses. Mapping, traffic and MAC counts read them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from intaglio.errors import ModelError

#: One index expression: the dimensions it adds up, each with its coefficient.
Index = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Access:
    """How the body of a nest touches one tensor, an index expression for each of its axes."""

    tensor: str
    indices: tuple[Index, ...]

    @property
    def dimensions(self) -> frozenset[str]:
        """The loop dimensions this access depends on."""
        return frozenset(name for index in self.indices for name, _ in index)


@dataclass(frozen=True)
class LoopNest:
    """A rectangular nest: K C P Q R S as everyone names them, outermost first.

    `multiplies` tells whether the body multiplies two operands (a MAC) or only moves or compares.
    """

    dimensions: Mapping[str, int]
    reads: tuple[Access, ...]
    write: Access
    multiplies: bool = field(default=False)

    def __post_init__(self) -> None:
        for access in (*self.reads, self.write):
            if unknown := access.dimensions - set(self.dimensions):
                raise ModelError(f"an access must use the nest's dimensions, not {sorted(unknown)}")

    @property
    def iterations(self) -> int:
        """How often the body runs for one frame."""
        return math.prod(self.dimensions.values())

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one frame."""
        return self.iterations if self.multiplies else 0


def elementwise(shape: tuple[int, ...], operands: int = 1, *, multiplies: bool = False) -> LoopNest:
    """Return the nest of an operator that touches each element once."""
    names = [f"D{axis}" for axis in range(len(shape))]
    indices: tuple[Index, ...] = tuple(((name, 1),) for name in names)
    reads = tuple(Access(f"input{i}", indices) for i in range(operands))
    return LoopNest(
        dict(zip(names, shape, strict=True)), reads, Access("output", indices), multiplies
    )
