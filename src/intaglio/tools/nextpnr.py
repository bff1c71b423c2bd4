# SPDX-License-Identifier: Apache-2.0
"""nextpnr: from a netlist to a placed, routed and packed bitstream.

It is a WebAssembly program that sees a /tmp of its own, so all files are named relative to the
folder it runs in. What differs between families is in `families`.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from intaglio.devices.description import Device
from intaglio.errors import InfeasibleError, ToolError
from intaglio.tools.families import placer
from intaglio.tools.floor import FLOOR, occupied, write_floor
from intaglio.tools.process import StuckError, installed_version, run_logged, scratch_folder
from intaglio.tools.toolchain import Placer, Program

#: What helps where there are too few cells of a kind.
_LEVERS = {
    "lut": "fewer lanes or narrower weights",
    "ff": "fewer lanes",
    "dsp": "fewer lanes",
    "bram": "narrower weights",
    "pins": "narrower streams at the top",
}
_USED = re.compile(r"Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%")
_UNPLACEABLE = re.compile(
    r"ERROR: (Unable to (?:place|find)|.*[Ff]ailed to (?:place|route|legali))"
)
_STAGES = {
    "Info: Packing": "pack",
    "Info: Creating initial": "place",
    "Info: Running simulated annealing": "refine",
    "Info: Routing..": "route",
    "Info: Program finished": "bitstream",
}
_PROMISE = re.compile(r"Info: Max frequency for clock .*: ([\d.]+) MHz")
#: What a placement promises before it is routed is 3 to 47 % less than what comes of it.
_ENOUGH = 0.9
#: The longest nextpnr was silent and got on was 40 s, on a busy machine.
_SILENCE_S = 240.0
_ARCS = re.compile(r"Info:\s+\d+ \|.*\|\s+(\d+)\|[\s\d.]+\|$")


@dataclass(frozen=True)
class Placed:
    """What a placed and routed design takes, and how fast it may be clocked.

    `fmax_mhz` is between registers, at the device's speed grade, worst case; paths to and from
    pins are left out, as a board's host link registers both. `seed` is that of the placement.
    `note` says what the clock leaves out, if anything.
    """

    lut: int
    ff: int
    dsp: int
    bram: int
    pins: int
    fmax_mhz: float
    critical_path: str
    seed: int = 1
    note: str = ""


def nextpnr_version(family: str = "ecp5") -> str:
    """Return the version of a family's nextpnr.

    Raises:
        MissingToolError: it is not installed.
        ToolError: there is none for the family.
    """
    tools = placer(family)
    return installed_version(tools.package, tools.module, tools.requirement)


def place_and_route(
    netlist: Path,
    device: Device,
    bitstream: Path,
    *,
    log: Path,
    target_mhz: float = 100.0,
    seed: int = 1,
    attempts: int = 1,
    on_line: Callable[[str], None] | None = None,
) -> Placed:
    """Place and route a netlist and write its bitstream.

    Placements differ by a third in clock from seed to seed. One that promises too little, or that
    the router cannot finish, is given up for the next; if all are, the best promise is routed.

    Exactness: one seed gives one placement, so equal calls give equal results, except that a
    router counts as stuck after a time.

    Args:
        netlist: as `yosys.synthesize_netlist` writes it.
        device: a part of a family that has a placer.
        bitstream: the file to write; where its cells are is written beside it.
        log: what the programs print is added to this file.
        target_mhz: the clock aimed at; missing it is no error.
        seed: of the first placement; the next ones count up from it.
        attempts: how many placements to try.
        on_line: called with every line the programs print.

    Raises:
        MissingToolError: nextpnr is not installed.
        InfeasibleError: the design does not fit the device.
        ToolError: a program failed.
    """
    nextpnr_version(device.family)
    tools = placer(device.family)
    with scratch_folder(bitstream.parent / ".nextpnr") as work:
        shutil.copyfile(netlist, work / "netlist.json")
        job = _Job(tools, work, device, target_mhz, log, on_line)
        promises: dict[int, float] = {}
        for candidate in range(seed, seed + attempts):
            try:
                used = _attempt(job, candidate, _ENOUGH * target_mhz if attempts > 1 else 0.0)
                break
            except _GivenUpError as error:
                promises[candidate] = error.promised_mhz
        else:
            candidate = max(promises, key=lambda tried: promises[tried])
            used = _attempt(job, candidate, 0.0)
        report = json.loads((work / "report.json").read_text())
        placed = json.loads((work / "placed.json").read_text())
        write_floor(bitstream.parent / FLOOR, occupied(placed, tools.kinds, tools.places))
        _run(tools.packer, [], work, log, on_line)
        (work / tools.bitstream).replace(bitstream)
    return replace(_timed(read_report(report, used, tools), tools, target_mhz), seed=candidate)


def progress(line: str) -> tuple[str, str] | None:
    """Return (stage, detail) if a line nextpnr or ecppack prints begins one."""
    for beginning, stage in _STAGES.items():
        if line.startswith(beginning):
            return stage, ""
    arcs = _ARCS.match(line)
    return ("route", f"{int(arcs[1]):,} arcs left") if arcs else None


def read_report(report: Mapping[str, Any], used: Mapping[str, int], tools: Placer) -> Placed:
    """Read what nextpnr reports about a routed design.

    Args:
        report: what it wrote.
        used: the cells it said it would place, by kind.
        tools: the family's.

    Raises:
        ToolError: the design has no clock, or several.
    """
    clocks = report["fmax"]
    if len(clocks) != 1:
        raise ToolError(f"a design must have one clock, not {len(clocks)}")
    ((clock, fmax),) = clocks.items()
    edge = f"posedge {clock}"
    paths = [p for p in report["critical_paths"] if p["from"] == edge and p["to"] == edge]
    return Placed(
        lut=used.get("lut", 0),
        ff=used.get("ff", 0),
        dsp=used.get("dsp", 0),
        bram=used.get("bram", 0),
        pins=used.get("pins", 0),
        fmax_mhz=round(float(fmax["achieved"]), 2),
        critical_path=_describe(paths[0]["path"], tools) if paths else "",
    )


def _timed(placed: Placed, tools: Placer, target_mhz: float) -> Placed:
    """Claim no more than the clock aimed at where a path may go through cells without timing."""
    if not tools.untimed or not getattr(placed, tools.untimed) or placed.fmax_mhz <= target_mhz:
        return placed
    note = (
        f"{tools.program.name} knows no delays of {tools.untimed} cells, so no more is claimed "
        f"than the {target_mhz:g} MHz aimed at; without them it finds {placed.fmax_mhz:g} MHz"
    )
    return replace(placed, fmax_mhz=target_mhz, note=note)


@dataclass(frozen=True)
class _Job:
    """What all placements of a netlist share."""

    tools: Placer
    work: Path
    device: Device
    target_mhz: float
    log: Path
    on_line: Callable[[str], None] | None


class _GivenUpError(Exception):
    """A placement was not routed to its end; it promised this clock."""

    def __init__(self, promised_mhz: float) -> None:
        super().__init__(promised_mhz)
        self.promised_mhz = promised_mhz


def _attempt(job: _Job, seed: int, least_mhz: float) -> dict[str, int]:
    """Place and route once; return the cells by kind.

    Raises:
        _GivenUpError: the placement promises less than `least_mhz`, or if that is not 0, the
            router is stuck.
        InfeasibleError: the design does not fit the device.
        ToolError: nextpnr failed, or with a `least_mhz` of 0, the router is stuck.
    """
    watch = _Watch(job.device, job.tools, least_mhz)

    def hear(line: str) -> None:
        if job.on_line is not None:
            job.on_line(line)
        watch.hear(line)

    arguments = ["--json", "netlist.json", "--report", "report.json", "--seed", str(seed)]
    arguments += ["--write", "placed.json", "--freq", f"{job.target_mhz:g}", "--timing-allow-fail"]
    arguments += job.tools.arguments(job.device, job.work)
    try:
        _run(job.tools.program, arguments, job.work, job.log, hear)
    except StuckError:
        if least_mhz:
            raise _GivenUpError(0.0) from None
        raise
    except ToolError:
        if watch.unplaceable:
            raise InfeasibleError(watch.unplaceable) from None
        raise
    return watch.used


class _Watch:
    """Listens to what nextpnr says of cells, of failures to place them, and of the clock."""

    def __init__(self, device: Device, tools: Placer, least_mhz: float) -> None:
        self._device = device
        self._tools = tools
        self._least_mhz = least_mhz
        self._in_table = False
        self.used: dict[str, int] = {}
        self.unplaceable = ""

    def hear(self, line: str) -> None:
        """Take one line.

        Raises:
            InfeasibleError: the table has ended and shows more cells than the device has.
            _GivenUpError: the placement promises too slow a clock.
        """
        promise = _PROMISE.match(line)
        if promise and float(promise[1]) < self._least_mhz:
            raise _GivenUpError(float(promise[1]))
        row = _USED.match(line)
        if row:
            self._in_table = True
            if row[1] in self._tools.kinds:
                kind, weight = self._tools.kinds[row[1]]
                self._add(kind, weight * int(row[2]))
        elif self._in_table:
            self._in_table = False
            self._require_fit()
        for pattern, kind in self._tools.counted:
            if found := pattern.match(line):
                self._add(kind, int(found[1]))
        if _UNPLACEABLE.match(line):
            fullest = max(self.used, key=self._share, default="lut")
            self.unplaceable = (
                f"a design must leave room to place and route it on {self._device.name}, not take "
                f"{self.used.get(fullest, 0)} of {getattr(self._device, fullest)} {fullest}: "
                f"{_LEVERS[fullest]}"
            )

    def _add(self, kind: str, count: int) -> None:
        self.used[kind] = self.used.get(kind, 0) + count

    def _share(self, kind: str) -> float:
        return self.used[kind] / max(1, getattr(self._device, kind))

    def _require_fit(self) -> None:
        over = []
        for kind, need in self.used.items():
            bound = getattr(self._device, kind)
            if need > bound:
                over.append(f"{kind} {need} of {bound} ({need - bound} too many: {_LEVERS[kind]})")
        if over:
            raise InfeasibleError(
                f"a design must fit {self._device.name}, not need {'; '.join(over)}"
            )


def _run(
    program: Program,
    arguments: list[str],
    work: Path,
    log: Path,
    on_line: Callable[[str], None] | None,
) -> None:
    run_logged(
        [sys.executable, *program.arguments, *arguments],
        cwd=work,
        log=log,
        silence_s=_SILENCE_S,
        on_line=on_line,
        name=program.name,
    )


def _describe(path: list[Mapping[str, Any]], tools: Placer) -> str:
    """Say in a line where a path begins and ends, and what it is made of."""
    logic = sum(step["delay"] for step in path if step["type"] != "routing")
    routing = sum(step["delay"] for step in path if step["type"] == "routing")
    hops = sum(step["type"] == "logic" for step in path)
    # Cut from a cell's name what mapping added to the name of the register it belongs to.
    begin, end = (
        tools.mapped.sub("", cell) for cell in (path[0]["from"]["cell"], path[-1]["to"]["cell"])
    )
    return (
        f"{begin} to {end}: {logic + routing:.1f} ns, {logic:.1f} in cells ({hops} on the way) "
        f"and {routing:.1f} in wires"
    )
