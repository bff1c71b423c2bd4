# SPDX-License-Identifier: Apache-2.0
"""A network as lists of instructions: what is loaded, folded, drained, stored, in what order.

A layer is worked off in bands of output rows, as large as half of an activation memory holds, so
that the next band comes in while this one is folded; weights and parameters take turns in halves of
their memories likewise. Inputs of a layer lie in the first activation memory, its outputs in the
second. An instruction waits for counts of what is done, never for anything after it, so lists made
in this order cannot block each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from intaglio.arch.systolic.array import SUM_TURNAROUND, Array, Dataflow
from intaglio.arch.systolic.blocks import Block, Piece, blocks
from intaglio.arch.systolic.constants import (
    Weights,
    check_layer,
    parameter_words,
    put_parameters,
    put_weights,
    scale_fields,
)
from intaglio.arch.systolic.instructions import Drain, Fold, Instruction, Load, Store
from intaglio.arch.systolic.layers import Layer, Network
from intaglio.arch.systolic.plan import Plan, plan, rows_of
from intaglio.arch.systolic.tensors import Image, Tensor, tensor
from intaglio.errors import ModelError
from intaglio.numerics.types import IntType

UNITS: tuple[type[Instruction], ...] = (Load, Fold, Drain, Store)
#: What a load's target number stands for.
ACT, WEIGHTS, PARAMETERS, BOOK = 0, 2, 3, 4


@dataclass(frozen=True, eq=False)
class Schedule:
    """Everything an array needs for a network.

    `order` holds all instructions in an order in which none waits for a later one; `ends` the
    number of stores that are done when each layer is; `image` the memory before the first frame.
    """

    array: Array
    network: Network
    flows: Mapping[str, Dataflow]
    order: tuple[Instruction, ...]
    ends: tuple[int, ...]
    tensors: Mapping[str, Tensor]
    image: bytes

    def list_of(self, kind: type[Instruction]) -> list[Instruction]:
        """Return one unit's instructions."""
        return [item for item in self.order if isinstance(item, kind)]

    @property
    def input(self) -> Tensor:
        """Where a frame is put."""
        return self.tensors[self.network.source.name]

    @property
    def output(self) -> Tensor:
        """Where its result is found."""
        return self.tensors[self.network.layers[-1].name]


def schedule(net: Network, array: Array, flows: Mapping[str, Dataflow]) -> Schedule:
    """Return the instructions of a network.

    Args:
        net: what to run.
        array: on what.
        flows: the dataflow of each layer, by its name.

    Raises:
        ModelError: a layer does not fit the array; it is named, with what is too small.
    """
    scheduler = _Scheduler(net, array)
    for layer in net.layers:
        try:
            scheduler.add(layer, flows[layer.name])
        except ModelError as error:
            raise ModelError(f"layer {layer.name!r}: {error}") from None
    if max(scheduler.counts.values()) >= 1 << 16:
        raise ModelError(f"{net.name} must take less than 65,536 instructions a unit")
    return Schedule(
        array,
        net,
        dict(flows),
        tuple(scheduler.order),
        tuple(scheduler.ends),
        scheduler.tensors,
        bytes(scheduler.image.data),
    )


def leaves_each_step(layer: Layer, flow: Dataflow) -> bool:
    """Tell whether sums leave the array after each step, as the largest is kept behind it."""
    return layer.maximum and flow is Dataflow.OUTPUT_STATIONARY


def pace(
    piece: Piece, pixels: int, array: Array, flow: Dataflow, *, each_step: bool
) -> tuple[int, int]:
    """Return the pixels of a tile of the array, and the cycles of a step."""
    tile = {
        Dataflow.WEIGHT_STATIONARY: pixels,
        Dataflow.INPUT_STATIONARY: array.columns,
        Dataflow.OUTPUT_STATIONARY: array.rows,
    }[flow]
    period = max(min(tile, pixels), piece.weights, SUM_TURNAROUND)
    if flow is Dataflow.OUTPUT_STATIONARY:  # rows of sums leave one a cycle
        period = max(period, -(-array.rows // (1 if each_step else piece.steps)))
    return tile, period


@dataclass
class _Turns:
    """Two halves of a memory that take turns: how many instructions must be done before each."""

    free: list[int]
    next: int = 0

    def take(self, *, whole: bool = False) -> tuple[int, int]:
        """Return the half whose turn it is, or the first for the whole, and what frees it."""
        if whole:
            self.next = 0
            return 0, max(self.free)
        half = self.next
        self.next = 1 - half
        return half, self.free[half]

    def release(self, half: int, count: int, *, whole: bool = False) -> None:
        """Say when the half is free again: when so many instructions are done."""
        self.free[half] = count
        if whole:
            self.free = [count, count]


class _Scheduler:
    """The lists as they grow."""

    def __init__(self, net: Network, array: Array) -> None:
        self.net, self.array = net, array
        self.order: list[Instruction] = []
        self.counts = dict.fromkeys(UNITS, 0)
        self.ends: list[int] = []
        self.image = Image(array)
        self.tensors: dict[str, Tensor] = {}
        #: for each row of a stored value, the stores after which it is there
        self.written: dict[str, list[int]] = {}
        self.weights, self.parameters = _Turns([0, 0]), _Turns([0, 0])
        self.inputs, self.outputs, self.halves = _Turns([0, 0]), _Turns([0, 0]), _Turns([0, 0])
        self.flow: Dataflow | None = None
        source = net.source
        shape = (1, 1, 1, *source.type.shape)[-3:]
        self.place(source.name, (shape[0], shape[1], shape[2]), source.type.integer)

    def issue(self, instruction: Instruction) -> int:
        """Append an instruction and return how many of its unit there are then."""
        self.order.append(instruction)
        self.counts[type(instruction)] += 1
        return self.counts[type(instruction)]

    def place(self, name: str, shape: tuple[int, int, int], element: IntType) -> Tensor:
        """Find room for a value in memory."""
        made = tensor(name, shape, element, 0, self.array, packed=name in self.net.packed)
        self.tensors[name] = replace(made, beat=self.image.reserve(made.beats))
        self.written[name] = [0] * shape[0]
        return self.tensors[name]

    def add(self, layer: Layer, flow: Dataflow) -> None:
        """Append a layer's instructions."""
        if flow not in self.array.dataflows:
            raise ModelError(f"the array must have dataflow {flow.short}")
        check_layer(layer, self.array)
        cut = blocks(self.net, layer, self.array, flow)
        out = self.place(layer.name, layer.shape, layer.element)
        how = plan(layer, cut, self.tensors, out, self.array, flow)
        _Work(self, layer, cut, how, out, flow).run()
        self.ends.append(self.counts[Store])


class _Work:
    """One layer as it is worked off, band after band."""

    def __init__(
        self,
        scheduler: _Scheduler,
        layer: Layer,
        cut: tuple[Block, ...],
        how: Plan,
        out: Tensor,
        flow: Dataflow,
    ) -> None:
        self.scheduler, self.array = scheduler, scheduler.array
        self.layer, self.cut, self.how, self.out, self.flow = layer, cut, how, out, flow
        self.groups = put_weights(cut, self.array, scheduler.image)
        self.loaded: tuple[Weights, int] | None = None  # the weights that are there, and their half
        self.loads = 0  # that must be done for what comes next

    def run(self) -> None:
        """Append all instructions of the layer."""
        scheduler = self.scheduler
        half, free = scheduler.parameters.take()
        self.parameter_word = half * (self.array.parameter_words // 2)
        beat, beats = put_parameters(self.layer, self.cut, self.array, scheduler.image)
        chunk = self.parameter_word * (self.array.lanes // self.array.parameter_chunk)
        self.parameter_loads = scheduler.issue(
            Load(target=PARAMETERS, wait_drains=free, beat=beat, beats=beats, chunk=chunk)
        )
        self.want(self.groups[0])
        for band in self.how.bands:
            self.load_band(band)
            for columns in self.how.columns:
                for number, block in enumerate(self.cut):
                    self.work_block(number, block, band, columns)
            scheduler.inputs.release(self.half, scheduler.counts[Fold], whole=self.how.whole_in)
            self.store_band(band)
        self.release_weights()
        scheduler.parameters.release(half, scheduler.counts[Drain])

    def want(self, weights: Weights) -> int:
        """Have weights loaded, if they are not there: return the word of their first."""
        scheduler, array = self.scheduler, self.array
        if self.loaded is None or self.loaded[0] is not weights:
            self.release_weights()
            half, free = scheduler.weights.take()
            word = half * (array.weight_words // 2)
            chunk = word * (array.lanes // array.weight_chunk)
            beat, beats = weights.beats
            load = Load(target=WEIGHTS, wait_folds=free, beat=beat, beats=beats, chunk=chunk)
            self.loads = scheduler.issue(load)
            if weights.book_beats[1]:
                beat, beats = weights.book_beats
                folds = scheduler.counts[Fold]  # there is one codebook
                self.loads = scheduler.issue(
                    Load(target=BOOK, wait_folds=folds, beat=beat, beats=beats)
                )
            self.loaded = weights, half
        return self.loaded[1] * (array.weight_words // 2)

    def release_weights(self) -> None:
        """Let the half of what is loaded be used again after the folds so far."""
        if self.loaded is not None:
            self.scheduler.weights.release(self.loaded[1], self.scheduler.counts[Fold])

    def load_band(self, band: range) -> None:
        """Load the rows that a band of output rows sees."""
        scheduler = self.scheduler
        self.half, free = scheduler.inputs.take(whole=self.how.whole_in)
        at = self.half * (self.array.act_elements // 2)
        self.bases: dict[tuple[int, str], tuple[int, int]] = {}
        for piece in (piece for block in self.cut for piece in block.pieces):
            if (piece.term, piece.value) in self.bases:
                continue
            place = scheduler.tensors[piece.value]
            term = self.layer.terms[piece.term]
            rows = place.whole if place.packed else rows_of(term, band)
            beat, beats = place.rows_at(rows)
            self.loads = scheduler.issue(
                Load(
                    target=ACT,
                    wait_folds=free,
                    wait_stores=max(scheduler.written[piece.value][row] for row in rows),
                    beat=beat,
                    beats=beats,
                    chunk=at // self.array.act_chunk,
                )
            )
            self.bases[piece.term, piece.value] = at, rows.start
            at += beats * place.beat_elements
        self.out_half, self.out_free = scheduler.outputs.take(whole=self.how.whole_out)
        self.out_base = self.out_half * (self.array.act_elements // 2)

    # --- sums ----------------------------------------------------------------------------------

    def work_block(self, number: int, block: Block, band: range, columns: range) -> None:
        """Fold the pieces of a block for a tile of pixels, and drain their sums."""
        scheduler = self.scheduler
        half, free = scheduler.halves.take()
        begun: set[int] = set()
        for weights in self.groups:
            for index, word in weights.of(number):
                piece = block.pieces[index]
                first = self.want(weights)
                fold = self.fold(piece, band, columns, first + word)
                mode_changes = scheduler.flow not in (None, self.flow)
                scheduler.issue(
                    replace(
                        fold,
                        half=half,
                        accumulate=int(piece.term in begun),
                        wait_loads=self.loads,
                        wait_folds=scheduler.counts[Fold] if mode_changes else 0,
                        wait_drains=free,
                    )
                )
                scheduler.flow = self.flow
                begun.add(piece.term)
        self.drain(number, block, band, columns, half)
        scheduler.halves.release(half, scheduler.counts[Drain])

    def fold(self, piece: Piece, band: range, columns: range, weight: int) -> Fold:
        """Return a piece's fold for a tile of pixels."""
        array, term = self.array, self.layer.terms[piece.term]
        place = self.scheduler.tensors[piece.value]
        height, width, channels = (*term.shape[:2], place.shape[2])
        pitch = place.pitch
        if place.packed:  # rows of any length lie one behind the other
            channels = term.shape[2]
            pitch = width * channels
        at, first_row = self.bases[piece.term, piece.value]
        y = band.start * term.stride[0] + term.origin[0] + piece.r * term.dilation[0]
        x = (columns.start * term.stride[1] + term.origin[1]) * channels + piece.element
        pixels = len(band) * len(columns)
        each_step = leaves_each_step(self.layer, self.flow)
        tile, period = pace(piece, pixels, array, self.flow, each_step=each_step)
        return Fold(
            mode=self.flow.value,
            is_signed=int(term.element.signed),
            maximum=int(self.layer.maximum),
            each_step=int(each_step),
            base=(at + (y - first_row) * pitch + x) % array.act_elements,
            step_p=term.stride[0] * pitch,
            step_q=term.stride[1] * channels,
            step_r=term.dilation[0] * pitch,
            step_s=term.dilation[1] * channels,
            step_u=array.rows,
            y=y,
            y_p=term.stride[0],
            y_r=term.dilation[0],
            height=height,
            x=x,
            width=width * channels,
            run=piece.run,
            r_count=piece.r_count,
            s_count=piece.s_count,
            u_count=piece.u_count,
            q_count=len(columns),
            pixels=pixels,
            tile_pixels=tile,
            weight=weight,
            weight_step=0 if piece.shared else piece.weights,
            weights=piece.weights,
            period=period,
            sum=piece.term * self.how.region,
            sum_step=self.how.sum_step or array.rows,
            pad=term.pad_value,
        )

    def drain(self, number: int, block: Block, band: range, columns: range, half: int) -> None:
        """Drain a block's sums: first each pair of terms to one, then all to activations."""
        scheduler, how, scale = self.scheduler, self.how, self.layer.scale
        word = self.parameter_word + parameter_words(self.layer, self.cut[:number], self.array)
        joins = len(self.layer.terms) > 1
        common = Drain(
            memory=1,
            half=half,
            turned=int(how.sum_step > 0),
            wait_loads=self.parameter_loads,
            wait_folds=scheduler.counts[Fold],
            wait_stores=self.out_free,
            sum_step=how.sum_step,
            blocks=-(-block.channels // self.array.columns),
            channels=block.channels,
            p_count=len(band),
            q_count=len(columns),
            base=self.out_base + columns.start * self.layer.shape[2] + block.first,
            step_p=self.out.pitch,
            step_q=self.layer.shape[2],
            parameter_word=word,
            **scale_fields(scale),
        )
        if joins:
            one, other = (term.scale or scale for term in self.layer.terms)
            back = 2 * how.region if how.sum_step else 0
            scheduler.issue(
                replace(
                    common,
                    joins=1,
                    sum_other=how.region,
                    sum_back=back,
                    **scale_fields(one),
                    **{f"other_{name}": value for name, value in scale_fields(other).items()},
                )
            )
            common = replace(common, turned=0, sum=back, parameter_word=word + 2)
        for plane in range(self.out.planes):
            offset = plane * self.out.rows_at(band)[1] * self.out.beat_elements
            bits = plane * self.array.act_bits
            scheduler.issue(replace(common, base=common.base + offset, plane=bits))

    def store_band(self, band: range) -> None:
        """Store a band of results, plane by plane."""
        scheduler, out = self.scheduler, self.out
        for plane in range(out.planes):
            beat, beats = out.rows_at(band, plane)
            scheduler.issue(
                Store(
                    memory=1,
                    wait_drains=scheduler.counts[Drain],
                    beat=beat,
                    beats=beats,
                    element=self.out_base + plane * beats * out.beat_elements,
                )
            )
        stores = scheduler.counts[Store]
        scheduler.outputs.release(self.out_half, stores, whole=self.how.whole_out)
        for row in band:
            scheduler.written[out.name][row] = stores
