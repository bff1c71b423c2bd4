# SPDX-License-Identifier: Apache-2.0
"""The page that describes a bundle's top level to the engineer who drops it into a project."""

from __future__ import annotations

from collections.abc import Mapping

from intaglio.arch.design import Design
from intaglio.hw.unit import Stream
from intaglio.ir.types import Quantization
from intaglio.rtl.top import axis_width


def page(design: Design, module: str) -> str:
    """Print the page as Markdown."""
    graph = design.program.graph
    (name, into), out = next(iter(design.inputs.items())), design.output_stream
    meaning = design.program.quantization
    cycles = design.cycles
    rows = [
        f"| {i.name} | `{i.unit.module}` | {_streams(i.unit.inputs)} | {_streams(i.unit.outputs)} "
        f"| {i.unit.multipliers or ''} | {i.unit.interval:,} |"
        for i in design.instances
    ]
    return f"""# {module}

Streaming hardware of the network `{graph.name}` for {design.device.name}. `rtl/{module}.sv` is the
only generated module; the others are the library's, unchanged.

| | |
|---|---|
| clock | one, `aclk`; reset `aresetn`, synchronous, active low |
| latency | {cycles.latency:,} cycles, first beat in to last beat out, first frame |
| interval | {cycles.interval:,} cycles between frames |
| multipliers | {design.multipliers} in use for the network |

## Ports
{_port("s_axis", "input", into, design.program.graph.types[name].shape, meaning[name])}
{_port("m_axis", "output", out, graph.types[graph.outputs[0]].shape, meaning[graph.outputs[0]])}\
{"".join(f"Note: {note}.{chr(10)}" for note in design.program.notes)}
`m_axis_tlast` marks the last beat of a frame. `s_axis` needs no `tlast`: frames have a fixed size.

## Units, in stream order
| unit | module | in | out | multipliers | interval |
|---|---|---|---|---|---|
{chr(10).join(rows)}

## Files
- `rtl/` sources; `mem/` memory images, read with `$readmemh` from paths relative to this folder.
- `sim/` bench `{module}_tb.sv` and, for a family with its own leaf cells, their models; a module
  there is simulated in place of that of the same name in `rtl/`. `vectors/` has the bench's
  stimulus and expected beats.
- `manifest.json` what everything was made from, with checksums.
"""


def _streams(streams: Mapping[str, Stream]) -> str:
    values = streams.values()
    return ", ".join(f"{s.lanes} x {s.element}" for s in values)


def _port(
    prefix: str, kind: str, stream: Stream, shape: tuple[int, ...], meaning: Quantization
) -> str:
    scale = meaning.scale[0] if len(set(meaning.scale)) == 1 else "per channel"
    return f"""
### `{prefix}`: {kind}
A frame is {list(shape)} of {stream.element}, channels last, in {stream.beats:,} beats of
{stream.lanes} element(s); the first element sits in the lowest bits of `{prefix}_tdata`
({axis_width(stream)} bits, {stream.width} used).
Real value = {scale} * (code - {meaning.zero_point}).
"""
