# SPDX-License-Identifier: Apache-2.0
"""A unit: one library module with its parameters, memory images, streams, cycles and cells."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from intaglio.errors import ModelError
from intaglio.hw import timing
from intaglio.hw.cost import Cycles, Resources
from intaglio.hw.memory import Memory, rom
from intaglio.hw.products import Products, legal_products
from intaglio.hw.stream_fifo import RETURN_LATENCY
from intaglio.hw.timing import Capacity, Process, Timing, Wiring
from intaglio.ir.constant import Constant
from intaglio.ir.operator import Operator
from intaglio.ir.types import TensorType
from intaglio.numerics.packing import hex_lines, pack
from intaglio.numerics.types import IntType


@dataclass(frozen=True, order=True)
class Fold:
    """How much of an operator works at once.

    `lanes_in` channels come in a beat; `columns` kernel columns are multiplied with them side by
    side, and with `whole` all kernel rows too; `lanes_out` results are made at once. The fewer, the
    more cycles and the fewer cells. `slack` rows are buffered beyond what a window needs, for
    neighbors that come in bursts. `products` says what products are made of; cycles do not depend
    on it.
    """

    lanes_in: int = 1
    columns: int = 1
    lanes_out: int = 1
    slack: int = 0
    whole: bool = False
    products: Products = Products.DSP


@dataclass(frozen=True)
class Stream:
    """The shape of a stream: elements a beat, their type, beats a frame."""

    lanes: int
    element: IntType
    beats: int

    @property
    def width(self) -> int:
        """Bits of a beat."""
        return self.lanes * self.element.width


@dataclass(frozen=True)
class Image:
    """Contents of a `sliced_rom`: rows of fields, written one file a slice of its width.

    `parameter` is the module's, for the files' common name.
    """

    parameter: str
    fields: np.ndarray
    field_width: int
    memory: Memory

    @classmethod
    def of(cls, parameter: str, fields: np.ndarray, field_width: int) -> Image:
        """Make an image and choose the kind of its memory."""
        rows, columns = fields.shape
        return cls(parameter, fields, field_width, rom(columns * field_width, rows))

    @property
    def width(self) -> int:
        """Bits of a word."""
        return int(self.fields.shape[1]) * self.field_width

    def texts(self) -> list[str]:
        """Print the image for `$readmemh`, a text a slice."""
        words, step = pack(self.fields, self.field_width), self.memory.slice_width
        slices = []
        for low in range(0, self.width, step):
            bits = min(step, self.width - low)
            mask = (1 << bits) - 1
            slices.append(hex_lines([(word >> low) & mask for word in words], bits))
        return slices


@dataclass(frozen=True)
class Unit:
    """A library module, ready to be placed in a design.

    `inputs` and `outputs` map port prefixes to streams; `internal` maps channels inside the unit to
    their capacity in tokens; `depths` maps each output to the parameter that sets its FIFO.
    `multipliers` counts the products of a cycle that are the network's MACs, however they are made,
    `macs` the MACs of a frame.
    """

    module: str
    blocks: tuple[str, ...]
    parameters: Mapping[str, int]
    inputs: Mapping[str, Stream]
    outputs: Mapping[str, Stream]
    processes: tuple[Process, ...]
    resources: Resources
    internal: Mapping[str, int] = field(default_factory=dict)
    images: tuple[Image, ...] = ()
    depths: Mapping[str, str] = field(default_factory=lambda: {"out": "OutDepth"})
    multipliers: int = 0
    macs: int = 0

    @property
    def interval(self) -> int:
        """Cycles between frames when nothing outside holds the unit up."""
        return max(process.slots for process in self.processes)

    @cached_property
    def cycles(self) -> Cycles:
        """Latency and interval of the unit alone; equal to simulation."""
        found = self.timing(8)
        return Cycles(found.frames[0].latency, found.interval)

    @property
    def capacities(self) -> dict[str, Capacity]:
        """Room of every channel that this unit owns: its outputs and those inside."""
        inside = {name: Capacity(tokens, 1) for name, tokens in self.internal.items()}
        depths = {port: self.parameters[name] for port, name in self.depths.items()}
        return inside | {port: Capacity(d, RETURN_LATENCY) for port, d in depths.items()}

    def timing(self, frames: int) -> Timing:
        """Follow the unit alone, fed without end and emptied at once, through frames."""
        names = {port: port for port in [*self.inputs, *self.outputs, *self.internal]}
        sources = {port: stream.beats for port, stream in self.inputs.items()}
        sinks = {port: stream.beats for port, stream in self.outputs.items()}
        processes = [(process, names) for process in self.processes]
        return timing.follow(Wiring(processes, self.capacities, sources, sinks), frames)


class StreamOperator(Operator):
    """An operator that has hardware: parts 4 of an operator file."""

    @abstractmethod
    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Yield every legal fold for these operand types."""

    @abstractmethod
    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit | None:
        """Return the unit for a legal fold, or None where the stream passes as it is.

        Raises:
            ModelError: no hardware exists for these types; the text says why.
        """


def divisors(number: int) -> list[int]:
    """Return the divisors in rising order."""
    return [d for d in range(1, number + 1) if number % d == 0]


def lane_folds(channels: int) -> Iterator[Fold]:
    """Yield the folds of an operator that treats channels alike."""
    for lanes in divisors(channels):
        yield Fold(lanes, 1, lanes)


def product_folds(
    fold: Fold, x: TensorType, weight: TensorType, *, shared: bool = True
) -> Iterator[Fold]:
    """Yield a fold with every kind of products that its operands and its lanes allow.

    `shared` says that all outputs are products of the same x.
    """
    outputs = fold.lanes_out if shared else 1
    for products in legal_products(x.integer, weight.integer, outputs):
        yield replace(fold, products=products)


def stream(type_: TensorType, lanes: int) -> Stream:
    """Return the stream that carries a value, `lanes` channels a beat.

    Raises:
        ModelError: lanes do not divide the channels.
    """
    if type_.channels % lanes:
        raise ModelError(f"lanes must divide {type_.channels} channels, not be {lanes}")
    return Stream(lanes, type_.integer, type_.size // lanes)
