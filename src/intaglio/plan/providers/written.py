# SPDX-License-Identifier: Apache-2.0
"""Machines that other programs rent: what they are asked, as files, and handed over on request.

Nothing is rented unless `launch` is called: whoever reads the files can see what would be.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from intaglio.artifact import write_atomic
from intaglio.errors import MissingToolError, ToolError
from intaglio.plan.market import Market, Mode
from intaglio.plan.schedule import Schedule
from intaglio.plan.training import Training


@dataclass(frozen=True)
class Request:
    """A machine to be asked for: what, when, in seconds from the start, and where its work is."""

    name: str
    mode: Mode
    begin: int
    end: int
    training: Training
    bucket: str


class Form(Protocol):
    """How a program wants to be asked."""

    @property
    def program(self) -> str:
        """The command that is run."""
        ...

    @property
    def package(self) -> str:
        """How to get it."""
        ...

    @property
    def ending(self) -> str:
        """The ending of its files."""
        ...

    def text(self, request: Request) -> str:
        """Return the contents of a file."""
        ...

    def command(self, path: Path) -> Sequence[str]:
        """Return the command that rents what a file asks for."""
        ...


def write_requests(
    form: Form, folder: Path, market: Market, chosen: Schedule, training: Training, bucket: str
) -> list[Path]:
    """Write a file for each stint of a schedule, in order of time."""
    written = []
    for number, stint in enumerate(chosen.stints, 1):
        mode = market.modes[stint.mode]
        name = f"{market.job.name}-{number:02d}"
        request = Request(name, mode, stint.begin, stint.end, training, bucket)
        path = folder / f"{number:02d}-{mode.size}{form.ending}"
        write_atomic(path, form.text(request).encode())
        written.append(path)
    return written


def launch(form: Form, path: Path, environment: Mapping[str, str] | None = None) -> str:
    """Rent what a file asks for; return what the program says.

    Raises:
        MissingToolError: the program is not installed.
        ToolError: it fails.
    """
    place = None if environment is None else environment.get("PATH")
    if shutil.which(form.program, path=place) is None:
        raise MissingToolError(
            f"{path.name} needs {form.program}, which is not installed: {form.package}"
        )
    done = subprocess.run(
        form.command(path), capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        last = said[-1] if said else f"status {done.returncode}"
        raise ToolError(f"{form.program} must take {path}, and says: {last}")
    return done.stdout.strip()
