# SPDX-License-Identifier: Apache-2.0
"""Write a design with an array as a bundle: sources, lists, memory, page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from intaglio.arch.design import Design
from intaglio.arch.systolic.design import ArrayDesign
from intaglio.arch.systolic.store import ARCHITECTURE, array_design_bytes, read_any_design
from intaglio.arch.systolic.tensors import Tensor, frame_bytes
from intaglio.engine import engine
from intaglio.hw import library
from intaglio.rtl.array_pins import array_pins
from intaglio.rtl.array_testbench import array_testbench
from intaglio.rtl.array_top import BLOCKS, array_top, list_files
from intaglio.rtl.bundle import DESIGN, Bundle, stimulus, write_bundle
from intaglio.rtl.top import module_name

#: The memory before the first frame, as bytes.
MEMORY = "mem/memory.bin"


def emit_array(design: ArrayDesign, folder: str | Path, frames: np.ndarray | None = None) -> Bundle:
    """Write a design's bundle, replacing an older bundle of the same folder.

    Args:
        design: what to write.
        folder: where; it must be absent, empty, or hold a bundle.
        frames: integer frames for the bundle's bench, [N, *frame]; a few random ones by default.

    Raises:
        ArtifactError: the folder holds something else.
        ModelError: an instruction does not fit its fields.
    """
    module = module_name(design.program.graph.name)
    family = design.device.family
    sources = {f"rtl/{block}.sv": library.source(block, family).read_text() for block in BLOCKS}
    sources[f"rtl/{module}.sv"] = array_top(design.schedule, module)
    models = {f"sim/{model.name}": model.read_text() for model in library.models(family, BLOCKS)}
    texts = {**sources, **models, **list_files(design.schedule)}
    texts[f"synth/{module}_pins.sv"] = array_pins(design, module)
    texts["README.md"] = _page(design, module)
    texts |= _bench_files(design, module, frames)
    files = {name: text.encode() for name, text in texts.items()}
    files[MEMORY] = design.schedule.image
    files[DESIGN] = array_design_bytes(design)
    about = {
        "architecture": ARCHITECTURE,
        "device": design.device.name,
        "sources": sorted(sources),
        "models": sorted(models),
        "placed": {"source": f"synth/{module}_pins.sv", "top": f"{module}_pins"},
        "memory": {
            "input": _place(design.schedule.input, design),
            "output": _place(design.schedule.output, design),
            "bytes": len(design.schedule.image),
        },
        "cycles": {"frame": design.prediction.total},
    }
    return write_bundle(folder, module, files, about)


def _bench_files(design: ArrayDesign, module: str, frames: np.ndarray | None) -> dict[str, str]:
    """Return the bench and what it reads."""
    schedule, array = design.schedule, design.array
    frames = stimulus(design.program) if frames is None else frames
    expected = engine(design.program).frames(frames)
    results = b"".join(
        frame_bytes(frame.reshape(schedule.output.shape), schedule.output, array)
        for frame in expected
    )
    put = b"".join(frame_bytes(frame, schedule.input, array) for frame in frames)
    return {
        f"sim/{module}_tb.sv": array_testbench(design, module, len(frames)),
        "vectors/memory.hex": _hex(schedule.image, array.beat_bits),
        "vectors/input.hex": _hex(put, array.beat_bits),
        "vectors/expected.hex": _hex(results, array.beat_bits),
    }


def _hex(data: bytes, bits: int) -> str:
    """Print bytes as beats for `$readmemh`, one a line, the first byte lowest."""
    size = bits // 8
    return "".join(data[i : i + size][::-1].hex() + "\n" for i in range(0, len(data), size))


def design_of(bundle: Bundle) -> Design | ArrayDesign:
    """Return the design a bundle was written from, of either architecture."""
    return read_any_design(bundle.folder / DESIGN)


def _place(tensor: Tensor, design: ArrayDesign) -> dict[str, object]:
    """Return where a host puts or finds a frame, and how it is laid out."""
    beat_bytes = design.array.beat_bits // 8
    return {
        "byte": tensor.beat * beat_bytes,
        "bytes": tensor.beats * beat_bytes,
        "shape": list(tensor.shape),
        "element": str(tensor.element),
        "bits_of_an_element": design.array.act_container,
        "row_elements": tensor.pitch,
        "planes": tensor.planes,
    }


def _page(design: ArrayDesign, module: str) -> str:
    """Print the page that describes the top level."""
    array, memory = design.array, design.memory
    rows = [
        f"| {layer.name} | {design.flows[layer.name].short} | {layer.total:,} | {layer.compute:,} "
        f"| {layer.load:,} | {layer.other:,} |"
        for layer in design.prediction.layers
    ]
    places = {
        name: json.dumps(_place(tensor, design))
        for name, tensor in (
            ("input", design.schedule.input),
            ("output", design.schedule.output),
        )
    }
    return f"""# {module}

An array with the lists of the network `{design.program.graph.name}` for {design.device.name}.
`rtl/{module}.sv` is the only generated module; the others are the library's, unchanged.

| | |
|---|---|
| array | {array.rows} x {array.columns} cells |
| clock | one, `aclk`; reset `aresetn`, synchronous, active low |
| a frame | {design.prediction.total:,} cycles from `start` to its end |
| memory port | AXI4, {array.beat_bits} bits, one read and one write channel, no identifiers |

Cycles hold for a memory whose first beat comes {memory.read_latency} cycles after its address,
beats {memory.read_gap} apart (writes {memory.write_gap}), and which acknowledges a burst
{memory.write_latency} cycles after its last beat.

## How a host runs it
Put `{MEMORY}` into memory once, at byte 0. For each frame put the input in its place, raise
`start` for one cycle, and wait for `idle`; then the output is in its place. Rows begin at whole
beats, elements lie channels last, the first in the lowest bits. Wider outputs lie in planes, the
lowest bits of all elements first.

- input: `{places["input"]}`
- output: `{places["output"]}`

## Cycles of the layers
| layer | dataflow | in all | array at work | waiting for loads | other |
|---|---|---|---|---|---|
{chr(10).join(rows)}

## Files
- `rtl/` sources; `mem/` the lists of the four units, read with `$readmemh` from paths relative to
  this folder, and the memory before the first frame.
- `synth/` the top level with its ports on shift registers: what is placed to learn cells and clock.
- `sim/` bench `{module}_tb.sv`, which plays the memory, and models of a family's own cells, where
  its leaves name any; `vectors/` what the bench reads.
- `manifest.json` what everything was made from, with checksums.
"""
