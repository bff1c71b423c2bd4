# SPDX-License-Identifier: Apache-2.0
"""A folder that Vivado builds unchanged, for the families that open tools do not place.

It holds the bundle's sources and memory images, constraints, a script that synthesizes, places,
routes and reports out of context, one that packages the design as an IP, and a page. What Yosys
makes of the design for the family comes with it, as an estimate; no clock is claimed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from intaglio.artifact import canonical, write_json
from intaglio.devices.description import Device
from intaglio.folder import replaced, require_room
from intaglio.rtl.bundle import Bundle
from intaglio.tools.netlist import Cells
from intaglio.tools.yosys import synthesize_netlist, yosys_version

RECORD = "project.json"
#: Where sources look for memory images; both scripts write their own folder into it.
_ROOT = "image_root.svh"
_INCLUDE = f'`include "{_ROOT}"\n\n'
_IMAGE = re.compile(r'\("(mem/[^"]+)"\)')


@dataclass(frozen=True)
class Project:
    """A written project. `cells` are Yosys' estimate; Vivado's own figures are in its reports."""

    folder: Path
    top: str
    device: str
    clock_mhz: float
    cells: Cells
    tools: Mapping[str, str]

    def __str__(self) -> str:
        cells = self.cells
        return (
            f"{self.top} for {self.device}: a Vivado project in {self.folder}; Yosys estimate: "
            f"{cells.lut:,} LUT, {cells.ff:,} FF, {cells.dsp} DSP, {cells.bram} block RAM of "
            f"18 Kbit\n"
            f"$ cd {self.folder} && vivado -mode batch -source build.tcl"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON types."""
        return {**asdict(self), "folder": str(self.folder), "label": "Yosys estimate"}


def write_project(
    bundle: Bundle, device: Device, output: Path, *, clock_mhz: float = 200.0
) -> Project:
    """Write a bundle as a Vivado project, replacing an older one in the same folder.

    One that was written from the same contents stays as it is, with the reports Vivado has made.
    Yosys' log is beside the folder until the project is whole.

    Args:
        bundle: what `emit` wrote.
        device: the one it was made for.
        output: where; it must be absent, empty, or hold a project.
        clock_mhz: the clock Vivado is to aim at.

    Raises:
        ArtifactError: the folder is a file or holds something else.
        MissingToolError: Yosys is not installed.
        ToolError: Yosys failed.
    """
    require_room(output, RECORD, "project")
    files, tools = _files(bundle, device, clock_mhz), {"yosys": yosys_version()}
    key = hashlib.sha256(canonical([files, tools]).encode()).hexdigest()
    done = _read(output, key)
    if done is not None and all((output / name).is_file() for name in files):
        return done
    log = output.with_name(f"{output.name}.yosys.log")
    log.unlink(missing_ok=True)
    with replaced(output) as fresh:
        for name, text in files.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_text(text)
        netlist = fresh / "yosys" / "netlist.json"
        cells = synthesize_netlist(
            fresh, bundle.sources, bundle.top, netlist, log=log, family=device.family
        )
        project = Project(output, bundle.top, device.name, clock_mhz, cells, tools)
        write_json(fresh / RECORD, {**project.to_json(), "key": key})
        if log.is_file():
            log.replace(netlist.with_name("synthesis.log"))
    return project


def _read(output: Path, key: str) -> Project | None:
    """Return the project in a folder if it was written from what has that key."""
    try:
        record = json.loads((output / RECORD).read_text())
        if record["key"] != key:
            return None
        cells = Cells(**record["cells"])
        clock_mhz, tools = record["clock_mhz"], record["tools"]
        return Project(output, record["top"], record["device"], clock_mhz, cells, tools)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _files(bundle: Bundle, device: Device, clock_mhz: float) -> dict[str, str]:
    """Return what a project holds before any tool has run, by path."""
    files = _texts(bundle, device, clock_mhz)
    for name in bundle.sources:
        text = (bundle.folder / name).read_text()
        files[name] = _rooted(text) if name == f"rtl/{bundle.top}.sv" else text
    for image in sorted((bundle.folder / "mem").glob("*.hex")):
        files[f"mem/{image.name}"] = image.read_text()
    return files


def _rooted(top: str) -> str:
    """Make a top level look for its images below the root that the scripts write."""
    return _INCLUDE + _IMAGE.sub(r'({`IMAGE_ROOT, "\1"})', top)


def _texts(bundle: Bundle, device: Device, clock_mhz: float) -> dict[str, str]:
    values = {
        "top": bundle.top,
        "part": device.part,
        "device": device.name,
        "period": f"{1000 / clock_mhz:.3f}",
        "clock": f"{clock_mhz:g}",
        "sources": " \\\n  ".join(bundle.sources),
        "root": _ROOT,
    }
    files = {
        f"rtl/{_ROOT}": '`define IMAGE_ROOT "./"\n',
        "constraints/clock.xdc": _CLOCK.format(**values),
        "build.tcl": _BUILD.format(**values),
        "package_ip.tcl": _PACKAGE.format(**values),
        "README.md": _PAGE.format(**values),
    }
    if device.clock_pin is not None:
        files["constraints/board.xdc"] = _BOARD.format(
            pin=device.clock_pin, board=device.board or device.name, mhz=device.clock_mhz
        )
    return files


_CLOCK = """\
# The clock that the design is to reach; used out of context, where ports have no pins.
create_clock -name aclk -period {period} [get_ports aclk]
"""
_BOARD = """\
# {board}: the oscillator of {mhz:g} MHz. Not read by build.tcl: for a design of your own that
# has the other ports on pins, too.
set_property -dict {{PACKAGE_PIN {pin} IOSTANDARD LVCMOS33}} [get_ports aclk]
"""
_ROOT_TCL = """\
# Memory images are found wherever the folder lies.
set stream [open rtl/{root} w]
puts $stream "`define IMAGE_ROOT \\"$root/\\""
close $stream
"""
_BUILD = (
    """\
# Synthesizes, places, routes and reports the design out of context.
#   $ vivado -mode batch -source build.tcl
set root [file dirname [file normalize [info script]]]
cd $root
"""
    + _ROOT_TCL
    + """
file mkdir reports
create_project -in_memory -part {part}
set sources [list \\
  {sources}]
read_verilog -sv $sources
read_xdc -mode out_of_context constraints/clock.xdc
synth_design -top {top} -part {part} -mode out_of_context -flatten_hierarchy rebuilt \\
  -include_dirs $root/rtl
write_checkpoint -force reports/synthesized.dcp
report_utilization -file reports/synthesized_utilization.rpt
opt_design
place_design
phys_opt_design
route_design
write_checkpoint -force reports/routed.dcp
report_utilization -hierarchical -file reports/utilization.rpt
report_timing_summary -file reports/timing.rpt
report_timing -max_paths 20 -file reports/paths.rpt
report_power -file reports/power.rpt
"""
)
_PACKAGE = (
    """\
# Packages the design as an IP with two AXI-Stream ports, in ip/. The IP reads its memory images
# from this folder: leave it where it is, or run this again.
#   $ vivado -mode batch -source package_ip.tcl
set root [file dirname [file normalize [info script]]]
cd $root
"""
    + _ROOT_TCL
    + """
create_project -force package ip/project -part {part}
set sources [list \\
  {sources}]
add_files -norecurse $sources
add_files -norecurse rtl/{root}
set_property file_type {{Verilog Header}} [get_files {root}]
set_property include_dirs $root/rtl [current_fileset]
set_property top {top} [current_fileset]
update_compile_order -fileset sources_1
ipx::package_project -root_dir $root/ip/{top} -vendor intaglio -library network \\
  -taxonomy /UserIP -import_files -force
set core [ipx::current_core]
set_property name {top} $core
set_property display_name {{{top}}} $core
set_property description {{Streaming network {top}, written by Intaglio}} $core
ipx::infer_bus_interfaces xilinx.com:interface:axis_rtl:1.0 $core
ipx::associate_bus_interfaces -busif s_axis -clock aclk $core
ipx::associate_bus_interfaces -busif m_axis -clock aclk $core
ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::save_core $core
close_project
"""
)
_PAGE = """\
# {top} for Vivado

Streaming hardware of a network for {device} ({part}). From this folder:

    vivado -mode batch -source build.tcl       # synthesis to routed, out of context, at {clock} MHz
    vivado -mode batch -source package_ip.tcl  # an IP with two AXI-Stream ports, in ip/

- `rtl/` sources, `mem/` memory images, `constraints/` the clock and, where known, the board's pin.
- `reports/` what Vivado found: `timing.rpt` has the clock, `utilization.rpt` the cells.
- `project.json` what Yosys makes of the design for this family: an estimate. No clock is claimed
  before Vivado has routed the design.

The scripts were checked for their form only: no Vivado took part when they were written.
"""
