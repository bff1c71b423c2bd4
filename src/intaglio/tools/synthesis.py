# SPDX-License-Identifier: Apache-2.0
"""From SystemVerilog files to a bitstream and its figures, resumed where it was left.

The output folder holds `netlist.json`, the bitstream, `floor.json`, `synthesis.log` and two records
that say what they were made from: `cells.json` for the netlist and `synthesis.json` for all of it.
A step whose record has the same key is not run again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from intaglio.artifact import canonical, write_json
from intaglio.devices.description import Device
from intaglio.errors import ArtifactError, ToolError
from intaglio.tools import nextpnr, yosys
from intaglio.tools.families import placer
from intaglio.tools.floor import FLOOR, Tile, read_floor
from intaglio.tools.netlist import Cells
from intaglio.tools.nextpnr import Placed

SCHEMA = 1
RECORD = "synthesis.json"
NETLIST = "netlist.json"
NETLIST_RECORD = "cells.json"
LOG = "synthesis.log"
#: Memory images that sources may read, looked for in the folder the sources are in.
MEMORY_FILES = ("*.hex", "*.mem")
#: How many placements to try for the clock that `families` aims at.
ATTEMPTS = 3

_REFRESH_S = 0.2
_STAGES = ("synthesize", "pack", "place", "refine", "route", "bitstream")


@dataclass(frozen=True)
class Synthesis:
    """A design in silicon: the cells Yosys made, what nextpnr placed, and the bitstream.

    `bitstream` is relative to the output folder; `bitstream_sha256` is its hash. `seconds` has
    the time of each step when it ran, `tools` the versions of the programs. `floor` says where the
    cells are; results of earlier versions have none.
    """

    key: str
    top: str
    device: str
    seed: int
    cells: Cells
    placed: Placed
    bitstream: str
    bitstream_sha256: str
    seconds: Mapping[str, float] = field(hash=False)
    tools: Mapping[str, str] = field(hash=False)
    floor: tuple[Tile, ...] = ()

    def __str__(self) -> str:
        placed = self.placed
        return (
            f"{self.top} on {self.device}: {placed.lut:,} LUT, {placed.ff:,} FF, {placed.dsp} DSP, "
            f"{placed.bram} block RAM, {placed.fmax_mhz:.1f} MHz"
        )


def synthesize_sources(
    folder: Path,
    sources: Sequence[str],
    top: str,
    device: Device,
    output: Path,
    *,
    seed: int = 1,
    progress: bool = True,
) -> Synthesis:
    """Synthesize, place, route and pack a design, or return what an equal call has made.

    Args:
        folder: where the sources and the memory images they read are.
        sources: SystemVerilog files, relative to `folder`.
        top: the top module.
        device: what to place it on.
        output: the folder for results, made if it is not there.
        seed: of the first placement; `placed.seed` tells which was taken.
        progress: whether to show a bar on stderr.

    Raises:
        MissingToolError: Yosys or nextpnr is not installed.
        InfeasibleError: the design does not fit the device.
        ToolError: a source is missing or a program failed; the text names the log.
    """
    tools = {"yosys": yosys.yosys_version(), "nextpnr": nextpnr.nextpnr_version(device.family)}
    netlist_key, key = synthesis_keys(folder, sources, top, device, seed, tools)
    done = _read(output, key)
    if done is not None:
        return done
    output.mkdir(parents=True, exist_ok=True)
    with _Bar(f"synthesize {top} for {device.name}", show=progress) as bar:
        made = _resume_netlist(output, netlist_key)
        if made is None:
            made = _make_netlist(folder, sources, top, device, output, netlist_key, bar)
        placed, seconds = _place(device, output, seed, bar)
    synthesis = Synthesis(
        key=key,
        top=top,
        device=device.name,
        seed=seed,
        cells=Cells(**made["cells"]),
        placed=placed,
        bitstream=placer(device.family).bitstream,
        bitstream_sha256=_hash_file(output / placer(device.family).bitstream),
        seconds={"synthesize": made["seconds"], "place": seconds},
        tools=tools,
    )
    write_json(output / RECORD, {"schema": SCHEMA, **asdict(synthesis)})
    return replace(synthesis, floor=read_floor(output / FLOOR))


def synthesis_keys(
    folder: Path,
    sources: Sequence[str],
    top: str,
    device: Device,
    seed: int,
    tools: Mapping[str, str],
) -> tuple[str, str]:
    """Return what tells a netlist, and the whole synthesis, from those made of anything else.

    Raises:
        ToolError: a source is missing.
    """
    contents = _hash_sources(folder, sources)
    netlist = _hash([SCHEMA, contents, list(sources), top, device.family, tools["yosys"]])
    target_mhz = placer(device.family).target_mhz
    return netlist, _hash([netlist, asdict(device), seed, target_mhz, ATTEMPTS, dict(tools)])


def load_synthesis(output: str | Path) -> Synthesis:
    """Read the result in an output folder.

    Raises:
        ArtifactError: there is none, or it or its bitstream is damaged.
    """
    done = _read(Path(output), None)
    if done is None:
        raise ArtifactError(f"{output} must hold a finished synthesis; run synthesize again")
    return done


def _make_netlist(
    folder: Path,
    sources: Sequence[str],
    top: str,
    device: Device,
    output: Path,
    key: str,
    bar: _Bar,
) -> dict[str, Any]:
    (output / NETLIST_RECORD).unlink(missing_ok=True)
    (output / LOG).unlink(missing_ok=True)
    begin = time.monotonic()
    cells = yosys.synthesize_netlist(
        folder,
        sources,
        top,
        output / NETLIST,
        log=output / LOG,
        family=device.family,
        on_line=bar.listen(yosys.progress),
    )
    record = {
        "schema": SCHEMA,
        "key": key,
        "netlist_sha256": _hash_file(output / NETLIST),
        "seconds": round(time.monotonic() - begin, 2),
        "cells": asdict(cells),
    }
    write_json(output / NETLIST_RECORD, record)
    return record


def _place(device: Device, output: Path, seed: int, bar: _Bar) -> tuple[Placed, float]:
    (output / RECORD).unlink(missing_ok=True)
    begin = time.monotonic()
    placed = nextpnr.place_and_route(
        output / NETLIST,
        device,
        output / placer(device.family).bitstream,
        log=output / LOG,
        target_mhz=placer(device.family).target_mhz,
        seed=seed,
        attempts=ATTEMPTS,
        on_line=bar.listen(nextpnr.progress),
    )
    return placed, round(time.monotonic() - begin, 2)


def _resume_netlist(output: Path, key: str) -> dict[str, Any] | None:
    """Return the record of the netlist in an output folder if it was made from that key."""
    record = _read_json(output / NETLIST_RECORD)
    if record.get("key") != key or record.get("schema") != SCHEMA:
        return None
    whole = record.get("netlist_sha256") == _hash_file(output / NETLIST)
    return record if whole else None


def _read(output: Path, key: str | None) -> Synthesis | None:
    """Return the result in an output folder if it is whole and, if a key is given, has that."""
    record = _read_json(output / RECORD)
    if record.pop("schema", None) != SCHEMA or (key is not None and record.get("key") != key):
        return None
    try:
        cells, placed = Cells(**record.pop("cells")), Placed(**record.pop("placed"))
        floor = read_floor(output / FLOOR)
        synthesis = Synthesis(**{**record, "cells": cells, "placed": placed, "floor": floor})
    except (KeyError, TypeError):
        return None
    whole = _hash_file(output / synthesis.bitstream) == synthesis.bitstream_sha256
    return synthesis if whole else None


def _read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; one that is missing or damaged holds nothing."""
    try:
        document = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _hash(document: Any) -> str:
    return hashlib.sha256(canonical(document).encode()).hexdigest()


def _hash_file(path: Path) -> str:
    """Hash a file; one that is not there hashes to nothing."""
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _hash_sources(folder: Path, sources: Sequence[str]) -> dict[str, str]:
    """Hash sources and memory images by their names.

    Raises:
        ToolError: a source is missing.
    """
    for name in sources:
        if not (folder / name).is_file():
            raise ToolError(f"{folder / name} must be there to be synthesized; it is missing")
    memories = [f for pattern in MEMORY_FILES for f in folder.rglob(pattern)]
    names = {*sources, *(f.relative_to(folder).as_posix() for f in memories)}
    return {name: _hash_file(folder / name) for name in sorted(names)}


class _Bar:
    """A progress bar over the stages, which follows what the programs print."""

    def __init__(self, title: str, *, show: bool) -> None:
        self._bar = tqdm(
            total=len(_STAGES),
            desc=title,
            disable=not show,
            bar_format="{desc} |{bar:12}| {elapsed}",
        )
        self._title = title
        self._shown = 0.0

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.close()

    def listen(self, progress: Callable[[str], tuple[str, str] | None]) -> Callable[[str], None]:
        """Return a function that takes lines and shows the stages `progress` finds in them."""

        def hear(line: str) -> None:
            found = progress(line)
            if found is not None:
                self._show(*found)

        return hear

    def _show(self, stage: str, detail: str) -> None:
        number, now = _STAGES.index(stage) + 1, time.monotonic()
        if number != self._bar.n or now - self._shown > _REFRESH_S:
            self._bar.n = number
            self._bar.set_description_str(f"{self._title}: {stage} {detail}".rstrip())
            self._shown = now
