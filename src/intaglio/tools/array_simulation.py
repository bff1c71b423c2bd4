# SPDX-License-Identifier: Apache-2.0
"""The proof of an array: every output bit, and the cycle in which every instruction is done.

A difference is traced to its layer: the frame is run once more, and what each layer left in memory
is compared with its values.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from intaglio.arch.systolic.design import ArrayDesign
from intaglio.arch.systolic.predict import Memory, Prediction, predict
from intaglio.arch.systolic.schedule import UNITS
from intaglio.arch.systolic.tensors import frame_bytes, frame_of
from intaglio.engine import engine
from intaglio.errors import ModelError, ToolError, VerificationError
from intaglio.ir.execute import trace
from intaglio.rtl.array_bundle import MEMORY
from intaglio.rtl.bundle import Bundle
from intaglio.tools.simulation import Run
from intaglio.tools.verilator import OPTIMIZE, Bench, Harness, build


@dataclass(frozen=True)
class Frame:
    """What a frame left behind.

    Shapes: `data` the bytes that were asked for; `done` the cycles of each unit's instructions.
    """

    data: bytes
    done: tuple[np.ndarray, ...]


def simulate_array(
    bundle: Bundle,
    design: ArrayDesign,
    frames: np.ndarray,
    *,
    memory: Memory | None = None,
    work: Path | None = None,
    runtime: Path | None = None,
    optimize: str = OPTIMIZE,
    progress: bool = True,
) -> Run:
    """Run integer frames through a bundle's array and compare everything.

    Args:
        bundle: what to run.
        design: what it was written from.
        frames: integers of the program's input type, [N, *frame].
        memory: how the external memory answers; as the design says by default.
        work: folder for compiled parts; beside the bundle by default.
        runtime: where to keep Verilator's own compiled parts for other bundles too.
        optimize: the C++ compiler's option.
        progress: show a bar.

    Raises:
        VerificationError: a bit or a cycle differs; the text names image, layer and place, or unit
            and instruction.
        ModelError: there is no frame.
        MissingToolError: Verilator or a compiler is missing.
        ToolError: a tool failed.
    """
    if len(frames) == 0:
        raise ModelError("a simulation must be given at least one image, not none")
    memory = memory or design.memory
    work = work or bundle.folder.with_name(bundle.folder.name + ".sim")
    started = time.perf_counter()
    harness = array_harness(design)
    bench = build(bundle, work, runtime=runtime, optimize=optimize, harness=harness)
    built = time.perf_counter()
    with tqdm(total=len(frames), desc="simulate", unit="image", disable=not progress) as bar:
        found = run_frames(bench, design, frames, memory, on_frame=lambda _: bar.update())
    ended = time.perf_counter()
    _compare(bench, design, frames, found, memory)
    total, foretold = int(found[0].done[-1][-1]), prediction_of(design, memory).total
    return Run(
        images=len(frames),
        bit_mismatches=0,
        cycle_mismatches=0,
        stalled=False,
        latency_predicted=foretold,
        latency_simulated=total,
        interval_predicted=foretold,
        interval_simulated=total,
        cycles=total * len(frames),
        build_seconds=round(built - started, 3),
        run_seconds=round(ended - built, 3),
    )


def _compare(
    bench: Bench, design: ArrayDesign, frames: np.ndarray, found: list[Frame], memory: Memory
) -> None:
    """Compare every bit with the program, and every instruction's cycle with the one foretold."""
    expected = engine(design.program).frames(frames)
    place = design.schedule.output
    for index, frame in enumerate(found):
        result = frame_of(frame.data, place, design.array).reshape(expected[index].shape)
        if not np.array_equal(result, expected[index]):
            where = _first_difference(bench, design, frames[index], memory)
            raise VerificationError(f"image {index}, {where}")
        _compare_cycles(design, memory, index, frame)


def array_harness(design: ArrayDesign) -> Harness:
    """Return the program that plays the memory of an array."""
    return Harness("array_bench.cpp", {"DESIGN_BEAT_BYTES": design.array.beat_bits // 8})


def run_frames(
    bench: Bench,
    design: ArrayDesign,
    frames: np.ndarray,
    memory: Memory,
    *,
    whole: bool = False,
    on_frame: Callable[[int], object] | None = None,
) -> list[Frame]:
    """Run frames and return what each left where the output lies, or in all of memory.

    Raises:
        ToolError: the array stopped before its end, or an assertion does not hold.
    """
    schedule = design.schedule
    beat = design.array.beat_bits // 8
    into, out = schedule.input, schedule.output
    data = b"".join(frame_bytes(frame, into, design.array) for frame in frames)
    kept = (0, len(schedule.image)) if whole else (out.beat * beat, out.beats * beat)
    numbers = (len(frames), into.beat * beat, into.beats * beat, *kept, *astuple(memory))
    longest = max(cycles.total for cycles in prediction_of(design, memory).layers)
    output = bench.execute(
        data,
        before=[str((bench.bundle.folder / MEMORY).resolve())],
        after=[*map(str, (*numbers, 2 * longest + 1000))],
        on_frame=on_frame,
    )
    return _read(output, kept[1])


def _read(data: bytes, size: int) -> list[Frame]:
    found, at = [], 0
    while at < len(data):
        kept = data[at : at + size]
        at += size
        counts = np.frombuffer(data, np.int64, len(UNITS), at)
        at += counts.nbytes
        done = []
        for count in counts:
            done.append(np.frombuffer(data, np.int64, count, at))
            at += 8 * int(count)
        found.append(Frame(kept, tuple(done)))
    if at != len(data):
        raise ToolError(f"the bench's output must have {at} bytes, not {len(data)}")
    return found


def prediction_of(design: ArrayDesign, memory: Memory) -> Prediction:
    """Return the cycles foretold for a memory."""
    return design.prediction if memory == design.memory else predict(design.schedule, memory)


def _compare_cycles(design: ArrayDesign, memory: Memory, index: int, frame: Frame) -> None:
    foretold = prediction_of(design, memory).done
    for kind, seen in zip(UNITS, frame.done, strict=True):
        wanted = np.array(foretold[kind], np.int64)
        if len(wanted) != len(seen):
            raise VerificationError(
                f"image {index}: {len(wanted)} {kind.__name__.lower()}s foretold, {len(seen)} done"
            )
        if wrong := np.flatnonzero(wanted != seen).tolist():
            raise VerificationError(
                f"image {index}, {kind.__name__.lower()} {wrong[0]}: foretold to be done at cycle "
                f"{wanted[wrong[0]]}, simulated at {seen[wrong[0]]} ({design.program.graph.name})"
            )


def _first_difference(bench: Bench, design: ArrayDesign, frame: np.ndarray, memory: Memory) -> str:
    """Return the first layer that left a wrong value in memory, and the place."""
    (found,) = run_frames(bench, design, frame[None], memory, whole=True)
    graph = design.program.graph
    values = trace(graph, {graph.inputs[0].name: frame[None]})
    beat = design.array.beat_bits // 8
    for layer in design.network.layers:
        place = design.schedule.tensors[layer.name]
        data = found.data[place.beat * beat : (place.beat + place.beats) * beat]
        seen = frame_of(data, place, design.array)
        wanted = values[layer.name][0].reshape(seen.shape)
        if wrong := np.argwhere(seen != wanted).tolist():
            row, column, channel = wrong[0]
            return (
                f"layer {layer.name}, row {row}, column {column}, channel {channel}: expected "
                f"{wanted[row, column, channel]}, found {seen[row, column, channel]}"
            )
    return "the output: no layer left a wrong value in memory"
