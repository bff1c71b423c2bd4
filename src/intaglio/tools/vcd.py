# SPDX-License-Identifier: Apache-2.0
"""Read streams back out of a waveform: the beats that passed between the units of a design."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path

#: A line that changes a value: a number, and the identifier code of what has it. Such a code may
#: itself begin with a digit.
_CHANGE = re.compile(r"(?:b([01]+) |([01]))(\S+)")


def stream_beats(path: Path, wires: Iterable[str], clock: str) -> Mapping[str, list[int]]:
    """Return, for each stream, the data of every beat taken at a rising clock edge.

    Args:
        path: a VCD file of a design in which each stream has `_valid`, `_ready` and `_data`.
        wires: names of the streams, without those endings.
        clock: name of the clock, in the same scope.
    """
    wanted = {f"{wire}_{end}" for wire in wires for end in ("valid", "ready", "data")}
    values: dict[str, int] = {}
    beats: dict[str, list[int]] = {wire: [] for wire in wires}
    with path.open() as stream:
        names = _declarations(stream, wanted | {clock})
        pending: dict[str, int] = {}
        for line in chain(stream, ["#"]):
            if line.startswith("#"):
                # A rising edge samples what was stable before it.
                if pending.get(clock, 0) == 1 and values.get(clock, 0) == 0:
                    _sample(values, beats)
                values.update(pending)
                pending = {}
                continue
            if change := _CHANGE.fullmatch(line.rstrip()):
                for name in names.get(change[3], ()):
                    pending[name] = int(change[1] or change[2], 2)
    return beats


def _sample(values: Mapping[str, int], beats: Mapping[str, list[int]]) -> None:
    for wire, found in beats.items():
        if values.get(f"{wire}_valid") and values.get(f"{wire}_ready"):
            found.append(values.get(f"{wire}_data", 0))


def _declarations(stream: Iterable[str], wanted: set[str]) -> dict[str, list[str]]:
    """Map identifier codes to wanted names; the outermost scope that declares a name counts."""
    names: dict[str, list[str]] = {}
    seen: set[str] = set()
    for line in stream:
        words = line.split()
        if words[:1] == ["$enddefinitions"]:
            break
        if words[:1] == ["$var"] and words[4] in wanted and words[4] not in seen:
            seen.add(words[4])
            names.setdefault(words[3], []).append(words[4])
    return names
