# SPDX-License-Identifier: Apache-2.0
"""A design: units, wired; what it costs, and when every frame passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from intaglio.devices.description import Device
from intaglio.errors import VerificationError
from intaglio.hw import timing
from intaglio.hw.cost import Cycles, Resources
from intaglio.hw.timing import Capacity, Span, Timing, Wiring
from intaglio.hw.unit import Fold, Stream, Unit
from intaglio.ir.graph import Graph, Program

if TYPE_CHECKING:
    from intaglio.hw.repeating import Repeating


@dataclass(frozen=True)
class Endpoint:
    """One end of a stream: a port of an instance, or of the design where the instance is ''."""

    instance: str
    port: str


@dataclass(frozen=True)
class Instance:
    """A unit in a design: `node` is the node of the lowered graph it belongs to."""

    name: str
    unit: Unit
    node: str
    sources: Mapping[str, Endpoint]


@dataclass(frozen=True)
class Design:
    """A program mapped on a device, one unit a node, in stream order.

    `graph` is the program's graph with everything lowered that hardware does in smaller steps;
    `folds` holds the choice for each of its nodes, `buffers` how many beats are held where: at ends
    of forks, `value.fork.a` and `.b` (which the next fork of the same value splits on), and before
    units, `node.port`.
    """

    program: Program
    device: Device
    graph: Graph
    folds: Mapping[str, Fold]
    buffers: Mapping[str, int]
    instances: tuple[Instance, ...]
    inputs: Mapping[str, Stream]
    output: Endpoint

    @cached_property
    def resources(self) -> Resources:
        """Cells of the device that all units take."""
        total = Resources()
        for instance in self.instances:
            total += instance.unit.resources.on(self.device)
        return total

    @property
    def output_stream(self) -> Stream:
        """The stream that leaves the design."""
        unit = next(i.unit for i in self.instances if i.name == self.output.instance)
        return unit.outputs[self.output.port]

    @cached_property
    def bottleneck(self) -> Instance:
        """The instance with the longest interval of its own."""
        return max(self.instances, key=lambda instance: instance.unit.interval)

    @cached_property
    def cycles(self) -> Cycles:
        """Latency of the first frame and interval of the steady state; equal to simulation.

        Where not all intervals are alike it is their average, rounded up.

        Raises:
            VerificationError: the units wait for each other for ever.
        """
        latency = self.timing(1).frames[0].latency
        interval = self.least_interval({})
        if interval is None:
            raise VerificationError(timing.WAITING)
        return Cycles(latency, interval)

    @property
    def multipliers(self) -> int:
        """Multipliers that do the network's MACs."""
        return sum(instance.unit.multipliers for instance in self.instances)

    def timing(self, frames: int) -> Timing:
        """Return when each of `frames` back-to-back frames passes; equal to simulation."""
        return timing.follow(self._wiring, frames)

    def activity(self, frames: int) -> dict[str, tuple[tuple[Span, ...], ...]]:
        """Return when each process of each instance works on the first frames, as in `timing`."""
        found = iter(timing.spans(self._wiring, frames))
        return {i.name: tuple(next(found) for _ in i.unit.processes) for i in self.instances}

    def keeps(self, interval: int, room: Mapping[str, int]) -> bool:
        """Tell whether frames can follow each other every `interval` cycles with other room.

        `room` counts tokens, by channel: rows of `node.rows`, beats of a buffer's `name.store`.
        """
        return self._repeating.keeps(interval, room)

    def least_interval(self, room: Mapping[str, int]) -> int | None:
        """Return the least interval kept with other room, or None if frames would never end."""
        return self._repeating.least_interval(self.bottleneck.unit.interval, room)

    def room(self, channel: str) -> int:
        """Return the tokens that a channel has room for."""
        return self._wiring.capacities[channel].tokens

    @cached_property
    def _repeating(self) -> Repeating:
        from intaglio.hw.repeating import Repeating

        return Repeating.of(self._wiring)

    @cached_property
    def _wiring(self) -> Wiring:
        """Processes and channels of all units; a stream is named after the port that gives it."""
        processes = []
        capacities: dict[str, Capacity] = {}
        for instance in self.instances:
            unit = instance.unit
            names = {port: _channel(source) for port, source in instance.sources.items()}
            for port, room in unit.capacities.items():
                names[port] = _channel(Endpoint(instance.name, port))
                capacities[names[port]] = room
            processes += [(process, names) for process in unit.processes]
        sources = {_channel(Endpoint("", n)): stream.beats for n, stream in self.inputs.items()}
        sinks = {_channel(self.output): self.output_stream.beats}
        return Wiring(processes, capacities, sources, sinks)


#: Frames after which a pipeline of this kind repeats itself, with a wide margin; `follow` stops
#: earlier where it can show that it does.
STEADY_FRAMES = 64


def _channel(endpoint: Endpoint) -> str:
    return f"{endpoint.instance}.{endpoint.port}"
