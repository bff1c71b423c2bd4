# SPDX-License-Identifier: Apache-2.0
"""Write a design with an array as a bundle: sources, lists, memory, page."""

from __future__ import annotations

import json
from pathlib import Path

from intaglio.arch.design import Design
from intaglio.arch.systolic.design import ArrayDesign
from intaglio.arch.systolic.store import ARCHITECTURE, array_design_bytes, read_any_design
from intaglio.arch.systolic.tensors import Tensor
from intaglio.hw import library
from intaglio.rtl.array_top import BLOCKS, array_top, list_files
from intaglio.rtl.bundle import DESIGN, Bundle, write_bundle
from intaglio.rtl.top import module_name

#: The memory before the first frame, as bytes.
MEMORY = "mem/memory.bin"


def emit_array(design: ArrayDesign, folder: str | Path) -> Bundle:
    """Write a design's bundle, replacing an older bundle of the same folder.

    Raises:
        ArtifactError: the folder holds something else.
        ModelError: an instruction does not fit its fields.
    """
    module = module_name(design.program.graph.name)
    family = design.device.family
    sources = {f"rtl/{block}.sv": library.source(block, family).read_text() for block in BLOCKS}
    sources[f"rtl/{module}.sv"] = array_top(design.schedule, module)
    models = {f"sim/{model.name}": model.read_text() for model in library.models(family)}
    texts = {**sources, **models, **list_files(design.schedule)}
    texts["README.md"] = _page(design, module)
    files = {name: text.encode() for name, text in texts.items()}
    files[MEMORY] = design.schedule.image
    files[DESIGN] = array_design_bytes(design)
    about = {
        "architecture": ARCHITECTURE,
        "device": design.device.name,
        "sources": sorted(sources),
        "models": sorted(models),
        "memory": {
            "input": _place(design.schedule.input, design),
            "output": _place(design.schedule.output, design),
            "bytes": len(design.schedule.image),
        },
        "cycles": {"frame": design.prediction.total},
    }
    return write_bundle(folder, module, files, about)


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
- `sim/` models of a family's own cells, where its leaves name any.
- `manifest.json` what everything was made from, with checksums.
"""
