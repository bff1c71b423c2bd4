# SPDX-License-Identifier: Apache-2.0
"""Run a SystemVerilog bench that makes its own clock, in Verilator."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from intaglio.compiler import compiler_path
from intaglio.tools.verilator import RUNTIME, _runtime, verilator_root


def run_bench(
    folder: Path,
    sources: Sequence[str],
    top: str,
    work: Path,
    runtime: Path,
    *,
    lint: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Build a bench, refuse what Verilator warns of, run it in `folder`, return how it ended."""
    root, compiler = verilator_root(), compiler_path()
    generated = work / "generated"
    generated.mkdir(parents=True)
    command = [
        *(str(root / "bin" / "verilator_bin"), "--cc", "--main", "--timing", "--assert"),
        *(["-Wall"] if lint else ["-Wno-lint", "-Wno-fatal"]),
        *("--prefix", "Vbench", "--top-module", top, "-Mdir", str(generated), *sources),
    ]
    environment = {**os.environ, "VERILATOR_ROOT": str(root)}
    subprocess.run(command, cwd=folder, env=environment, check=True)
    parts = [*sorted(generated.glob("*.cpp")), root / "include" / "verilated_timing.cpp"]
    (generated / "all.cc").write_text("".join(f'#include "{part}"\n' for part in parts))
    objects = [_runtime(root, compiler, runtime, name, work / "build.log") for name in RUNTIME]
    command = [
        *(compiler, "-O0", "-std=c++20", "-pthread", "-I", str(root / "include")),
        *("-I", str(root / "include" / "vltstd"), "-I", str(generated)),
        *(str(generated / "all.cc"), *map(str, objects), "-o", str(work / "bench")),
    ]
    subprocess.run(command, check=True)
    return subprocess.run([work / "bench"], cwd=folder, capture_output=True, text=True, check=False)
