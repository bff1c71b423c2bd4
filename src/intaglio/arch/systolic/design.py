# SPDX-License-Identifier: Apache-2.0
"""A program on an array: its lists, its cycles, for a device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.cost import cost, list_sizes
from intaglio.arch.systolic.layers import Network, network
from intaglio.arch.systolic.predict import Memory, Prediction, predict
from intaglio.arch.systolic.schedule import Schedule, schedule
from intaglio.devices.description import Device
from intaglio.errors import ModelError
from intaglio.hw.cost import Cycles, Resources
from intaglio.ir.graph import Program


@dataclass(frozen=True)
class ArrayDesign:
    """A program, the array that runs it, and the dataflow of each of its layers.

    `memory` says how the external memory answers that cycles are foretold for.

    Raises:
        ModelError: the program does not fit the array, or a layer has no dataflow.
    """

    program: Program
    device: Device
    array: Array
    flows: Mapping[str, Dataflow]
    memory: Memory = field(default_factory=Memory)

    def __post_init__(self) -> None:
        names = {layer.name for layer in self.network.layers}
        if names != set(self.flows):
            missing = sorted(names ^ set(self.flows))
            raise ModelError(f"every layer must have one dataflow: look at {missing[0]!r}")
        _ = self.schedule

    @classmethod
    def of(
        cls,
        program: Program,
        device: Device,
        array: Array,
        flow: Dataflow | None = None,
        memory: Memory | None = None,
    ) -> ArrayDesign:
        """Return a design in which all layers have one dataflow: the array's first, or `flow`."""
        chosen = flow or min(array.dataflows, key=lambda one: one.value)
        flows = {layer.name: chosen for layer in network(program).layers}
        return cls(program, device, array, flows, memory or Memory())

    @cached_property
    def network(self) -> Network:
        """The program's layers."""
        return network(self.program)

    @cached_property
    def schedule(self) -> Schedule:
        """The lists of all units."""
        return schedule(self.network, self.array, self.flows)

    @cached_property
    def prediction(self) -> Prediction:
        """Cycles of a frame; equal to simulation."""
        return predict(self.schedule, self.memory)

    @cached_property
    def resources(self) -> Resources:
        """Cells of the device that it takes, its lists included."""
        return cost(self.array, list_sizes(self.schedule)).on(self.device)

    @property
    def cycles(self) -> Cycles:
        """Latency and interval: a frame begins when the one before it is done."""
        return Cycles(self.prediction.total, self.prediction.total)

    @property
    def utilization(self) -> float:
        """Share of the array's cycles that multiply for the network."""
        macs = sum(layer.macs for layer in self.prediction.layers)
        return macs / (self.prediction.total * self.array.multipliers)
