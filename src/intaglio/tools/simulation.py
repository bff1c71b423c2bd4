# SPDX-License-Identifier: Apache-2.0
"""The proof: every output bit of a bundle against its program, every cycle against the prediction.

A difference is traced to its source: the first frames are run again with a waveform, the streams
between the units are read back from it, and the first unit that gave a wrong element is named.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from intaglio.arch.design import Design, Endpoint
from intaglio.engine import engine
from intaglio.errors import ModelError, VerificationError
from intaglio.hw.timing import FrameTime
from intaglio.hw.unit import Stream
from intaglio.ir.execute import trace
from intaglio.rtl.bundle import Bundle
from intaglio.rtl.top import Names
from intaglio.rtl.vectors import from_beats
from intaglio.tools.vcd import stream_beats
from intaglio.tools.verilator import (
    OPTIMIZE,
    PATIENCE,
    THREADS,
    Bench,
    Observed,
    Stalls,
    build,
)


@dataclass(frozen=True)
class Run:
    """A simulation without a difference.

    Units: cycles. Predicted figures are what the simulated ones were compared with; under stalls
    only bits are, and the predicted figures are those without.
    """

    images: int
    bit_mismatches: int
    cycle_mismatches: int
    stalled: bool
    latency_predicted: int
    latency_simulated: int
    interval_predicted: int
    interval_simulated: int
    cycles: int
    build_seconds: float
    run_seconds: float

    def __str__(self) -> str:
        timing = "under random stalls, bits only" if self.stalled else "0 cycles different"
        return (
            f"{self.images} images: 0 bits different, {timing}; "
            f"latency {self.latency_simulated:,}, interval {self.interval_simulated:,} cycles; "
            f"{self.cycles / max(self.run_seconds, 1e-9):,.0f} cycles/s"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON types."""
        return asdict(self)


def simulate(
    bundle: Bundle,
    frames: np.ndarray,
    *,
    work: Path | None = None,
    stalls: Stalls | None = None,
    runtime: Path | None = None,
    optimize: str = OPTIMIZE,
    threads: int = THREADS,
    progress: bool = True,
) -> Run:
    """Run integer frames through a bundle's RTL and compare everything.

    Args:
        bundle: what to run.
        frames: integers of the program's input type, [N, *frame].
        work: folder for compiled parts and waveforms; beside the bundle by default.
        stalls: random back-pressure; then only bits are compared, cycles cannot be.
        runtime: where to keep Verilator's own compiled parts for other bundles too.
        optimize: the C++ compiler's option; `-O0` is best for a few thousand cycles.
        threads: how many work on a cycle.
        progress: show a bar.

    Raises:
        VerificationError: a bit or a cycle differs; the text names image, layer, row, column,
            channel, expected and found value, and the waveform written.
        ModelError: there is no frame, or one is not of the program's input type.
        MissingToolError: Verilator or a compiler is missing.
        ToolError: a tool failed.
    """
    design = bundle.design()
    work = work or bundle.folder.with_name(bundle.folder.name + ".sim")
    stalls = stalls or Stalls()
    if len(frames) == 0:
        raise ModelError("a simulation must be given at least one image, not none")
    expected = engine(design.program).frames(frames)
    started = time.perf_counter()
    bench = build(
        bundle,
        work,
        runtime=runtime,
        optimize=optimize,
        threads=threads,
        lint=not bundle.gate_level,
    )
    built = time.perf_counter()
    with tqdm(total=len(frames), desc="simulate", unit="image", disable=not progress) as bar:
        observed = _run(bench, design, frames, stalls, on_frame=lambda _: bar.update())
    ended = time.perf_counter()
    _compare_bits(bundle, design, work, runtime, frames, observed, expected, stalls)
    return _judged(design, observed, stalls, (built - started, ended - built))


def _judged(
    design: Design, observed: Observed, stalls: Stalls, seconds: tuple[float, float]
) -> Run:
    """Compare cycles, unless there were stalls, and say what a run of equal bits found.

    Raises:
        VerificationError: a cycle differs.
    """
    count = len(observed.given)
    timing = design.timing(count)
    if not stalls.any:
        _compare_cycles(design, observed, timing.frames)
    latency = int(observed.given[0, -1] - observed.taken[0, 0])
    return Run(
        images=count,
        bit_mismatches=0,
        cycle_mismatches=0,
        stalled=stalls.any,
        latency_predicted=timing.frames[0].latency,
        latency_simulated=latency,
        interval_predicted=timing.interval,
        interval_simulated=int(np.diff(observed.given[:, -1])[-1]) if count > 1 else latency,
        cycles=int(observed.given[-1, -1]) + 1,
        build_seconds=round(seconds[0], 3),
        run_seconds=round(seconds[1], 3),
    )


def _run(
    bench: Bench,
    design: Design,
    frames: np.ndarray,
    stalls: Stalls,
    *,
    waveform: Path | None = None,
    on_frame: Any = None,
) -> Observed:
    graph = design.program.graph
    slow = 1.0 / max(0.01, (1 - stalls.input) * (1 - stalls.output))
    return bench.run(
        frames,
        next(iter(design.inputs.values())),
        design.output_stream,
        graph.types[graph.outputs[0]].shape,
        limit=int(PATIENCE * slow * (design.cycles.latency + design.cycles.interval)),
        stalls=stalls,
        waveform=waveform,
        on_frame=on_frame,
    )


def _compare_bits(
    bundle: Bundle,
    design: Design,
    work: Path,
    runtime: Path | None,
    frames: np.ndarray,
    observed: Observed,
    expected: np.ndarray,
    stalls: Stalls,
) -> None:
    whole = np.greater_equal(observed.given, 0).all(axis=1)
    equal = np.equal(observed.frames, expected).reshape(len(frames), -1).all(axis=1) & whole
    marks = np.zeros(design.output_stream.beats, dtype=np.uint8)
    marks[-1] = 1
    equal &= np.equal(observed.last, marks).all(axis=1)
    if equal.all():
        return
    image = int(np.argmin(equal))
    if bundle.gate_level:
        beats = int((observed.given[image] >= 0).sum())
        raise VerificationError(
            f"image {image}: the netlist's output differs from the program's, after {beats} of "
            f"{design.output_stream.beats} beats; simulate the sources for the place"
        )
    waveform = work / "difference.vcd"
    bench = build(bundle, work, trace=True, runtime=runtime)
    with tempfile.TemporaryDirectory(dir=work, prefix=".wave-") as private:
        traced = Path(private) / waveform.name
        _run(bench, design, frames[: image + 1], stalls, waveform=traced)
        place = _first_difference(design, traced, frames[: image + 1])
        traced.replace(waveform)
    if not place:
        place = "no layer gives a wrong element" if whole[image] else "the output stops too early"
    raise VerificationError(f"image {image}, {place}; waveform: {waveform}")


def _compare_cycles(design: Design, observed: Observed, predicted: Sequence[FrameTime]) -> None:
    for index, frame in enumerate(predicted):
        found = {
            "first beat in": (frame.first_in, int(observed.taken[index, 0])),
            "first beat out": (frame.first_out, int(observed.given[index, 0])),
            "last beat out": (frame.last_out, int(observed.given[index, -1])),
        }
        for what, (wanted, seen) in found.items():
            if wanted != seen:
                raise VerificationError(
                    f"image {index}, {what}: predicted at cycle {wanted}, simulated at {seen} "
                    f"({design.graph.name})"
                )


def _first_difference(design: Design, waveform: Path, frames: np.ndarray) -> str:
    """Return where the first wrong element of the last frame appears, in stream order."""
    names = Names.of(design)
    graph = design.graph
    values = trace(graph, {graph.inputs[0].name: frames})
    streams = dict(_node_streams(design))
    wires = {names.wire(Endpoint(node, "out")): node for node in streams}
    found = stream_beats(waveform, wires, "aclk")
    for wire, node in wires.items():
        stream, expected = streams[node], values[node]
        place = _difference(stream, found[wire], expected)
        if place:
            return f"layer {node} ({graph.producers[node].op.name}), {place}"
    return ""


def _node_streams(design: Design) -> Iterator[tuple[str, Stream]]:
    for instance in design.instances:
        if instance.name == instance.node and "out" in instance.unit.outputs:
            yield instance.node, instance.unit.outputs["out"]


def _difference(stream: Stream, beats: list[int], expected: np.ndarray) -> str:
    """Describe the first beat that differs from what a stream should have carried."""
    count = -(-stream.width // 32)
    words = np.array(
        [[(beat >> (32 * i)) & 0xFFFFFFFF for i in range(count)] for beat in beats], dtype=np.uint32
    ).reshape(len(beats), count)
    flat = from_beats(words, stream, (stream.lanes,)).ravel()
    wanted = expected.reshape(-1)
    common = min(len(flat), len(wanted))
    wrong = np.flatnonzero(flat[:common] != wanted[:common])
    if len(wrong):
        index = int(wrong[0])
        return f"{_position(index, expected.shape)}: expected {wanted[index]}, found {flat[index]}"
    return ""


def _position(index: int, shape: tuple[int, ...]) -> str:
    where = [int(i) for i in np.unravel_index(index, shape)]
    axes = ("row", "column", "channel") if len(where) == 4 else ("channel",)
    parts = ", ".join(f"{axis} {i}" for axis, i in zip(axes, where[1:], strict=False))
    return f"{parts} of image {where[0]}"
