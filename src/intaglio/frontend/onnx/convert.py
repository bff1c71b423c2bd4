# SPDX-License-Identifier: Apache-2.0
"""From a readable ONNX model to a graph and a report on every node."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from intaglio.errors import ModelError
from intaglio.frontend.builder import Activation, Builder, Dropped, Imported, Site, UnsupportedError
from intaglio.frontend.conversion import Conversion, Fate, Row
from intaglio.frontend.onnx import constants
from intaglio.frontend.onnx.call import Call, Operand, Result
from intaglio.frontend.onnx.operators import OPERATORS, REWRITES
from intaglio.frontend.onnx.source import FLOAT, SourceInput, SourceModel, SourceNode

#: Turns an NHWC batch into the NCHW that convolutions read: the mark of a channels-last input.
_TO_CHANNELS_FIRST = (0, 3, 1, 2)
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
        self.live = live_nodes(model)
        self.reads = Counter(name for node in self.live for name in node.inputs)
        self.reads.update(model.outputs)
        self.readers: dict[str, set[str]] = {name: {""} for name in model.outputs}
        for node in self.live:
            for name in node.inputs:
                self.readers.setdefault(name, set()).add(node.op)
        #: What is left out, and the operand that is returned for it.
        self.stands_for: dict[str, str] = {}
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
                ends = [(self.stands_for.get(n, n), self._output(n)) for n in self.model.outputs]
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
                first = not self._channels_last(value.name)
                self.found[value.name] = self.builder.input(value.name, frame, channels_first=first)
            except ModelError as error:
                raise ModelError(f"{self.model.path}: input {value.name!r} {error}") from None

    def _channels_last(self, name: str) -> bool:
        """Tell whether an input is turned to channels-first before anything needs its order."""
        readers = [node for node in self.live if name in node.inputs]
        if len(readers) != 1:
            return False
        if readers[0].op in _PASSES_LAYOUT_ON:
            return self._channels_last(readers[0].outputs[0])
        permutation = readers[0].attributes.get("perm")
        return readers[0].op == "Transpose" and permutation == _TO_CHANNELS_FIRST

    def _output(self, name: str) -> Activation:
        value = self.found.get(name)
        if not isinstance(value, Activation):
            raise ModelError(f"output {name!r} must be computed from the inputs; it is constant")
        return value

    # --- one node ------------------------------------------------------------------------------

    def _row(self, node: SourceNode) -> Row:
        row = Row(node.name or node.outputs[0], _title(node), Fate.KEPT)
        if missing := [n for n in node.inputs if n and n not in self.found]:
            return self._without(node, row, missing)
        operands = tuple(self.found[name] if name else None for name in node.inputs)
        inputs = [x for x in operands if isinstance(x, Activation)]
        row = replace(row, input_shape=inputs[0].shape if inputs else None)
        before = set(self.builder.nodes)
        try:
            result = self._result(node, operands, row)
        except ModelError as error:
            advice = error.rewrite if isinstance(error, UnsupportedError) else ""
            return replace(row, fate=Fate.UNSUPPORTED, why=str(error), rewrite=advice)
        made = [name for name in self.builder.nodes if name not in before]
        if isinstance(result, np.ndarray):
            self.found[node.outputs[0]] = result
            return replace(row, fate=Fate.FOLDED, became="a constant", output_shape=result.shape)
        value = result.value if isinstance(result, Dropped) else result
        self.found[node.outputs[0]] = value
        row = replace(
            row,
            became=value.name,
            output_shape=value.shape,
            macs=sum(self.builder.macs(name) for name in made),
            parameters=_parameters(operands),
        )
        if isinstance(result, Dropped):
            if result.exact:
                return replace(row, fate=Fate.FOLDED, why=result.why)
            self.stands_for[node.outputs[0]] = node.inputs[0]
            return replace(row, fate=Fate.DROPPED, why=result.why)
        return row if made else replace(row, fate=Fate.FOLDED)

    def _result(self, node: SourceNode, operands: tuple[Operand | None, ...], row: Row) -> Result:
        call = Call(
            node,
            operands,
            self.builder,
            Site(_name(node), node.outputs[0]),
            self.model.opset,
            self.fixed or 1,
            tuple(self.reads[name] == 1 for name in node.inputs),
            frozenset(self.readers.get(node.outputs[0], ())),
        )
        function = OPERATORS.get((node.domain, node.op))
        if not any(isinstance(operand, Activation) for operand in operands):
            return constants.evaluate(call)
        if function is None:
            raise UnsupportedError(f"{row.op} has no counterpart", REWRITES.get(node.op, ""))
        return function(call)

    def _without(self, node: SourceNode, row: Row, missing: Sequence[str]) -> Row:
        """Judge a node whose operands are not known, because an earlier node failed."""
        if unreadable := [name for name in missing if name in self.model.unreadable]:
            why = f"tensor {unreadable[0]!r} must be of numbers of up to 64 bits"
            return replace(row, fate=Fate.UNSUPPORTED, why=why)
        if (node.domain, node.op) not in OPERATORS:
            why, advice = f"{row.op} has no counterpart", REWRITES.get(node.op, "")
            return replace(row, fate=Fate.UNSUPPORTED, why=why, rewrite=advice)
        made = {name for other in self.model.nodes for name in other.outputs}
        if strangers := [name for name in missing if name not in made]:
            why = f"operand {strangers[0]!r} must be made by a node before it"
            return replace(row, fate=Fate.UNSUPPORTED, why=why)
        why = f"it reads {missing[0]!r}, which could not be converted"
        return replace(row, fate=Fate.UNJUDGED, why=why)


def live_nodes(model: SourceModel) -> list[SourceNode]:
    """Return the nodes that an output depends on, in the file's order."""
    needed = set(model.outputs)
    live: list[SourceNode] = []
    for node in reversed(model.nodes):
        if needed.intersection(node.outputs):
            needed.update(node.inputs)
            live.append(node)
    return live[::-1]


def _dead(node: SourceNode) -> Row:
    name = node.name or next(iter(node.outputs), "")
    return Row(name, _title(node), Fate.UNUSED, why="no output depends on it")


def _title(node: SourceNode) -> str:
    return f"{node.domain}.{node.op}" if node.domain else node.op


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
    if not dims:
        raise ModelError("must have a batch axis first, not be a single number")
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
