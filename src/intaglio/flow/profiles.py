# SPDX-License-Identifier: Apache-2.0
"""Cycles of a layer as SCALE-Sim counts them, and as the array in RTL takes them, side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.layers import Network
from intaglio.arch.systolic.plain import plain_layer
from intaglio.arch.systolic.predict import LayerCycles, Memory, predict
from intaglio.arch.systolic.schedule import schedule
from intaglio.errors import ModelError
from intaglio.report.summary import aligned
from intaglio.scalesim.config import Config
from intaglio.scalesim.dataflow import Placement
from intaglio.scalesim.report import Row
from intaglio.scalesim.topology import Layer

#: Memories that can be made larger where a layer asks for it.
GROWING = ("act_rows", "weight_words", "parameter_words", "sum_rows")
LARGEST = 1 << 16


@dataclass(frozen=True)
class Profiles:
    """A layer's cycles in both profiles, and why they differ.

    Units: cycles. `difference` is the sum of four reasons. `edges`: filling and emptying the array,
    which SCALE-Sim counts for every fold and the array does behind other work. `words`: the array
    reads words that end with a kernel row, and holds an operand for no shorter than it takes to
    load the next; where a stride does not divide it has fewer windows. `loads` and `other`: what
    memory and results take, which SCALE-Sim hides.
    """

    name: str
    scalesim: int
    rtl: int
    edges: int
    words: int
    loads: int
    other: int

    @property
    def difference(self) -> int:
        """How many cycles more the array takes."""
        return self.rtl - self.scalesim


def profiles(
    layer: Layer, row: Row, config: Config, *, beat_bits: int = 128, memory: Memory | None = None
) -> Profiles:
    """Put a layer's cycles in both profiles side by side.

    Args:
        layer: its sizes.
        row: what SCALE-Sim says of it.
        config: the machine; its buffers are the array's memories, a word a byte, made larger where
            the array could not hold a row of the layer.
        beat_bits: width of the array's memory port.
        memory: how its memory answers.

    Raises:
        ModelError: the layer is sparse, which the array is not, or too large for its counters.
    """
    if config.sparse:
        raise ModelError(f"layer {layer.name!r}: the rtl profile has no sparsity")
    if layer.filter_height > layer.height or layer.filter_width > layer.width:
        raise ModelError(f"layer {layer.name!r}: the filter must fit the input in the rtl profile")
    placement = Placement.of(layer, config.dataflow, config.rows, config.columns, sparse=False)
    taken = rtl_cycles(layer, config, beat_bits=beat_bits, memory=memory or Memory())
    streamed = placement.folds * placement.time
    scale = row.total_cycles + 1 - row.stall_cycles
    return Profiles(
        layer.name,
        row.total_cycles + 1,
        taken.total,
        streamed - scale,
        taken.compute - streamed - row.stall_cycles,
        taken.load,
        taken.other,
    )


def rtl_cycles(layer: Layer, config: Config, *, beat_bits: int, memory: Memory) -> LayerCycles:
    """Return what the array takes for a layer by itself, loads and results included."""
    flow = Dataflow.parse(config.dataflow)
    net = plain_layer(
        layer.name,
        (layer.height, layer.width, layer.channels),
        (layer.filter_height, layer.filter_width),
        layer.filters,
        (layer.stride, layer.stride_width),
    )
    array = Array(config.rows, config.columns, frozenset({flow}), beat_bits=beat_bits)
    array = replace(
        array,
        act_rows=_rows(config.ifmap_buffer, array.lanes),
        weight_words=_rows(config.filter_buffer, array.lanes),
        sum_rows=_rows(config.ofmap_buffer, array.columns),
    )
    return _fitted(net, array, flow, memory)


def _fitted(net: Network, array: Array, flow: Dataflow, memory: Memory) -> LayerCycles:
    """Foretell a layer, with memories doubled until it fits."""
    while True:
        try:
            made = schedule(net, array, {net.name: flow})
            return predict(made, memory).layers[0]
        except ModelError as error:
            small = [n for n in GROWING if n in str(error) and getattr(array, n) < LARGEST]
            if not small:
                raise
            array = replace(array, **{name: 2 * getattr(array, name) for name in small})


def _rows(words: int, lanes: int) -> int:
    """Return the rows of a memory of so many words: a power of two, no more than there is."""
    return min(LARGEST, max(2, 1 << (max(1, words // lanes).bit_length() - 1)))


def profiles_text(found: list[Profiles]) -> str:
    """Return the table."""
    heads = ("layer", "scalesim", "rtl", "difference", "edges", "words", "loads", "other")
    rows: list[tuple[str, ...]] = [heads]
    for one in found:
        numbers = (getattr(one, name) for name in heads[1:])
        rows.append((one.name, *(f"{number:,}" for number in numbers)))
    totals = (sum(getattr(one, name) for one in found) for name in heads[1:])
    rows.append(("total", *(f"{number:,}" for number in totals)))
    return "\n".join(aligned(rows))


def profiles_document(found: list[Profiles]) -> list[dict[str, Any]]:
    """Return the table as JSON types."""
    return [
        {
            "name": one.name,
            "scalesim": one.scalesim,
            "rtl": one.rtl,
            "difference": one.difference,
            "edges": one.edges,
            "words": one.words,
            "loads": one.loads,
            "other": one.other,
        }
        for one in found
    ]
