# SPDX-License-Identifier: Apache-2.0
"""From a readable ONNX model to a graph and a report on every node."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

import numpy as np

from intaglio.errors import ModelError
from intaglio.frontend.builder import (
    MAX_FRAME,
    Activation,
    Builder,
    Dropped,
    Imported,
    Site,
    UnsupportedError,
)
from intaglio.frontend.conversion import Conversion, Fate, Row
from intaglio.frontend.layout import MAX_RANK
from intaglio.frontend.onnx.call import Call, Operand, Result
from intaglio.frontend.onnx.constants import Constants
from intaglio.frontend.onnx.inference import inferred_frames
from intaglio.frontend.onnx.operators import OF_CONSTANTS, OPERATORS
from intaglio.frontend.onnx.source import (
    FLOAT,
    SourceInput,
    SourceModel,
    SourceNode,
)
from intaglio.frontend.onnx.unsupported import quantized, unsupported

#: Turns an NHWC batch into the NCHW that convolutions read: the mark of a channels-last input.
_TO_CHANNELS_FIRST = (0, 3, 1, 2)
#: What arrays and numbers raise that were never made to go together.
_MISFITS = (ArithmeticError, IndexError, TypeError, ValueError)
_PASSES_LAYOUT_ON = frozenset({"Add", "Cast", "Div", "Identity", "Mul", "Sub"})


@dataclass(frozen=True)
class Converted:
    """The report, and the graph if there is one.

    `batch` is the size of the batch axis the model insists on, or None.
    """

    conversion: Conversion
    imported: Imported | None
    batch: int | None


def convert(model: SourceModel, shapes: Mapping[str, Sequence[int]]) -> Converted:
    """Read every node, going on past those that cannot be converted.

    Raises:
        ModelError: the inputs are not fully known.
    """
    return _Conversion(model, shapes).run()


class _Conversion:
    """One conversion under way."""

    def __init__(self, model: SourceModel, shapes: Mapping[str, Sequence[int]]) -> None:
        self.model = model
        self.builder = Builder(model.path.stem)
        self.found: dict[str, Operand] = dict(model.constants)
        self.constants = Constants(model.opset)
        self.live = live_nodes(model)
        self.reads = Counter(name for node in self.live for name in filter(None, node.inputs))
        self.reads.update(model.outputs)
        self.failed: set[str] = set()
        self.fixed: int | None = None
        self._inputs(shapes)

    def run(self) -> Converted:
        """Read the nodes and finish the graph if all went well."""
        live = {id(node) for node in self.live}
        rows = [self._row(node) if id(node) in live else _dead(node) for node in self.model.nodes]
        problems: list[str] = []
        imported = None
        if all(row.supported for row in rows):
            try:
                ends = [(name, self._output(name)) for name in self.model.outputs]
                imported = self.builder.finish(ends)
            except ModelError as error:
                problems.append(str(error))
        return Converted(
            Conversion(str(self.model.path), tuple(rows), tuple(problems)), imported, self.fixed
        )

    def _inputs(self, shapes: Mapping[str, Sequence[int]]) -> None:
        names = [value.name for value in self.model.inputs]
        if unknown := [name for name in shapes if name not in names]:
            raise ModelError(
                f"{self.model.path}: a shape must be for an input of the model "
                f"({', '.join(names)}), not {unknown[0]!r}"
            )
        for value in self.model.inputs:
            try:
                batch, frame = _frame(value, shapes.get(value.name))
                if None not in (self.fixed, batch) and self.fixed != batch:
                    raise ModelError(f"must have the same batch as the others, {self.fixed}")
                self.fixed = self.fixed if batch is None else batch
                if (batch or 1) * math.prod(frame) > MAX_FRAME:
                    raise ModelError(f"must have at most {MAX_FRAME} elements, batch included")
                first = not self._channels_last(value.name)
                self.builder.frames = self.fixed or 1
                self.found[value.name] = self.builder.input(value.name, frame, channels_first=first)
            except ModelError as error:
                raise ModelError(f"{self.model.path}: input {value.name!r} {error}") from None

    def _channels_last(self, name: str) -> bool:
        """Tell whether an input is turned to channels-first before anything needs its order."""
        for node in self.live:
            if name not in node.inputs:
                continue
            if self.reads[name] != 1 or node.op not in _PASSES_LAYOUT_ON:
                turned = node.attributes.get("perm") == _TO_CHANNELS_FIRST
                return self.reads[name] == 1 and node.op == "Transpose" and turned
            name = node.outputs[0]
        return False

    def _output(self, name: str) -> Activation:
        value = self.found.get(name)
        if not isinstance(value, Activation):
            raise ModelError(f"output {name!r} must be computed from the inputs; it is constant")
        return value

    # --- one node ------------------------------------------------------------------------------

    def _row(self, node: SourceNode) -> Row:
        """Read one node; where that fails, go on with a stand-in for its results."""
        operands = tuple(self.found.get(name) for name in node.inputs)
        inputs = [x for x in operands if isinstance(x, Activation)]
        row = Row(_label(node), _title(node), Fate.KEPT)
        row = replace(row, input_shape=inputs[0].shape if inputs else None)
        if lost := [name for name in node.inputs if name in self.failed]:
            why = f"it reads {lost[0]!r}, which could not be converted"
            row = replace(row, fate=Fate.UNJUDGED, why=why)
        try:
            function = self._function(node, operands)
            if not lost:
                before = len(self.builder.nodes)
                with np.errstate(all="ignore"):  # what overflows is refused as not finite
                    result = function(self._call(node, operands))
                made = list(islice(reversed(self.builder.nodes), len(self.builder.nodes) - before))
                return self._done(
                    node, result, replace(row, parameters=_parameters(operands)), made
                )
        except ModelError as error:
            advice = error.rewrite if isinstance(error, UnsupportedError) else ""
            row = replace(row, fate=Fate.UNSUPPORTED, why=str(error), rewrite=advice)
        except _MISFITS as error:
            why = f"its operands do not fit it: {next(iter(str(error).splitlines()), '')}"
            row = replace(row, fate=Fate.UNSUPPORTED, why=why)
        return replace(row, output_shape=self._stand_in(node, computed=bool(inputs)))

    def _function(
        self, node: SourceNode, operands: Sequence[Operand | None]
    ) -> Callable[[Call], Result]:
        """Find what reads a node.

        Raises:
            UnsupportedError: nothing does, or an operand does not exist.
        """
        function = OPERATORS.get((node.domain, node.op))
        if function is None and quantized(node.domain, node.op):
            raise unsupported(node.domain, node.op)
        for name, operand in zip(node.inputs, operands, strict=True):
            if name in self.model.unreadable:
                raise UnsupportedError(f"tensor {name!r} must be of numbers of up to 64 bits")
            if name and operand is None and name not in self.failed:
                raise UnsupportedError(f"operand {name!r} must be made by a node before it")
        known = not any(isinstance(operand, Activation) for operand in operands)
        given = not self.failed.intersection(node.inputs)
        if known and given and (node.domain, node.op) not in OF_CONSTANTS:
            return self._constant
        if function is None:
            raise unsupported(node.domain, node.op)
        return function

    def _constant(self, call: Call) -> Result:
        """Compute a node that needs no activation."""
        return self.constants.evaluate(
            call.node, [x for x in call.operands if not isinstance(x, Activation)]
        )

    def _call(self, node: SourceNode, operands: tuple[Operand | None, ...]) -> Call:
        return Call(
            node,
            operands,
            self.builder,
            Site(_name(node), node.outputs[0]),
            self.model.opset,
            self.fixed or 1,
            tuple(self._sole(n, x) for n, x in zip(node.inputs, operands, strict=True)),
            tuple(self.reads[name] > 0 for name in node.outputs),
        )

    def _sole(self, name: str, operand: Operand | None) -> bool:
        """Tell whether one node alone reads an operand, under this name or any other."""
        if not isinstance(operand, Activation):
            return False
        maker = self.builder.nodes.get(operand.name)
        return self.reads[name] == 1 and maker is not None and maker.origin == name

    def _done(self, node: SourceNode, result: Result, row: Row, made: list[str]) -> Row:
        """Remember a result and complete its row."""
        results = result if isinstance(result, tuple) else (result,)
        values = [found.value if isinstance(found, Dropped) else found for found in results]
        made_of = dict(zip(node.outputs, values, strict=False))
        if more := [n for n in node.outputs if self.reads[n] and made_of.get(n) is None]:
            raise UnsupportedError(f"its further result {more[0]!r} is not computed")
        self.found.update((n, v) for n, v in made_of.items() if n and v is not None)
        value = next(v for v in made_of.values() if v is not None)
        if isinstance(value, np.ndarray):
            if row.input_shape is not None:
                self.constants.sizes.update(node.outputs)
            became = "a constant"
            return replace(
                row, fate=Fate.FOLDED, became=became, output_shape=value.shape, parameters=0
            )
        macs = sum(self.builder.macs(name) for name in made)
        row = replace(row, became=value.name, output_shape=value.shape, macs=macs)
        if not isinstance(result, Dropped):
            return row if made else replace(row, fate=Fate.FOLDED)
        return replace(row, fate=Fate.FOLDED, why=result.why)

    # --- after a failure -----------------------------------------------------------------------

    def _stand_in(self, node: SourceNode, *, computed: bool) -> tuple[int, ...] | None:
        """Let a failed node give fresh inputs of its results' shapes, to judge the rest by."""
        for name in filter(None, node.outputs):
            frame = self._inferred.get(name)
            try:
                if frame is None or not computed:
                    self.failed.add(name)
                else:
                    self.found[name] = self.builder.input(name, frame, channels_first=True)
            except ModelError:  # too large to go on with
                self.failed.add(name)
        return self._inferred.get(node.outputs[0]) if computed else None

    @cached_property
    def _inferred(self) -> Mapping[str, tuple[int, ...]]:
        """The frames of all values as far as ONNX's own inference finds them."""
        return inferred_frames(self.model)


def live_nodes(model: SourceModel) -> list[SourceNode]:
    """Return the nodes that an output depends on, in the file's order."""
    needed = set(model.outputs)
    live: list[SourceNode] = []
    for node in reversed(model.nodes):
        if needed.intersection(filter(None, node.outputs)):
            needed.update(filter(None, node.inputs))
            live.append(node)
    return live[::-1]


def _label(node: SourceNode) -> str:
    return node.name or next(filter(None, node.outputs), "")


def _dead(node: SourceNode) -> Row:
    return Row(_label(node), _title(node), Fate.UNUSED, why="no output depends on it")


def _title(node: SourceNode) -> str:
    title = f"{node.domain}.{node.op}" if node.domain else node.op
    return title if title.isprintable() and title else repr(title)


def _parameters(operands: Sequence[Operand | None]) -> int:
    arrays = [x for x in operands if isinstance(x, np.ndarray) and x.ndim > 0]
    return sum(x.size for x in arrays if np.issubdtype(x.dtype, np.floating))


def _frame(value: SourceInput, given: Sequence[int] | None) -> tuple[int | None, tuple[int, ...]]:
    """Return batch size and frame of an input, from the file and what the user adds to it.

    The text of an error goes on after "input 'x'".
    """
    if value.element != FLOAT:
        raise ModelError(f"must be of 32-bit floats, not ONNX type {value.element}")
    dims = value.dims
    if dims is None:
        if given is None:
            raise ModelError(f"must have known sizes; give them: --shape {value.name}=1,28,28")
        dims = (None, *[None] * len(given))
    if len(dims) > MAX_RANK + 1:
        raise ModelError(f"must be a batch of frames of at most {MAX_RANK} axes, not {len(dims)}")
    if len(dims) < 2:
        raise ModelError(f"must be a batch of frames [N, ...], not {_printed(dims)}")
    rank = len(dims)
    if given is not None:
        sizes = tuple(int(n) for n in given)
        sizes = sizes[1:] if len(sizes) == rank else sizes
        if len(sizes) != rank - 1 or any(
            isinstance(d, int) and d not in (0, n) for d, n in zip(dims[1:], sizes, strict=True)
        ):
            raise ModelError(f"must have the shape {_printed(dims)}, not {list(given)}")
        dims = (dims[0], *sizes)
    if any(not isinstance(n, int) or n < 1 for n in dims[1:]):
        example = ",".join(str(n) if isinstance(n, int) and n > 0 else "N" for n in dims[1:])
        raise ModelError(
            f"must have known sizes, not {_printed(dims)}; "
            f"give them without the batch: --shape {value.name}={example}"
        )
    batch = dims[0] if isinstance(dims[0], int) and dims[0] > 0 else None
    return batch, tuple(n for n in dims[1:] if isinstance(n, int))


def _printed(dims: Sequence[int | str | None]) -> str:
    return "[" + ", ".join("?" if n is None else str(n) for n in dims) + "]"


def _name(node: SourceNode) -> str:
    """Name a node after its place in the network: `/c1/Conv` is c1, `node_conv2d_1` conv2d_1."""
    text = (node.name or node.outputs[0]).removeprefix("node_")
    if not text[:1].isalpha() and not text.startswith("/"):
        return f"{node.op}_{text}".lower()
    parts = [part for part in text.split("/") if part]
    if len(parts) > 1 and re.fullmatch(rf"{re.escape(node.op)}(_\d+)?", parts[-1]):
        parts.pop()
    following = [*parts[1:], ""]
    return "_".join(p for p, n in zip(parts, following, strict=True) if not n.startswith(f"{p}."))
