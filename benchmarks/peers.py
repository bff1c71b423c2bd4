# SPDX-License-Identifier: Apache-2.0
"""Other people's programs as subjects of a benchmark: each in its own environment and process.

An environment is a virtual environment in a folder the user names, made once, with the versions
that are pinned here. A peer's process reads one request a line and answers each with one line, so
that peers can be timed in turns: all of them meet the same moods of the machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HERE = Path(__file__).parent

#: What is installed for each peer, exactly.
PINS: Mapping[str, Sequence[str]] = {
    "onnxruntime": ("onnxruntime==1.31.1", "onnx==1.23.2", "sympy==1.14.0"),
    "qonnx": ("qonnx==1.0.0", "onnx==1.19.1", "onnxruntime==1.31.1"),
    "hls4ml": ("hls4ml==1.3.0", "torch==2.13.0"),
    "scalesim": ("scalesim==3.0.0", "numpy==2.3.5"),  # every run ends in an error from 2.4 on
}


class PeerError(Exception):
    """A peer cannot be installed, or does not do what it is asked; the text says why."""


def environment(folder: Path, peer: str) -> Path:
    """Return the Python of a peer's environment, made first where it is not there.

    Raises:
        PeerError: it cannot be installed.
    """
    python = folder / peer / "bin" / "python"
    stamp = folder / peer / "pins.json"
    pins = json.dumps(PINS[peer])
    if python.is_file() and stamp.is_file() and stamp.read_text() == pins:
        return python
    folder.mkdir(parents=True, exist_ok=True)
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(folder / peer)],
        [str(python), "-m", "pip", "install", "--quiet", *PINS[peer]],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if "ERROR" in line]
            raise PeerError(f"{peer} cannot be installed: {(lines or ['no reason given'])[0]}")
    stamp.write_text(pins)
    return python


@dataclass
class Peer:
    """A running peer."""

    name: str
    process: subprocess.Popen[str]
    facts: Mapping[str, Any]

    @classmethod
    def start(cls, name: str, folder: Path, *arguments: str | Path) -> Self:
        """Start `peer_NAME.py` in its environment and wait until it is ready.

        Raises:
            PeerError: it cannot be installed, or ends instead.
        """
        python, script = environment(folder, name), HERE / f"peer_{name}.py"
        log = folder / f"{name}.log"
        with log.open("w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                [str(python), str(script), *(str(a) for a in arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        peer = cls(name, process, {})
        peer.facts = peer._answer(log)
        return peer

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and return the answer.

        Raises:
            PeerError: the peer ended instead.
        """
        if self.process.stdin is None:
            raise PeerError(f"{self.name} takes no requests")
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._answer(None)

    def _answer(self, log: Path | None) -> dict[str, Any]:
        """Read lines until one is an answer: peers print what they like."""
        for line in self.process.stdout or ():
            if line.startswith("answer "):
                return dict(json.loads(line.removeprefix("answer ")))
        self.process.wait()
        said = log.read_text(encoding="utf-8").splitlines() if log else []
        raise PeerError(f"{self.name} ended: {(said or ['without a word'])[-1]}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
