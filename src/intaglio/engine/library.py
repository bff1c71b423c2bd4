# SPDX-License-Identifier: Apache-2.0
"""The compiled kernels: built from `kernels.cpp` once for a machine, then only loaded."""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import os
import platform
import subprocess
import tempfile
from functools import cache
from importlib import resources
from pathlib import Path

from intaglio.compiler import compiler_path
from intaglio.errors import ToolError

#: Divisions and sums of reals must stay as they are written: no fused multiply-add.
FLAGS = ("-std=c++17", "-O3", "-march=native", "-ffp-contract=off", "-fPIC", "-shared")


@cache
def library() -> ctypes.CDLL:
    """Return the kernels, compiled first where this machine has not done that yet (some seconds).

    Raises:
        MissingToolError: there is no C++ compiler.
        ToolError: it fails.
    """
    compiler = compiler_path()
    source = Path(str(resources.files("intaglio.engine"))) / "kernels.cpp"
    digest = hashlib.sha256("\n".join((compiler, *FLAGS, _processor())).encode())
    for part in sorted((source, *source.parent.glob("*.h"))):
        digest.update(part.read_bytes())
    path = _folder() / f"kernels-{digest.hexdigest()[:32]}.so"
    if not path.is_file():
        _compile(compiler, source, path)
    kernels = ctypes.CDLL(str(path))
    pointer, word = ctypes.c_void_p, ctypes.c_int64
    kernels.run_tape.argtypes = [pointer, word, pointer, pointer, pointer, pointer, word, word]
    kernels.run_tape.restype = ctypes.c_int
    return kernels


def _compile(compiler: str, source: Path, path: Path) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    command = [compiler, *FLAGS, str(source), "-o", str(fresh)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.splitlines() or ["it says nothing"]
        raise ToolError(f"{compiler} must compile {source.name}, not fail: {lines[0]}")
    fresh.replace(path)


def _folder() -> Path:
    """Return where compiled kernels are kept: the user's cache, or else this process's own."""
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(base) / "intaglio"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return _own()
    return folder if os.access(folder, os.W_OK) else _own()


@cache
def _own() -> Path:
    """Make a folder that is gone when this process ends."""
    folder = tempfile.TemporaryDirectory(prefix="intaglio-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)  # which also keeps it until then
    return Path(folder.name)


def _processor() -> str:
    """Say what the processor can do, so that a shared cache is never run on another kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")
