# SPDX-License-Identifier: Apache-2.0
"""Run an external program: its output in a log, and never a process or a file left behind."""

from __future__ import annotations

import codecs
import importlib.util
import math
import os
import re
import selectors
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import IO, cast

from intaglio.errors import MissingToolError, ToolError

#: Runs the program in its own place, so that the kernel kills it when this process is gone. Done
#: in a fresh interpreter since code between fork and exec is not safe beside other threads.
_LAUNCHER = """\
import ctypes, os, signal, sys
if sys.platform == "linux":
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execvp(sys.argv[2], sys.argv[2:])
"""
_ERROR = re.compile(r"(?i)\berror\b[\w-]*:")
_MAX_REASON = 300


def run_logged(
    command: Sequence[str],
    *,
    cwd: Path,
    log: Path,
    timeout_s: float | None = None,
    silence_s: float | None = None,
    on_line: Callable[[str], None] | None = None,
    env: Mapping[str, str] | None = None,
    name: str | None = None,
) -> None:
    """Run a program to its end; add the command and all it prints to the log as it comes.

    It runs in a process group of its own with a private TMPDIR. The group is killed and TMPDIR
    removed when it takes too long, when `on_line` raises, or on Ctrl-C; the program is killed
    with this process too, however that ends.

    Args:
        command: the program and its arguments.
        cwd: where it runs.
        log: added to, not replaced.
        timeout_s: how long it may take; None is forever.
        silence_s: how long it may take to print the next thing; None is forever.
        on_line: called with every line it prints, without the line's end.
        env: variables to add to those of this process.
        name: what messages call the program, if not the file's name.

    Raises:
        MissingToolError: there is no such program.
        StuckError: it took too long.
        ToolError: its status was not 0.
    """
    name = name or Path(command[0]).name
    if shutil.which(command[0]) is None:
        raise MissingToolError(f"{name} must be installed to be run, and it is not")
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="intaglio-", ignore_cleanup_errors=True) as scratch,
        log.open("a", encoding="utf-8") as stream,
    ):
        stream.write(f"$ cd {shlex.quote(str(cwd))} && {shlex.join(command)}\n")
        process = _start(command, cwd, {**os.environ, **(env or {}), "TMPDIR": scratch})
        reason = _Reason()
        try:
            for line in _lines(process, timeout_s, silence_s):
                stream.write(line + "\n")
                stream.flush()
                reason.hear(line)
                if on_line is not None:
                    on_line(line)
            status = process.wait()
        except _LateError as late:
            raise StuckError(f"{name} must {late}, and it has not; see {log}") from None
        finally:
            _kill_group(process)
    if status != 0:
        ending = f"status {status}" if status > 0 else f"signal {signal.Signals(-status).name}"
        raise ToolError(f"{name} must end with status 0, not {ending}{reason}; see {log}")


def installed_version(package: str, module: str, requirement: str) -> str:
    """Return the version of a tool that comes as a Python package.

    Raises:
        MissingToolError: it is not installed; the text says how to get it.
    """
    if importlib.util.find_spec(module) is None:
        raise MissingToolError(
            f"{package} must be installed for this step, and it is not: pip install {requirement}"
        )
    return metadata.version(package)


class StuckError(ToolError):
    """A program took longer than it may; the text says which limit it passed."""


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Make an empty folder that is gone afterwards, whatever a killed run has left there."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


class _Reason:
    """Remembers the first line that reads as an error, or else the last that is not blank."""

    def __init__(self) -> None:
        self._last = ""
        self._error = ""

    def hear(self, line: str) -> None:
        line = line.strip()
        self._last = line or self._last
        if not self._error and _ERROR.search(line):
            self._error = line

    def __str__(self) -> str:
        line = self._error or self._last
        return f": {line[:_MAX_REASON]}" if line else ""


def _start(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid())]
    return subprocess.Popen(
        [*launcher, *command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


class _LateError(Exception):
    """A limit of time was passed; the text is the rule that was broken."""


def _lines(
    process: subprocess.Popen[bytes], timeout_s: float | None, silence_s: float | None
) -> Iterator[str]:
    """Yield what a process prints, line by line, until it prints no more.

    Raises:
        _LateError: it took longer than `timeout_s` in all, or `silence_s` for the next output.
    """
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    pending = ""
    end = math.inf if timeout_s is None else time.monotonic() + timeout_s
    output = cast("IO[bytes]", process.stdout)
    with output, selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            left = max(0.0, end - time.monotonic())
            wait = min(left, math.inf if silence_s is None else silence_s)
            if not selector.select(None if wait == math.inf else wait):
                whole = wait == left
                raise _LateError(
                    f"end within {timeout_s:g} s" if whole else f"go on within {silence_s:g} s"
                )
            chunk = os.read(output.fileno(), 1 << 16)
            if not chunk:
                break
            *lines, pending = (pending + decode(chunk)).split("\n")
            yield from lines
    if pending:
        yield pending


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process group whose leader has not been waited for, so that its id is still ours."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
