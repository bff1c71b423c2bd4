# SPDX-License-Identifier: Apache-2.0
"""The verbs in a row: each takes what the one before it returns."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from intaglio.arch.dataflow import dataflow, require_fit
from intaglio.arch.design import Design
from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.design import ArrayDesign
from intaglio.arch.systolic.predict import Memory, Prediction
from intaglio.devices import device
from intaglio.devices.description import Device
from intaglio.errors import InfeasibleError, ModelError
from intaglio.explore.array_candidates import ArrayExploration, Space
from intaglio.explore.buffers import settle_buffers
from intaglio.explore.folding import Folding, best_throughput, least_area, pareto
from intaglio.explore.latency import least_area_within, least_latency
from intaglio.export import export
from intaglio.export.exporter import Exported
from intaglio.flow.bits import Sweep, sweep
from intaglio.flow.limits import require_positive, require_share, whole_cycles
from intaglio.ir.graph import Graph, Program
from intaglio.quantize.accuracy import Evaluation, evaluate
from intaglio.quantize.program import quantize
from intaglio.quantize.scheme import Scheme
from intaglio.report.report import Report, report
from intaglio.rtl import bundle as dataflow_bundle
from intaglio.rtl.array_bundle import design_of, emit_array
from intaglio.rtl.bundle import Bundle
from intaglio.scalesim.simulation import ScaleSimReport, scalesim
from intaglio.tools import simulation
from intaglio.tools.array_simulation import simulate_array
from intaglio.tools.simulation import Run
from intaglio.tools.verilator import Stalls

if TYPE_CHECKING:
    from intaglio.tools.synthesis import Synthesis
    from intaglio.tools.vivado import Project

__all__ = [
    "Array",
    "ArrayDesign",
    "ArrayExploration",
    "Bundle",
    "Dataflow",
    "Design",
    "Device",
    "Evaluation",
    "Exploration",
    "Exported",
    "Graph",
    "Memory",
    "Prediction",
    "Program",
    "Report",
    "Run",
    "ScaleSimReport",
    "Scheme",
    "Stalls",
    "Sweep",
    "device",
    "emit",
    "evaluate",
    "explore",
    "explore_array",
    "export",
    "load",
    "predict",
    "quantize",
    "report",
    "scalesim",
    "simulate",
    "sweep",
    "synthesize",
]

#: Clock assumed where frames per second are asked for and no clock is named: what every design
#: of the demo class reaches on the slowest ECP5 speed grade.
CLOCK_MHZ = 100.0


#: Share of a device's cells that a design takes where it has the choice. The placer needs room:
#: LeNet-5 on all 156 multipliers of an LFE5U-85F closed at 101 MHz, on 141 of them at 128 MHz,
#: which makes more frames a second although each takes 17 % more cycles (nextpnr 0.11.1, seed 1).
FILL = 0.92
#: The same for tables and flip-flops. Products of few bits can be made of tables, so a search for
#: throughput would take all there are, for hours of routing.
LOGIC_FILL = 0.25


#: What a search is for.
Objective = Literal["throughput", "latency"]
#: What a search returns.
Found = TypeVar("Found")


@dataclass(frozen=True)
class Exploration:
    """What a search found: the best design, and the folding it was built from."""

    best: Design
    folding: Folding


def load(
    source: str | Path | Graph | Any,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    example: Any = None,
) -> Graph:
    """Read a network as a graph, proven equal to its source on random input.

    Args:
        source: an ONNX file, a torch.nn.Module, or a `.trained` file of `intaglio train`.
        shapes: frame sizes of ONNX inputs that the file leaves open.
        example: for a module, a tensor it can be called with.

    Raises:
        ModelError: it cannot be converted; the text names the node.
        VerificationError: graph and source differ; the text names the first node.
    """
    from intaglio.frontend import load as read

    if isinstance(source, str | Path) and Path(source).suffix == ".trained":
        from intaglio.train.trained import load_trained

        trained = load_trained(Path(source))
        return read(trained.module, example=trained.example)
    return read(source, shapes=shapes, example=example)


def explore(
    program: Program,
    target: Device,
    *,
    objective: Objective = "throughput",
    target_fps: float | None = None,
    target_latency_us: float | None = None,
    clock_mhz: float = CLOCK_MHZ,
    fill: float = FILL,
    logic_fill: float = LOGIC_FILL,
    progress: bool = True,
) -> Exploration:
    """Find the design that fits of highest throughput or least latency, or the smallest enough.

    Args:
        program: what to build.
        target: where.
        objective: what to seek where no target is named.
        target_fps: frames per second that are enough; the smallest such design is returned.
        target_latency_us: microseconds from a frame's first beat in to its last beat out that are
            enough; the smallest such design that is found is returned.
        clock_mhz: clock that targets are reckoned with.
        fill: share of multipliers and block RAMs to keep to.
        logic_fill: the same of tables and flip-flops. Where nothing fits, twice as much is tried,
            and at last the whole device.
        progress: show that of a search for latency, where it takes longer than two seconds.

    Exactness: throughput and its smallest designs are optimal in the cost model; of latencies see
        `explore.latency`. Cycles are exact, cells are estimates.

    Raises:
        InfeasibleError: no design fits, or none is fast enough.
        ModelError: a node has no hardware, a number cannot be, or two targets are named.
    """
    require_positive(
        target_fps=target_fps, target_latency_us=target_latency_us, clock_mhz=clock_mhz
    )
    if target_fps is not None and target_latency_us is not None:
        raise ModelError("a search must have one target, not both frames per second and a latency")

    def fold(cells: float, logic: float) -> Folding:
        if target_fps is not None:
            interval = whole_cycles(clock_mhz * 1e6 / target_fps)
            return least_area(program, target, interval, cells, logic)
        if target_latency_us is not None:
            latency = whole_cycles(clock_mhz * target_latency_us)
            within = least_area_within(program, target, latency, cells, logic, progress=progress)
            return within.folding
        if objective == "latency":
            return least_latency(program, target, cells, logic, progress=progress).folding
        return best_throughput(program, target, cells, logic)

    folding = _within(fold, fill, logic_fill)
    design = require_fit(dataflow(program, target, folding.folds))
    return Exploration(settle_buffers(design), folding)


def explore_array(
    program: Program,
    target: Device,
    *,
    dataflow: Dataflow | None = None,
    mixed: bool = True,
    shape: tuple[int, int] | None = None,
    beat_bits: int = 64,
    memory: Memory | None = None,
    fill: float = FILL,
    front: bool = False,
    progress: bool = True,
) -> ArrayExploration:
    """Find the systolic array that runs a program in the fewest cycles on a device.

    Args:
        program: what to run.
        target: where.
        dataflow: the one of all layers; by default whichever is best.
        mixed: without it given, let each layer have the dataflow that is best for the whole.
        shape: rows and columns; by default whichever are best.
        beat_bits: width of the port to external memory.
        memory: how that answers.
        fill: share of multipliers and block RAMs to keep to.
        front: find all arrays, too, of which none is at least as good as another in cycles,
            multipliers, block RAMs and traffic.
        progress: show it, where it takes longer than two seconds.

    Exactness: optimal in cycles, which are exact; cells are estimates.

    Raises:
        InfeasibleError: no array fits.
        ModelError: no array can run a layer.
    """
    from intaglio.explore.array import best_array

    require_share(fill=fill)
    flows = tuple(Dataflow) if dataflow is None else (dataflow,)
    space = Space(flows, mixed, shape, beat_bits, memory or Memory())
    return best_array(program, target, space, fill=fill, logic=1.0, front=front, progress=progress)


def tradeoffs(
    program: Program, target: Device, *, fill: float = FILL, logic_fill: float = LOGIC_FILL
) -> list[Folding]:
    """Return foldings from the fastest to the smallest, none both slower and larger than another.

    Args:
        program: what to build.
        target: where.
        fill: share of multipliers and block RAMs to keep to.
        logic_fill: the same of tables and flip-flops. Where nothing fits, twice as much is tried,
            and at last the whole device.

    Exactness: optimal in the cost model; cells are estimates.

    Raises:
        InfeasibleError: no design fits.
        ModelError: a node has no hardware.
    """
    return _within(lambda cells, logic: pareto(program, target, cells, logic), fill, logic_fill)


def _within(search: Callable[[float, float], Found], fill: float, logic: float) -> Found:
    """Search in shares of the device; where nothing fits in twice the logic, at last in all.

    Raises:
        ModelError: one is no share.
    """
    require_share(fill=fill, logic_fill=logic)
    while True:
        with contextlib.suppress(InfeasibleError):
            return search(fill, logic)
        if logic >= fill:
            return search(1.0, 1.0)
        logic = min(2 * logic, fill)


def emit(
    design: Design | ArrayDesign, folder: str | Path, frames: np.ndarray | None = None
) -> Bundle:
    """Write a design's bundle, replacing an older bundle of the same folder.

    Args:
        design: what to write.
        folder: where; it must be absent, empty, or hold a bundle.
        frames: integer frames for the bundle's bench, [N, *frame]; a few random ones by default.

    Raises:
        ArtifactError: the folder holds something else.
    """
    if isinstance(design, ArrayDesign):
        return emit_array(design, folder, frames)
    return dataflow_bundle.emit(design, folder, frames)


def predict(design: ArrayDesign) -> Prediction:
    """Return the cycles of a design with an array, layer by layer.

    Exactness: equal to simulation, for a memory that answers as the design says.
    """
    return design.prediction


def simulate(
    bundle: Bundle,
    data: np.ndarray,
    *,
    stalls: Stalls | None = None,
    gate_level: bool = False,
    work: Path | None = None,
    progress: bool = True,
) -> Run:
    """Prove a bundle on real data: every output bit and, without stalls, every frame's cycles.

    Args:
        bundle: what `emit` wrote.
        data: real frames as the source model takes them, [N, *frame].
        stalls: random back-pressure.
        gate_level: whether to run the netlist that Yosys makes instead of the sources.
        work: folder for compiled parts; beside the bundle by default.
        progress: show a bar.

    Raises:
        VerificationError: a bit or a cycle differs.
        MissingToolError: Verilator or a C++ compiler is missing, or at gate level Yosys.
        ModelError: stalls or gate level are asked for of a design with an array.
        ToolError: at gate level, Yosys failed or cells of the device's family have no models.
    """
    design = design_of(bundle)
    frames = design.program.quantize_input(data)
    if isinstance(design, ArrayDesign):
        if gate_level or (stalls is not None and stalls.any):
            raise ModelError("a design with an array has no stalls, and no gate level yet")
        return simulate_array(bundle, design, frames, work=work, progress=progress)
    if gate_level:
        from intaglio.tools import gates

        bundle = gates.gate_level(bundle, bundle.folder.with_name(bundle.folder.name + ".gates"))
    return simulation.simulate(bundle, frames, stalls=stalls, work=work, progress=progress)


def places(bundle: Bundle) -> bool:
    """Tell whether open tools take a bundle to a bitstream: `synthesize`, else `vivado_project`."""
    from intaglio.tools.families import toolchain

    return toolchain(design_of(bundle).device.family).placer is not None


def vivado_project(
    bundle: Bundle, *, output: Path | None = None, clock_mhz: float = 200.0
) -> Project:
    """Write a project that Vivado builds unchanged, with what Yosys makes of it as an estimate.

    Args:
        bundle: what `emit` wrote.
        output: folder for the project; beside the bundle by default.
        clock_mhz: the clock Vivado is to aim at.

    Raises:
        ArtifactError: the folder is a file or holds something else.
        ModelError: the clock is none.
        ToolError: Yosys failed; its log is named.
        MissingToolError: Yosys is missing.
    """
    from intaglio.tools.vivado import write_project

    require_positive(clock_mhz=clock_mhz)
    return write_project(
        bundle,
        design_of(bundle).device,
        output or bundle.folder.with_name(bundle.folder.name + ".vivado"),
        clock_mhz=clock_mhz,
    )


def synthesize(
    bundle: Bundle, *, output: Path | None = None, seed: int = 1, progress: bool = True
) -> Synthesis:
    """Synthesise, place and route a bundle for its device, to a bitstream.

    A systolic array is placed alone, its memory port on shift registers instead of pins: what is
    learned of it are cells and clock.

    Args:
        bundle: what `emit` wrote.
        output: folder for netlist, bitstream, log and figures; beside the bundle by default.
        seed: the placer's.
        progress: show the stage.

    Raises:
        InfeasibleError: the design does not fit.
        ToolError: a tool failed; its log is named.
        MissingToolError: Yosys or nextpnr is missing.
    """
    from intaglio.tools.synthesis import synthesize_sources

    sources, top = bundle.placed
    return synthesize_sources(
        bundle.folder,
        sources,
        top,
        design_of(bundle).device,
        output or bundle.folder.with_name(bundle.folder.name + ".synth"),
        seed=seed,
        progress=progress,
    )
