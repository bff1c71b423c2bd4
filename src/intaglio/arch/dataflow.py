# SPDX-License-Identifier: Apache-2.0
"""The dataflow architecture: a unit for every node, streams between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from intaglio.arch.buffers import with_least_buffers
from intaglio.arch.design import Design, Endpoint, Instance
from intaglio.devices.description import Device
from intaglio.errors import InfeasibleError, ModelError
from intaglio.hw.cost import Resources
from intaglio.hw.stream_buffer import stream_buffer
from intaglio.hw.stream_fork import stream_fork
from intaglio.hw.stream_width import regroup
from intaglio.hw.unit import Fold, Stream, StreamOperator, Unit
from intaglio.ir.graph import Graph, Node, Program
from intaglio.passes.dead_code import dead_code
from intaglio.passes.lower import lower
from intaglio.passes.requantize_first import requantize_first


def hardware_graph(program: Program) -> Graph:
    """Return the program's graph in the steps that hardware does.

    Raises:
        ModelError: a node has no hardware; the text names it.
    """
    graph = requantize_first(dead_code(lower(program.graph)))
    for node in graph.nodes:
        if not isinstance(node.op, StreamOperator):
            raise ModelError(f"{node} must have hardware; {node.op.name} has none")
    if len(graph.inputs) != 1:
        raise ModelError(f"a design must have one input, not {len(graph.inputs)}")
    if graph.inputs[0].name not in graph.consumers:
        raise nothing_to_compute(graph)
    if len(graph.outputs) != 1:
        raise ModelError(f"a design must have one output, not {len(graph.outputs)}")
    return graph


def node_unit(graph: Graph, node: Node, fold: Fold) -> Unit | None:
    """Return the unit of a node, or None where the stream passes as it is.

    Raises:
        ModelError: no hardware exists for its types; the text names the node.
    """
    if not isinstance(node.op, StreamOperator):
        raise ModelError(f"{node} must have hardware; {node.op.name} has none")
    constants = {
        operand: graph.constants[name]
        for operand, name in zip(node.op.operands, node.inputs, strict=True)
        if name in graph.constants
    }
    try:
        return node.op.unit(graph.operand_types(node), constants, fold)
    except ModelError as error:
        raise ModelError(f"{node}: {error}") from None


@dataclass
class _Builder:
    """Instances made so far, and for each value the ends of its stream that nobody reads yet."""

    graph: Graph
    buffers: Mapping[str, int]
    instances: list[Instance] = field(default_factory=list)
    inputs: dict[str, Stream] = field(default_factory=dict)
    open: dict[str, list[tuple[Endpoint, Stream]]] = field(default_factory=dict)

    def place(self, name: str, unit: Unit, node: str, sources: Mapping[str, Endpoint]) -> None:
        self.instances.append(Instance(name, unit, node, sources))

    def offer(self, value: str, end: Endpoint, stream_: Stream, readers: int) -> None:
        """Make a value's stream available to so many readers."""
        ends = []
        while readers > 1:
            name = f"{value}.fork{readers}" if readers > 2 else f"{value}.fork"
            self.place(name, stream_fork(stream_), value, {"in": end})
            for port in ("a", "b"):
                half = self.buffered(Endpoint(name, port), f"{name}.{port}", stream_, value)
                ends.append((half, stream_))
            (end, _), readers = ends.pop(), readers - 1
        self.open[value] = [*ends, (end, stream_)]

    def buffered(self, end: Endpoint, name: str, stream_: Stream, node: str) -> Endpoint:
        """Return the end of a stream, behind its buffer where it has one of that name."""
        if name not in self.buffers:
            return end
        self.place(name, stream_buffer(stream_, self.buffers[name]), node, {"in": end})
        return Endpoint(name, "out")

    def connect(self, value: str, wanted: Stream, reader: str, port: str) -> Endpoint:
        """Return an end of a value's stream with the wanted lanes."""
        end, found = self.open[value].pop(0)
        units = regroup(found.element, found.lanes * found.beats, found.lanes, wanted.lanes)
        for unit in units:
            count = sum(i.node == reader for i in self.instances)
            name = f"{reader}.width{count}" if count else f"{reader}.width"
            self.place(name, unit, reader, {"in": end})
            end = Endpoint(name, "out")
        return self.buffered(end, f"{reader}.{port}", wanted, reader)


def dataflow(
    program: Program,
    device: Device,
    folds: Mapping[str, Fold],
    buffers: Mapping[str, int] | None = None,
) -> Design:
    """Build the design in which each node of the hardware graph has its fold.

    Args:
        program: what to compute.
        device: where; its capacity is not checked here, see `require_fit`.
        folds: a legal fold for every node of `hardware_graph(program)`.
        buffers: beats held in streams, by name as in `Design.buffers`; by default the least at
            ends of forks with which no branch holds another up.

    Raises:
        ModelError: a node has no hardware, or a design has several outputs.
        InfeasibleError: branches of the graph wait for each other whatever the buffers' depth.
    """
    return Draft(program, device).design(folds, buffers)


@dataclass(frozen=True, eq=False)
class Draft:
    """A program on a device, for many designs: graph and units are made once for all of them."""

    program: Program
    device: Device

    @cached_property
    def graph(self) -> Graph:
        """The hardware graph."""
        return hardware_graph(self.program)

    @cached_property
    def _units(self) -> dict[tuple[str, Fold], Unit | None]:
        return {}

    def design(self, folds: Mapping[str, Fold], buffers: Mapping[str, int] | None = None) -> Design:
        """Build a design as `dataflow` does."""
        units = {node.name: self._unit(node, folds[node.name]) for node in self.graph.nodes}

        def build(depths: Mapping[str, int]) -> Design:
            return _build(self, folds, units, depths)

        return build(buffers) if buffers is not None else with_least_buffers(build)

    def _unit(self, node: Node, fold: Fold) -> Unit | None:
        key = node.name, fold
        if key not in self._units:
            self._units[key] = node_unit(self.graph, node, fold)
        return self._units[key]


def _build(
    draft: Draft,
    folds: Mapping[str, Fold],
    units: Mapping[str, Unit | None],
    buffers: Mapping[str, int],
) -> Design:
    graph = draft.graph
    builder = _Builder(graph, buffers)
    readers = _readers(graph)
    for value in graph.inputs:
        lanes = _first_lanes(graph, value.name, units)
        beats = value.type.size // lanes
        builder.inputs[value.name] = Stream(lanes, value.type.integer, beats)
        builder.offer(
            value.name, Endpoint("", value.name), builder.inputs[value.name], readers[value.name]
        )
    for node in graph.nodes:
        unit = units[node.name]
        operands = [name for name in node.inputs if name not in graph.constants]
        if unit is None:
            end, found = builder.open[operands[0]].pop(0)
            builder.offer(node.name, end, found, readers[node.name])
            continue
        sources = {
            port: builder.connect(value, wanted, node.name, port)
            for value, (port, wanted) in zip(operands, unit.inputs.items(), strict=True)
        }
        builder.place(node.name, unit, node.name, sources)
        builder.offer(
            node.name, Endpoint(node.name, "out"), unit.outputs["out"], readers[node.name]
        )
    end, _ = builder.open[graph.outputs[0]].pop(0)
    instances = tuple(builder.instances)
    parts = dict(folds), dict(buffers), instances, builder.inputs, end
    return Design(draft.program, draft.device, graph, *parts)


def _readers(graph: Graph) -> dict[str, int]:
    """How often each value is read, the design's own output included."""
    count = dict.fromkeys(graph.types, 0)
    for node in graph.nodes:
        for name in node.inputs:
            count[name] += 1
    for name in graph.outputs:
        count[name] += 1
    return count


def _first_lanes(graph: Graph, value: str, units: Mapping[str, Unit | None]) -> int:
    """Lanes of a stream from outside: those its first reader with hardware wants."""
    names = {value}
    for node in graph.nodes:
        if names.isdisjoint(node.inputs):
            continue
        unit = units[node.name]
        if unit is not None:
            return next(iter(unit.inputs.values())).lanes
        names.add(node.name)
    raise nothing_to_compute(graph)


def nothing_to_compute(graph: Graph) -> ModelError:
    """Return the error of a graph that has no node with hardware of its own."""
    return ModelError(f"a design must compute something; {graph.name!r} only renames its input")


def require_fit(design: Design) -> Design:
    """Return the design if its estimated cells fit the device.

    Raises:
        InfeasibleError: they do not; the text names each kind, by how much, and what would help.
    """
    bound = capacity(design.device)
    if design.resources.fits(bound):
        return design
    raise InfeasibleError(over_capacity(design.resources, bound, design.device.name))


def capacity(device: Device, fill: float = 1.0, logic: float | None = None) -> Resources:
    """Return the cells of a device, or a share of each kind.

    `logic` is the share of tables and flip-flops where it is another than that of the rest.
    """
    share = fill if logic is None else logic
    cells = (share * device.lut, share * device.ff, fill * device.dsp, fill * device.bram)
    lut, ff, dsp, bram = map(int, cells)
    return Resources(lut, ff, dsp, bram)


def over_capacity(need: Resources, bound: Resources, name: str) -> str:
    """Say what does not fit, by how much, and what would help."""
    levers = {
        "lut": "fewer lanes or narrower weights",
        "ff": "fewer lanes",
        "dsp": "fewer lanes",
        "bram": "narrower weights or a larger device",
    }
    over = [
        f"{kind} {getattr(need, kind)} of {getattr(bound, kind)} "
        f"({getattr(need, kind) - getattr(bound, kind)} too many: {lever})"
        for kind, lever in levers.items()
        if getattr(need, kind) > getattr(bound, kind)
    ]
    return f"a design must fit {name}, not need {'; '.join(over)}"
